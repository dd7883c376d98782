"""The tasks of a program that have not run: counted while its jobs are open, told when it ends.

Tasks of tasks do not count: they are part of the task that has made them.
"""

from __future__ import annotations

from typing import NamedTuple

from ..scheduling.scheduler import Scheduler
from .calls import CallStream
from .jobs import Jobs

_NAMED = 4
"""Maps that are named in one line."""


class MapLeft(NamedTuple):
    """A map that has not ended: the name of its function, how many tasks have run, and of how many,
    None where that is not known."""

    name: str
    run: int
    size: int | None


class TasksLeft(NamedTuple):
    """What is left of all open jobs.

    calls: how many submitted calls are left. all_calls: of so many.
    """

    maps: tuple[MapLeft, ...] = ()
    calls: int = 0
    all_calls: int = 0

    @property
    def tasks(self) -> int:
        """How many tasks are left, as far as that is known."""
        return self.calls + sum((each.size or each.run) - each.run for each in self.maps)

    def __bool__(self) -> bool:
        return bool(self.maps or self.calls)

    def __str__(self) -> str:
        """Return it in words: `371 of 1000 tasks of simulate`."""
        words = [
            f"tasks of {name} ({run} have run)" if size is None
            else f"{size - run} of {size} task{'s' if size > 1 else ''} of {name}"
            for name, run, size in self.maps[:_NAMED]
        ]  # fmt: skip
        more = len(self.maps) - _NAMED
        if more > 0:
            words.append(f"{more} more map{'s' if more > 1 else ''}")
        if self.calls:
            count = f"{self.calls} of {self.all_calls}"
            words.append(f"{count} submitted call{'s' if self.all_calls > 1 else ''}")
        return ", ".join(words[:-1]) + " and " * (len(words) > 1) + "".join(words[-1:])


def count(jobs: Jobs, calls: CallStream, scheduler: Scheduler) -> TasksLeft:
    """Return what is left; with the farm's lock held."""
    maps = []
    for number, job in jobs.maps.items():
        left = MapLeft(job.name, scheduler.finished_of(number), job.size)
        if left.run != left.size:
            maps.append(left)
    return TasksLeft(tuple(maps), *calls.count_left())
