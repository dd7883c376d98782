"""Functions that SCOOP cannot send: with defaults, closures, of classes, made at run time."""

import functools

from scoop import futures


class Angle:
    degrees = 360

    def __call__(self, number):
        return self.degrees * number

    def fraction(self, number):
        return self.degrees / number

    @classmethod
    def parts(cls, number):
        return cls.degrees // number

    @staticmethod
    def half(number):
        return number / 2


def multiplier(factor):
    return lambda number: factor * number


def with_closures(number):
    """A task that makes a function, and maps it."""
    return list(futures.map(multiplier(number), range(4)))


if __name__ == "__main__":

    def below_the_guard(number):
        return number + 0.5

    numbers = [1, 2, 3]
    print([list(futures.map(lambda x: x * 2, numbers)), list(futures.map(lambda x: -x, numbers))])
    print(list(futures.map(lambda number, factor=7: number * factor, numbers)))
    print([list(futures.map(multiplier(factor), numbers)) for factor in (2, 3, 4)])
    print(list(futures.map(functools.partial(lambda one, other: one - other, 10), numbers)))
    print(list(futures.map(Angle.parts, numbers)), list(futures.map(Angle.half, numbers)))
    print(list(futures.map(Angle(), numbers)), list(futures.map(Angle().fraction, numbers)))
    print(list(futures.map(below_the_guard, numbers)))
    print(list(futures.map(with_closures, numbers)))
