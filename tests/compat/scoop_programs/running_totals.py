"""mapScan: all values of the reduction, as itertools.accumulate gives them."""

import itertools
import operator

from scoop import futures


def total(numbers):
    return sum(numbers)


def square(number):
    return number * number


def scan_inside(number):
    return futures.mapScan(square, operator.add, list(range(1, number + 1)))


if __name__ == "__main__":
    rows = [[number] * number for number in range(10)]
    print(futures.mapScan(total, operator.add, rows))
    print(
        futures.mapScan(total, operator.add, rows) == list(itertools.accumulate(map(total, rows)))
    )
    print(futures.mapScan(square, operator.add, [10, 20, 30]))
    print(futures.mapScan(str, operator.add, "abcdef"))
    print(futures.mapScan(max, max, [3, 1, 4, 1], [1, 5, 9, 2]))
    numbers = list(range(1000))
    print(futures.mapScan(square, operator.add, numbers)[-1] == sum(map(square, numbers)))
    print(list(futures.map(scan_inside, [2, 3, 5])))
