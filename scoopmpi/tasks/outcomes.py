"""The outcomes of tasks, packed as they came from a worker, and opened for whoever wants them.

Opening runs the user's code, so only callers do it, never the farm's loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import repeat, starmap
from typing import Any, NamedTuple

from ..wire import errors, failure, payload
from ..wire.payload import Frame


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
    """An outcome that is a failure.

    task: its index, None where it is no task's.
    """

    error: BaseException
    task: int | None = None


class Surfacing:
    """The values of a range one by one: a failure is raised in its place, the next ones follow.

    For `chain.from_iterable`, which asks the same iterator again after an exception.

    outcomes: values, and `Raised` for failures; is emptied.
    """

    ends: Callable[[BaseException], object] | None = None
    """Called with the first failure, which ends the values then."""

    def __init__(self, outcomes: list[Any]) -> None:
        outcomes.reverse()
        self._outcomes = outcomes

    def __iter__(self) -> Surfacing:
        return self

    def __next__(self) -> Any:
        if not self._outcomes:
            raise StopIteration
        outcome = self._outcomes.pop()
        if type(outcome) is not Raised:
            return outcome
        error = failure.raisable(outcome.error)
        if self.ends is not None:
            self._outcomes.clear()
            self.ends(error)
        try:
            raise error
        finally:
            del error, outcome  # no circle of an exception and its traceback


def consumed(arrived: OutcomeRange, collect: bool) -> Iterable[Any]:
    """Return the values of a range for a consumer who takes each once; runs user code.

    collect: whether failures are values too, else they are raised in their places.
    """
    if arrived.plain:  # numbers and strings may stay
        values: list[Any] = payload.unpack(arrived.outcomes)
        return values
    outcomes = all_outcomes(arrived, collect)
    return Surfacing(outcomes) if any_raised(outcomes) else handed_over(outcomes)


def all_outcomes(arrived: OutcomeRange, collect: bool = False) -> list[Any]:
    """Return the values of a range, `Raised` in the place of each failure; runs user code.

    collect: whether the exceptions themselves stand there.
    """
    if arrived.plain:
        values: list[Any] = payload.unpack(arrived.outcomes)
        return values
    failed = frozenset(arrived.failed)
    outcomes = [
        opened(frame, place in failed, arrived.start + place)
        for place, frame in enumerate(arrived.outcomes)
    ]
    return collected(outcomes) if collect and any_raised(outcomes) else outcomes


def any_raised(outcomes: list[Any]) -> bool:
    """Return whether there is a failure among outcomes."""
    return Raised in set(map(type, outcomes))


def collected(outcomes: list[Any]) -> list[Any]:
    """Return outcomes with exceptions in the places of failures, as `asyncio.gather` has it.

    An executor whose initializer has failed is no task's failure: that stays `Raised`.
    """
    return [
        failure.raisable(outcome.error)
        if type(outcome) is Raised and not getattr(type(outcome.error), "breaks_executor", False)
        else outcome
        for outcome in outcomes
    ]


def opened(frame: Frame, failed: bool, index: int) -> Any:
    """Return the value in a frame, or `Raised`: what the task, or unpickling its result, raised.

    failed: whether the frame has an error instead of a value. index: the task's, for messages.
    """
    if failed:
        return Raised(failure.unpack(frame), index)
    try:
        return payload.unpack(frame)
    except BaseException as error:
        text = f"the result of task {index} cannot be unpickled: {failure.reason(error)}"
        problem = errors.TaskError(text)
        problem.__cause__ = error
        return Raised(problem, index)


def handed_over(values: list[Any]) -> Iterator[Any]:
    """Return an iterator of the values which forgets each one as it gives it: memory is free then.

    values: is emptied.
    """
    values.reverse()
    return starmap(values.pop, repeat((), len(values)))
