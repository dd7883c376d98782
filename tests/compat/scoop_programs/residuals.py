"""Data at the top of the program: every worker has it, tasks get an index only."""

import operator
import random

from scoop import futures

chance = random.Random(1729)
measured = [chance.randint(-100, 100) for _ in range(20_000)]
expected = [chance.randint(-100, 100) for _ in range(20_000)]
PART = 2500


def squares(start):
    pairs = zip(measured[start : start + PART], expected[start : start + PART], strict=True)
    return sum((one - other) ** 2 for one, other in pairs)


if __name__ == "__main__":
    parallel = futures.mapReduce(squares, operator.add, range(0, len(measured), PART))
    serial = sum((one - other) ** 2 for one, other in zip(measured, expected, strict=True))
    print(parallel == serial, serial > 0)
