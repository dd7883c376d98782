"""Nested tasks that other workers have: given away from the oldest jobs, withdrawn, or answered.

Tasks are taken for others with the worker's lock held, by any thread, and packed without it.
`withdraw`, `ceased` and `returned` are called with the lock held.
"""

from __future__ import annotations

from collections import deque
from math import ceil
from typing import Any, TypeAlias

from ...tasks.outcomes import Part
from ...wire.messages import Returned, Withdrawn
from .calls import NestedCalls
from .maps import NestedMap
from .port import Port

Nested: TypeAlias = NestedMap | NestedCalls


class Away:
    """What others have of one worker's nested jobs."""

    def __init__(self, worker: Port) -> None:
        self._worker = worker
        self.hungry = worker.workers - 1
        """Workers known to have nothing to do, to be offered tasks once; 0: wait to be asked."""
        self.jobs: dict[int, Nested] = {}
        """Jobs of which others have tasks."""
        self._abandoned: deque[int] = deque()
        self._withdrawn: set[int] = set()  # of which others may still run tasks

    def offer(self, pending: list[Nested], keep: int) -> None:
        """Give tasks to others, if some are wanted; `keep` so many of the newest job."""
        if not self.hungry:
            return
        jobs = [job for job in pending.copy() if job.rows and job.portable]
        with self._worker.lock:
            taken = self._taken(jobs, keep)
        for job, (start, rows, plain) in taken:
            message = job.offered(start, rows, plain)  # packing may run the user's code
            with self._worker.lock:
                self._worker.send(message)

    def _taken(
        self, jobs: list[Nested], keep: int
    ) -> list[tuple[Nested, tuple[int, list[Any], bool]]]:
        """The oldest unstarted tasks, as many as make others busy for as long as this worker."""
        found = []
        for job in jobs:
            count = len(job.rows)
            share = ceil(count * self.hungry / (self.hungry + 1))
            taken = job.taken(min(share, count - keep if job is jobs[-1] else count))
            if taken[1]:
                found.append((job, taken))
                self.jobs[job.number] = job
                job.unanswered += len(taken[1])
                self.hungry = max(0, self.hungry - len(taken[1]))
            if not self.hungry:
                return found
        return found

    def abandon(self, number: int) -> None:
        """Nobody wants the outcomes. May be called by the garbage collector at any point."""
        if number in self.jobs:
            self._abandoned.append(number)

    def withdraw(self) -> None:
        """Tell the farm what was abandoned."""
        while self._abandoned:
            number = self._abandoned.popleft()
            if self.jobs.pop(number, None) is not None:
                self._withdrawn.add(number)
                self._worker.send(Withdrawn(number))

    def ceased(self, number: int) -> None:
        """What was withdrawn of a job runs nowhere any more."""
        self._withdrawn.discard(number)

    def returned(self, message: Returned) -> tuple[Nested, Part] | None:
        """Outcomes have come: for which job; None where nobody wants them any more."""
        job = self.jobs.get(message.job)
        if job is None:
            return None
        part = Part(*message[1:])
        job.unanswered -= part.stop - part.start
        if not job.unanswered:
            del self.jobs[message.job]
        return job, part

    def __contains__(self, number: int) -> bool:
        return number in self.jobs or number in self._withdrawn

    def __len__(self) -> int:
        return len(self.jobs)
