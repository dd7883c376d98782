"""Tasks that ran one after the other on a worker, as a line of the task log: facts, no log.

Workers make them where a log is asked for, and rank 0 writes them down. Nothing else loads this.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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

    def joins(self, other: Stretch) -> bool:
        """True where this task and the ones before it may share a line: short and all well."""
        return (
            self.seconds < SHORT > other.seconds / other.tasks
            and self.outcome == other.outcome == OK
            and self.function == other.function
        )


def joined(tasks: Iterable[Stretch]) -> Iterator[Stretch]:
    """Yield the tasks, short ones in a row as one."""
    last: Stretch | None = None
    for task in tasks:
        if last is not None and task.joins(last):
            seconds = last.seconds + task.seconds
            last = last._replace(tasks=last.tasks + task.tasks, seconds=seconds)
            continue
        if last is not None:
            yield last
        last = task
    if last is not None:
        yield last


def outcome_of(error: BaseException) -> str:
    """Return the outcome of a task that has raised."""
    return TIMEOUT if issubclass(type(error), errors.TaskTimeout) else FAILED


def shortened(error: BaseException) -> str:
    """Return an exception's type and text in one line that is not long."""
    text = " ".join(failure.reason(error).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
