"""The outcomes of tasks, packed as they came from a worker, and opened for whoever wants them.

Opening runs the user's code, so only callers do it, never the farm's loop.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat, starmap
from typing import Any, NamedTuple

from ..wire import errors, failure, payload
from ..wire.messages import Frame


class OutcomeRange(NamedTuple):
    """The outcomes of the tasks `start` to `stop - 1`, still packed as they came.

    plain: whether all are in one frame, of numbers and strings alone; else each has its own.
    failed: the places in the range, from 0 on, of tasks that have failed.
    reproducible: False where another run could give others, as where a worker died on them.
    """

    start: int
    stop: int
    plain: bool
    outcomes: Frame
    failed: tuple[int, ...]
    reproducible: bool = True


class Raised(NamedTuple):
    """An outcome that is a failure."""

    error: BaseException


def values(arrived: OutcomeRange) -> tuple[list[Any], BaseException | None]:
    """Return the values of a range up to its first failure, and that failure; runs user code."""
    if arrived.plain:
        found: list[Any] = payload.unpack(arrived.outcomes)
        return found, None
    found = []
    failed = frozenset(arrived.failed)
    for place, frame in enumerate(arrived.outcomes):
        outcome = opened(frame, place in failed, arrived.start + place)
        if isinstance(outcome, Raised):
            return found, outcome.error
        found.append(outcome)
    return found, None


def all_outcomes(arrived: OutcomeRange) -> list[Any]:
    """Return the values of a range, `Raised` in the place of each failure; runs user code."""
    if arrived.plain:
        return values(arrived)[0]
    failed = frozenset(arrived.failed)
    return [
        opened(frame, place in failed, arrived.start + place)
        for place, frame in enumerate(arrived.outcomes)
    ]


def opened(frame: Frame, failed: bool, index: int) -> Any:
    """Return the value in a frame, or `Raised`: what the task, or unpickling its result, raised.

    failed: whether the frame has an error instead of a value. index: the task's, for messages.
    """
    if failed:
        return Raised(failure.unpack(frame))
    try:
        return payload.unpack(frame)
    except BaseException as error:
        text = f"the result of task {index} cannot be unpickled: {failure.reason(error)}"
        problem = errors.TaskError(text)
        problem.__cause__ = error
        return Raised(problem)


def handed_over(values: list[Any]) -> Iterator[Any]:
    """Return an iterator of the values which forgets each one as it gives it: memory is free then.

    values: is emptied.
    """
    values.reverse()
    return starmap(values.pop, repeat((), len(values)))
