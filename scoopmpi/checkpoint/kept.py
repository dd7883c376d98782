"""Outcomes of an earlier run as they came from a worker there, or some of them alone.

Packed outcomes in and out; nothing here knows files, functions or arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from ..tasks.outcomes import OutcomeRange
from ..wire import payload
from .rows import Saved

PORTION = 64 << 20
"""Bytes of outcomes that are read at once: as many as wait for a slow consumer at rank 0."""


def as_came(saved: Saved) -> OutcomeRange:
    """Return all outcomes of a part."""
    return OutcomeRange(saved.start, saved.stop, saved.plain, saved.outcomes, saved.failed)


def weight(parts: Iterable[OutcomeRange]) -> int:
    """Return the bytes of outcomes."""
    return sum(payload.weight(part.plain, part.outcomes) for part in parts)


def cut(part: OutcomeRange, without: Sequence[int]) -> Iterator[OutcomeRange]:
    """Return the outcomes of a part but some.

    without: the places of these, in order.
    """
    if not without:
        yield part
        return
    values = payload.unpack(part.outcomes) if part.plain else part.outcomes
    failed = set(part.failed)
    first = 0
    for stop in (*without, part.stop - part.start):
        if first < stop:
            some = values[first:stop]
            places = tuple(place - first for place in range(first, stop) if place in failed)
            yield _range(part.start + first, part.plain, some, places)
        first = stop + 1


def in_a_row(numbers: Iterable[int]) -> Iterator[range]:
    """Return those of some numbers that follow each other as ranges."""
    for _, group in groupby(enumerate(numbers), lambda one: one[1] - one[0]):
        row = [number for _, number in group]
        yield range(row[0], row[-1] + 1)


def in_rows(found: Iterable[tuple[int, bool, Any, bool]]) -> Iterator[OutcomeRange]:
    """Return outcomes of single tasks, those of tasks in a row together.

    found: for each task, in order: its index, whether its outcome is plain, that outcome, and
        whether it is an exception.
    """
    numbered = enumerate(found)
    for (_, plain), group in groupby(numbered, lambda one: (one[1][0] - one[0], one[1][1])):
        tasks = [each for _, each in group]
        failed = tuple(place for place, task in enumerate(tasks) if task[3])
        yield _range(tasks[0][0], plain, [task[2] for task in tasks], failed)


def _range(start: int, plain: bool, values: Sequence[Any], failed: tuple[int, ...]) -> OutcomeRange:
    stop = start + len(values)
    if plain:
        return OutcomeRange(start, stop, True, payload.pack(list(values)), ())
    return OutcomeRange(start, stop, False, tuple(values), failed)


def says_late(frame: Any) -> bool:
    """True where an exception may be of a task that ran out of time: another run may give more."""
    return type(frame) is not tuple and b"TaskTimeout" in bytes(frame)


def failing_values(
    part: OutcomeRange, failed_value: Callable[[Any], bool] | None
) -> tuple[int, ...]:
    """Return the places of values that say that their task failed.

    failed_value: tells such a value; None where the function has none.
    """
    if failed_value is None:
        return ()
    if part.plain:
        values = enumerate(payload.unpack(part.outcomes))
        return tuple(place for place, value in values if failed_value(value))
    return tuple(
        place
        for place, frame in enumerate(part.outcomes)
        if place not in part.failed and failed_value(payload.unpack(frame))
    )
