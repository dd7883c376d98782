"""mapReduce: the values of a map made into one; the reduction need not be commutative."""

import operator

from scoop import futures


def total(numbers):
    return sum(numbers)


def multiples(number):
    return set(range(0, 1000, number))


def between(left, right):
    return f"({left}{right})"


def squares_below(number):
    return futures.mapReduce(square, operator.add, list(range(number)))


def square(number):
    return number * number


if __name__ == "__main__":
    print(futures.mapReduce(total, operator.add, [[number] * number for number in range(100)]))
    print(sum(futures.mapReduce(multiples, set.union, [3, 5])))
    print(futures.mapReduce(str, operator.add, list(range(30))))
    print(futures.mapReduce(max, max, [3, 1, 4], [1, 5, 9]))
    print(futures.mapReduce(pow, operator.add, range(2, 10), [2] * 8))
    print(futures.mapReduce(square, lambda left, right: left + right, [10, 20, 30]))
    same = [futures.mapReduce(square, operator.add, [10, 20, 30]) for _ in range(2)]
    print(same[0] == same[1] == 1400)
    print(list(futures.map(squares_below, [2, 5, 10])))
    nested = futures.mapReduce(str, between, list("abcdefg"))
    print(nested.count("("), nested.replace("(", "").replace(")", ""))
