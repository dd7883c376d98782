"""What a map takes as its arguments: as the built-in one."""

import itertools

from scoop import futures


def together(*parts):
    return parts


def lines():
    yield from ("first", "second", "third")


if __name__ == "__main__":
    print(list(futures.map(together, [])))
    print(list(futures.map(together, "ab")))
    print(list(futures.map(together, lines())))
    print(list(futures.map(together, range(5), "xyz")))
    print(list(futures.map(together, [1, 2], itertools.repeat(0), itertools.cycle("ab"))))
    print(list(futures.map(together, itertools.count(), {"one": 1, "two": 2}.items())))
    print(sorted(futures.map_as_completed(together, {3, 1, 2}, itertools.repeat("x"))))
    values = futures.map(together, range(3))
    print(next(values), list(values), list(values))
