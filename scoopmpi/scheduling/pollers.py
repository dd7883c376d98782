"""When a rank that looks for messages at intervals finds one: the simulator's pollers.

Nobody is told of a message here: rank 0 and the workers look for them, the less often the longer
nothing has come. The intervals are the caller's, the real ones (`concurrency`) for a prediction.
No clock, no events, no decisions.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import NamedTuple

from .scheduler import Assignment, Scheduler


def _nothing(what: object, now: float) -> None:
    """Take no note of it."""


class Pauses(NamedTuple):
    """How ranks wait for messages. All times in seconds, and each interval longer than 0.

    worker: returns the time to a worker's next look, after so long without anything to do.
    rank0: the same for rank 0, with its scheduler, after so long without a message; and now.
    given, answered: told each assignment, and each worker whose answer has come, and when: for a
        rank 0 that reckons when answers are due.
    looks: how many looks a message needs: 2 where MPI only takes in what has come behind a look.
    """

    worker: Callable[[float], float]
    rank0: Callable[[Scheduler, float, float], float]
    given: Callable[[Assignment, float], None] = _nothing
    answered: Callable[[int, float], None] = _nothing
    looks: int = 1


class WorkerLooks:
    """The looks of any worker: the same for all of them, counted from when it had something to do.

    pause: as in `Pauses`. looks: how many a message needs.
    """

    def __init__(self, pause: Callable[[float], float], looks: int) -> None:
        self._pause, self._more = pause, looks - 1
        self._times = [0.0]

    def found(self, since: float, arrived: float) -> float:
        """Return when a worker that is idle `since` then finds what has `arrived`."""
        idle = arrived - since
        while self._times[-1] < idle:
            self._grow()
        place = bisect_left(self._times, idle) + self._more
        while len(self._times) <= place:
            self._grow()
        return max(arrived, since + self._times[place])

    def _grow(self) -> None:
        latest = self._times[-1]
        self._times.append(latest + self._pause(latest))


class Rank0Looks:
    """The looks of rank 0, which depend on what it knows."""

    def __init__(self, pauses: Pauses, scheduler: Scheduler) -> None:
        self._pause, self._looks, self._scheduler = pauses.rank0, pauses.looks, scheduler

    def found(self, since: float, arrived: float) -> float:
        """Return when rank 0, with nothing to do `since` then, finds what has `arrived`."""
        now, after = since, 0
        while after < self._looks:
            now += self._pause(self._scheduler, now - since, now)
            after += now >= arrived
        return now
