"""Functions that tasks can be: of the program, built in, of a module, lambdas, partials."""

import functools
import math
import operator
import string

from scoop import futures

OFFSET = 100


def power(base, exponent=2):
    return base**exponent


def keywords(*words, **names):
    return words, sorted(names.items())


class Line:
    """Its tasks are calls of an object's method."""

    def __init__(self, slope):
        self.slope = slope

    def at(self, x):
        return self.slope * x


class Offset:
    """Its objects are functions themselves."""

    def __init__(self, by):
        self.by = by

    def __call__(self, x):
        return x + self.by


if __name__ == "__main__":
    numbers = [1, 2, 3]
    print(list(futures.map(power, numbers)))
    print(list(futures.map(abs, [-1, 1])), list(futures.map(math.factorial, numbers)))
    print(list(futures.map(string.capwords, ["two words", "word"])))
    lambdas = [lambda x: x * 2, lambda x: x + OFFSET, lambda x: operator.neg(x)]
    print([list(futures.map(function, numbers)) for function in lambdas])
    print(list(futures.map(functools.partial(power, exponent=3), numbers)))
    print(list(futures.map(Line(5).at, numbers)), list(futures.map(Offset(5), numbers)))
    print([line.slope for line in futures.map(Line, numbers)])
    print(futures.submit(keywords, 1, 2, unit="m", scale=0.5).result())
    print(futures.submit(power, exponent=5, base=2).result())
