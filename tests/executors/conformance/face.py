"""What `concurrent.futures` promises, as cases that run over any face of `MPIExecutor`.

A case is a function with a `Face`: it makes executors and says whether they work serially. Tasks
that have to be in the middle of something wait at a gate, a file that the case creates.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from scoopmpi.executors.mpi_executor import MPIExecutor

SECONDS = 20.0
"""More than any wait here takes, and the end of all of them."""
CASES: list[Callable[[Any], None]] = []


class Face(NamedTuple):
    """make: gives executors, with the arguments of `MPIExecutor`."""

    make: Callable[..., MPIExecutor]
    serial: bool

    @property
    def processes(self) -> int:
        with self.make() as executor:
            return executor.num_workers


def case(function: Callable[[Any], None]) -> Callable[[Any], None]:
    CASES.append(function)
    return function


def parallel(function: Callable[[Any], None]) -> Callable[[Any], None]:
    """A case about calls that have not run yet, which serially there are none of."""

    def run(face: Any) -> None:
        if not face.serial:
            function(face)

    run.__name__ = function.__name__
    return case(run)


# Tasks.


def square(x: int) -> int:
    return x * x


def fails(x: int) -> int:
    raise LookupError(f"no {x}")


def fails_at_three(x: int) -> int:
    return fails(x) if x == 3 else x


def captures(*args: Any, **kwargs: Any) -> Any:
    return args, kwargs


def passes(gate: str, value: Any = None) -> Any:
    """Wait until the gate opens, or its place is gone."""
    end = time.monotonic() + SECONDS
    while os.path.isdir(os.path.dirname(gate)) and not os.path.exists(gate):
        if time.monotonic() > end:
            raise TimeoutError(f"the gate {gate} has not been opened")
        time.sleep(0.002)
    return value


def leaves_a_mark(directory: str, x: int) -> int:
    Path(directory, f"{x}").touch()
    return x


class Gate:
    """Tasks wait before it until it opens."""

    def __init__(self, directory: str) -> None:
        self.path = os.path.join(directory, "gate")

    def open(self) -> None:
        Path(self.path).touch()


@contextmanager
def gate() -> Iterator[Gate]:
    with tempfile.TemporaryDirectory() as directory:
        made = Gate(directory)
        try:
            yield made
        finally:
            made.open()


def until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not done():
        assert time.monotonic() < end, "this has not happened"
        time.sleep(0.001)


def occupied(executor: Any, closed: Gate) -> list[Any]:
    """Calls before the gate, more than workers take in advance."""
    return [executor.submit(passes, closed.path, x) for x in range(8 * executor.num_workers)]
