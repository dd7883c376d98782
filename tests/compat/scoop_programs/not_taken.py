"""Maps whose values nobody takes, or only some of them: the program goes on and ends."""

import time

from scoop import futures


def square(number):
    return number * number


def slow(number):
    time.sleep(0.01)
    return number


def leaves_some(number):
    """A task that drops one map and takes two values of another."""
    futures.map(square, range(1000))
    kept = futures.map(square, range(1000))
    return next(kept) + next(kept) + number


if __name__ == "__main__":
    futures.map(square, range(1000))
    kept = futures.map(square, range(1000))
    for value in futures.map(slow, range(10_000)):
        if value == 3:
            break
    print(value)
    print(sum(futures.map(square, range(100))))
    print(sum(kept))
    print(list(futures.map(leaves_some, range(4))))
    rest = futures.map(slow, range(1000))
    call = futures.submit(slow, 1)
    print(next(rest), next(rest), "and no more")
