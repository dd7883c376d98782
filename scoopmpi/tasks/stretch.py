"""Tasks that ran one after the other on a worker, as a line of the task log: facts, no log.

Workers make them where a log is asked for, and rank 0 writes them down. Nothing else loads this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..wire import errors, failure

SHORT = 0.01
"""Seconds from which on a task has a line of its own: so a log of any job grows by at most a
hundred lines a second and worker, and rank 0 writes those of a thousand workers."""
OK, FAILED, TIMEOUT, LOST = "ok", "failed", "timeout", "lost"
CACHED, CANCELLED = "cached", "cancelled"
_LONGEST = 200
"""Letters of an error that are told."""


class Stretch(NamedTuple):
    """Says how some tasks went.

    tasks: how many. began: the first, in seconds since 1970 by the clock of its host.
    seconds: of all of them, without those in which they waited and others ran in their place.
    outcome: "ok", "failed", "timeout" or "cancelled". function: its name.
    attempt: which one it was of them. error: what was raised, in short.
    """

    tasks: int
    began: float
    seconds: float
    outcome: str
    function: str
    attempt: int
    error: str = ""


class Timed(NamedTuple):
    """Says when a task began, by whatever clock, how many seconds it took, and what it was."""

    began: float
    seconds: float
    function: str


def lines(
    tasks: Sequence[Timed], odd: Mapping[int, tuple[str, str]], attempt: int, epoch: float
) -> list[Stretch]:
    """Return the tasks, short ones in a row as one.

    odd: outcome and error of those that are not all well, by their places, which have a line each.
    attempt: which one it was of all of them. epoch: what makes their clock seconds since 1970.
    """
    made: list[Stretch] = []
    count, first, total, name = 0, 0.0, 0.0, ""
    for place, (began, seconds, function) in enumerate(tasks):
        short = seconds < SHORT and place not in odd
        if count and short and function == name:
            count += 1
            total += seconds
            continue
        if count:
            made.append(Stretch(count, epoch + first, total, OK, name, attempt))
            count = 0
        if short:
            count, first, total, name = 1, began, seconds, function
        else:
            outcome, error = odd.get(place, (OK, ""))
            made.append(Stretch(1, epoch + began, seconds, outcome, function, attempt, error))
    if count:
        made.append(Stretch(count, epoch + first, total, OK, name, attempt))
    return made


def outcome_of(error: BaseException) -> str:
    """Return the outcome of a task that has raised."""
    return TIMEOUT if issubclass(type(error), errors.TaskTimeout) else FAILED


def shortened(error: BaseException) -> str:
    """Return an exception's type and text in one line that is not long."""
    text = " ".join(failure.reason(error).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
