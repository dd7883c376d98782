"""Nested tasks that other workers have: given away from the oldest jobs, withdrawn, or answered.

Tasks are taken for others with the worker's lock held, by any thread, and packed without it.
`withdraw`, `ceased` and `returned` are called with the lock held.
"""

from __future__ import annotations

from collections import deque
from math import ceil
from typing import TYPE_CHECKING, Any, TypeAlias

from ...tasks.outcomes import OutcomeRange
from ...wire.messages import Returned, Revoked
from .calls import NestedCalls
from .maps import NestedMap

if TYPE_CHECKING:
    from .port import Port

NestedJob: TypeAlias = NestedMap | NestedCalls


class Away:
    """What others have of one worker's nested jobs."""

    def __init__(self, worker: Port) -> None:
        self._worker = worker
        self.idle_workers = worker.workers - 1
        """Workers known to have nothing to do, to be offered tasks once; 0: wait to be asked."""
        self.jobs: dict[int, NestedJob] = {}
        """Jobs of which others have tasks."""
        self._abandoned: deque[int] = deque()
        self._revoked: set[int] = set()  # of which others may still run tasks

    def offer(self, pending: list[NestedJob], keep: int) -> None:
        """Give tasks to others, if some are wanted; `keep` so many of the newest job."""
        if not self.idle_workers:
            return
        jobs = [job for job in pending.copy() if job.rows and job.portable]
        with self._worker.lock:
            taken = self._taken(jobs, keep)
        for job, (start, rows, plain) in taken:
            message = job.offered(start, rows, plain)  # packing may run the user's code
            with self._worker.lock:
                self._worker.send(message)

    def _taken(
        self, jobs: list[NestedJob], keep: int
    ) -> list[tuple[NestedJob, tuple[int, list[Any], bool]]]:
        """The oldest unstarted tasks, as many as make others busy for as long as this worker."""
        found = []
        for job in jobs:
            count = len(job.rows)
            share = ceil(count * self.idle_workers / (self.idle_workers + 1))
            taken = job.taken(min(share, count - keep if job is jobs[-1] else count))
            if taken[1]:
                found.append((job, taken))
                self.jobs[job.number] = job
                job.unanswered += len(taken[1])
                self.idle_workers = max(0, self.idle_workers - len(taken[1]))
            if not self.idle_workers:
                return found
        return found

    def abandon(self, number: int) -> None:
        """Nobody wants the outcomes. May be called by the garbage collector at any point."""
        if number in self.jobs:
            self._abandoned.append(number)

    def revoke(self) -> None:
        """Tell the farm what was abandoned."""
        while self._abandoned:
            number = self._abandoned.popleft()
            if self.jobs.pop(number, None) is not None:
                self._revoked.add(number)
                self._worker.send(Revoked(number))

    def ceased(self, number: int) -> None:
        """What was withdrawn of a job runs nowhere any more."""
        self._revoked.discard(number)

    def returned(self, message: Returned) -> tuple[NestedJob, OutcomeRange] | None:
        """Outcomes have come: for which job; None where nobody wants them any more."""
        job = self.jobs.get(message.job)
        if job is None:
            return None
        part = OutcomeRange(*message[1:])
        job.unanswered -= part.stop - part.start
        if not job.unanswered:
            del self.jobs[message.job]
        return job, part

    def __contains__(self, number: int) -> bool:
        return number in self.jobs or number in self._revoked

    def __len__(self) -> int:
        return len(self.jobs)
