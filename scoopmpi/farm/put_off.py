"""Tasks that have raised and are tried again: which of those that come back, and when.

The scheduler knows them as put off, has no clock, and is told here when their time has come. What
is asked for is with each job. Everything is called with the farm's lock held.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Iterable

from ..scheduling import retries
from ..scheduling.ranges import Batch
from ..scheduling.scheduler import Assignment, Scheduler
from ..tasks.outcomes import OutcomeRange
from .jobs import Job


class PutOff:
    """The tasks of one farm that are put off."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._queue: list[tuple[float, int, Batch]] = []  # a heap
        self._numbers = itertools.count()

    def taken(self, job: Job, batch: Batch, raised: Iterable[int]) -> list[Batch]:
        """Return the tasks that are put off, and keep them until their time comes.

        batch: in which they have run, as its worker has held it.
        raised: in order, those for which their function wants another try.
        """

        # Asked once for each: meanwhile another thread may give its call up.
        asked = {task: job.retry(task) for task in raised}

        def most(task: int) -> int:
            retry = asked[task]
            return 0 if retry is None else retry.retries

        found = retries.put_off(batch, asked, most)
        if job.function is None:  # each has a delay of its own
            found = [
                each._replace(start=task, stop=task + 1)
                for each in found
                for task in range(each.start, each.stop)
            ]
        for each in found:
            retry = asked[each.start]
            assert retry is not None
            when = time.monotonic() + retry.delay
            heapq.heappush(self._queue, (when, next(self._numbers), each))
        return found

    def due(self) -> list[Assignment]:
        """Have those queued again whose time has come, and return what the scheduler assigns."""
        assignments: list[Assignment] = []
        now = time.monotonic()
        while self._queue and self._queue[0][0] <= now:
            assignments += self._scheduler.due(heapq.heappop(self._queue)[2])
        return assignments

    def __bool__(self) -> bool:
        return bool(self._queue)


def without(part: OutcomeRange, put_off: Iterable[Batch]) -> list[OutcomeRange]:
    """Return the outcomes that are final, in ranges. put_off: in order, the tasks between them."""
    found: list[OutcomeRange] = []
    start = part.start
    for each in put_off:
        found.append(_between(part, start, each.start))
        start = each.stop
    found.append(_between(part, start, part.stop))
    return [each for each in found if each.start < each.stop]


def _between(part: OutcomeRange, start: int, stop: int) -> OutcomeRange:
    first, end = start - part.start, stop - part.start
    failed = tuple(place - first for place in part.failed if first <= place < end)
    outcomes = part.outcomes[first:end]
    return part._replace(start=start, stop=stop, outcomes=outcomes, failed=failed)
