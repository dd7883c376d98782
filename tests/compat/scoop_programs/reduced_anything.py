"""mapReduce and mapScan over what SCOOP could not take: one element, generators, shortest wins."""

import itertools
import operator

from scoop import futures


def square(number):
    return number * number


def spoil(number):
    if number == 13:
        raise LookupError("thirteen")
    return number


if __name__ == "__main__":
    print(futures.mapReduce(square, operator.add, [7]))
    print(futures.mapScan(square, operator.add, [7]), futures.mapScan(square, operator.add, []))
    print(futures.mapReduce(square, operator.add, (number for number in range(5))))
    print(futures.mapScan(square, operator.add, iter(range(5))))
    print(futures.mapReduce(operator.mul, operator.add, range(4), itertools.repeat(3)))
    print(futures.mapReduce(operator.mul, operator.add, [1, 2, 3], [1, 2]))
    for function in (futures.mapReduce, futures.mapScan):
        try:
            function(spoil, operator.add, range(40))
        except LookupError as error:
            print(function.__name__, error.args)
    print(futures.mapReduce(spoil, operator.add, range(13)))
