"""Exceptions are caught at any level: by the caller, by its caller, and by the program."""

from scoop import futures


class TooSteep(Exception):
    """A class of the program itself."""

    def __init__(self, height, slope):
        super().__init__(height, slope)
        self.height = height


def start(steps):
    return futures.submit(climb, steps).result()


def climb(steps):
    """Turns what a map raises, when its values are taken, into another exception."""
    try:
        return sum(futures.map(stage, range(1, steps + 1)))
    except ValueError as error:
        raise TooSteep(error.args[0], "north") from None


def stage(steps):
    if steps > 10:
        raise ValueError(steps)
    calls = [futures.submit(walk, number) for number in range(1, steps + 1)]
    return sum(call.result() for call in futures.as_completed(calls))


def walk(steps):
    """Catches, and goes on with what the exception holds."""
    try:
        return sum(list(futures.map(step, range(1, steps + 1))))
    except OverflowError as error:
        return error.args[0]


def step(number):
    if number * number > 20:
        raise OverflowError(number * number)
    return number * number


def fails_in(level):
    """The exception comes from the deepest of so many levels; nobody on the way catches it."""
    if level == 0:
        raise TooSteep(8848, "south")
    return list(futures.map(fails_in, [level - 1]))


if __name__ == "__main__":
    print(start(4), start(10))
    for attempt in (lambda: start(20), lambda: futures.submit(start, 20).result()):
        try:
            attempt()
        except TooSteep as error:
            print(type(error).__name__, error.args, error.height)
    for level in (0, 1, 5):
        try:
            fails_in(level)
        except TooSteep as error:
            print(level, error.args)
    print(start(4))
