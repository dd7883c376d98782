"""How nested tasks spread: given away from the oldest jobs, withdrawn, or answered.

A worker may offer once, the oldest tasks it has not started, and once more for each `StealRequest`
of the farm. So nobody is asked who never offered, and saturated farms exchange nothing. The
invariant: an unstarted task is in exactly one job's rows or in one `Offered`.

Tasks are taken with the worker's lock held, by any thread, and packed without it. `revoke`,
`ceased`, `job_of`, `returned` and `steal_requested` are called with the lock held.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from math import ceil
from typing import TYPE_CHECKING, Any

from ...wire.messages import Ceased, Message, Returned, Revoked, StealRequest

if TYPE_CHECKING:
    from .pending import PendingJobs
    from .port import NestedJob, Taken


class WorkSharing:
    """The tasks of one worker's nested jobs that others have.

    send: takes a message for the farm.
    lock: the worker's.
    workers: how many there are in all.
    """

    def __init__(
        self,
        send: Callable[[Message], None],
        lock: AbstractContextManager[Any],
        pending: PendingJobs,
        workers: int,
    ) -> None:
        self._send, self._lock, self._pending = send, lock, pending
        self.idle_workers = workers - 1
        """Workers known to have nothing to do, to be offered tasks once; 0: wait to be asked."""
        self._jobs: dict[int, NestedJob] = {}  # of which others have tasks
        self._abandoned: deque[int] = deque()
        self._revoked: set[int] = set()  # of which others may still run tasks

    def steal_requested(self, message: StealRequest) -> None:
        """Take note of workers that have nothing to do: they may be offered tasks once more."""
        self.idle_workers = message.workers

    def offer(self, keep: int) -> None:
        """Give tasks to others, if some are wanted; keep so many of the newest job."""
        if not self.idle_workers:
            return
        jobs = [job for job in self._pending.unstarted() if job.portable]
        with self._lock:
            found = self._take(jobs, keep)
        for job, taken in found:
            offered = job.offer(taken)  # without the lock: packing may run the user's code
            with self._lock:
                if self._jobs.get(job.number) is job:  # else it was withdrawn meanwhile
                    self._send(offered)

    def _take(self, jobs: list[NestedJob], keep: int) -> list[tuple[NestedJob, Taken]]:
        """Take the oldest tasks, as many as make others busy for as long as this worker."""
        found = []
        for job in jobs:
            count = len(job.rows)
            share = ceil(count * self.idle_workers / (self.idle_workers + 1))
            known = job.number in self._jobs
            self._jobs[job.number] = job  # first: it may be abandoned before it is offered
            taken = job.take(min(share, count - keep if job is jobs[-1] else count))
            if taken.rows:
                found.append((job, taken))
                self.idle_workers = max(0, self.idle_workers - len(taken.rows))
            elif not known:
                self._jobs.pop(job.number, None)
            if not self.idle_workers:
                return found
        return found

    def abandon(self, number: int) -> None:
        """Withdraw a job: nobody wants its outcomes.

        May be called by the garbage collector at any point.
        """
        if number in self._jobs:
            self._abandoned.append(number)

    def revoke(self) -> None:
        """Tell the farm what was abandoned."""
        while self._abandoned:
            number = self._abandoned.popleft()
            if self._jobs.pop(number, None) is not None:
                self._revoked.add(number)
                self._send(Revoked(number))

    def ceased(self, message: Ceased) -> None:
        """Take note that what was withdrawn of a job runs nowhere any more."""
        self._revoked.discard(message.job)

    def elsewhere(self) -> list[NestedJob]:
        """Return the jobs of which others have tasks; for any thread."""
        return list(self._jobs.copy().values())

    def job_of(self, message: Returned) -> NestedJob | None:
        """Return the job whose outcomes have come, None where nobody wants them."""
        return self._jobs.get(message.job)

    def returned(self, job: NestedJob) -> None:
        """Take note that a job has outcomes back, maybe its last ones."""
        if not job.unanswered:
            del self._jobs[job.number]

    def have(self, number: int) -> bool:
        """Return True where others have tasks of a job, wanted or not."""
        return number in self._jobs or number in self._revoked

    def of_scope(self, scope: int) -> bool:
        """Return True where others have tasks that one task has created; for any thread."""
        return any(job.scope == scope for job in self._jobs.copy().values())

    def __bool__(self) -> bool:
        return bool(self._jobs)
