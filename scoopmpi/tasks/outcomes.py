"""What has become of tasks, packed as it came from a worker, and opened for whoever wants it.

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

    reproducible: False where another run could give others, as where a worker died on them.
    """

    start: int
    stop: int
    plain: bool
    outcomes: Frame
    failed: tuple[int, ...]
    reproducible: bool = True


def values(part: OutcomeRange) -> tuple[list[Any], BaseException | None]:
    """The values of a part up to its first failure, and that failure; runs user code."""
    if part.plain:
        found: list[Any] = payload.unpack(part.outcomes)
        return found, None
    found = []
    failed = frozenset(part.failed)
    for place, frame in enumerate(part.outcomes):
        outcome = opened(frame, place in failed, part.start + place)
        if isinstance(outcome, Raised):
            return found, outcome.error
        found.append(outcome)
    return found, None


class Raised(NamedTuple):
    """An outcome that is a failure."""

    error: BaseException


def opened(frame: Frame, failed: bool, index: int) -> Any:
    """The value in a frame, or `Raised`: what the task, or unpickling its result, raised."""
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
    """The values one by one; what has been given is not kept in memory until the last one is."""
    values.reverse()
    return starmap(values.pop, repeat((), len(values)))
