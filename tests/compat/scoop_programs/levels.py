"""Four levels of tasks, by all means in turn: submit, map, submit and as_completed, map."""

import sys
from functools import partial

from scoop import futures


def top(size):
    return futures.submit(upper, size).result()


def upper(size):
    return sum(list(futures.map(middle, range(1, size + 1))))


def middle(size):
    calls = [futures.submit(lower, number) for number in range(1, size + 1)]
    return sum(call.result() for call in futures.as_completed(calls))


def lower(size):
    return sum(futures.map(bottom, [number + 1 for number in range(size)]))


def bottom(number):
    return number * number


if __name__ == "__main__":
    for size in map(int, sys.argv[1:] or [1, 4, 20]):
        call = futures.submit(top, size)
        futures.wait([call], return_when=futures.ALL_COMPLETED)
        print(size, call.result(), top(size), futures.submit(partial(top), size).result())
