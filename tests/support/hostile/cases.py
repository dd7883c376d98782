"""The cases of a hostile program: functions of the program itself, which `main` runs in turn.

Each runs in the program and, where it says so, inside a task too; after each the farm has to
answer. `main` prints a line for each case, and at last how many went well.
"""

import sys
import time
import traceback

from scoopmpi import IS_ORIGIN, futures

CASES = {}
PATIENCE = 40.0
"""Seconds for one task."""


def case(nested=False):
    """Register a case; nested: it is run inside a task as well."""

    def register(body):
        CASES[body] = nested
        return body

    return register


def result_of(function, *arguments):
    return futures.submit(function, *arguments).result(timeout=PATIENCE)


def failure_of(function, *arguments):
    """What a call raises, which is what the same call in a map raises."""
    error = futures.submit(function, *arguments).exception(timeout=PATIENCE)
    assert error is not None, "nothing was raised"
    values = futures.map(function, *([argument] for argument in arguments or [0]))
    try:
        print("not raised:", list(values))
    except BaseException as again:
        assert type(again) is type(error) or isinstance(error, StopIteration), (again, error)
    else:
        raise AssertionError("the map raised nothing")
    return error


def says(error, *words):
    text = str(error)
    missing = [word for word in words if word not in text]
    assert not missing, f"{type(error).__name__}: {text} does not say {missing}"


def deep(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


def slow_abs(x):
    time.sleep(0.005)
    return abs(x)


def alive():
    assert futures.submit(abs, -42).result(timeout=PATIENCE) == 42
    assert list(futures.map(slow_abs, [-42] * 8)) == [42] * 8  # on every worker


def followed(body):
    body()
    alive()


def main():
    assert IS_ORIGIN
    good = [runs(body, inside) for body, nested in CASES.items() for inside in range(1 + nested)]
    print(f"{sum(good)} of {len(good)} went well", flush=True)


def runs(body, inside):
    """Return whether a case went well, in a task where it is to be inside one."""
    name, begun = body.__name__ + " inside a task" * inside, time.monotonic()
    try:
        result_of(followed, body) if inside else body()
        alive()
        said = "ok"
    except BaseException:
        said = traceback.format_exc()
    print(f"{name}: {said}", flush=True)
    print(f"{time.monotonic() - begun:6.2f} s {name}", file=sys.stderr, flush=True)
    return said == "ok"
