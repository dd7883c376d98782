"""What users are told of workers that die: the error of a task that is given up, lines on stderr.

Texts only. When a task is run again and when it is given up is decided in `scheduling.retries`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ..concurrency.periods import GRACE_SECONDS
from ..scheduling.ranges import Batch
from ..tasks.outcomes import OutcomeRange
from ..wire import errors, failure
from .jobs import Job
from .members import Members

_NAMED = 12
"""Dead workers in one line; each has had a line of its own."""
logger = logging.getLogger("scoopmpi")


class Failures:
    """The deaths of one farm's workers, in words.

    retries: how often a task is tried again that was running where a worker died.
    """

    def __init__(self, members: Members, retries: int) -> None:
        self._members = members
        self.retries = retries

    def outcome(self, worker: int, batch: Batch, job: Job, expired: bool) -> OutcomeRange:
        """Return the failure of the only task in a batch, which is given up with a worker's death.

        expired: whether it had outlived its limit.
        """
        error = (self._late if expired else self._killer)(worker, batch, job)
        frame = failure.pack_lost(error)
        return OutcomeRange(batch.start, batch.stop, False, (frame,), (0,), reproducible=False)

    def _late(self, worker: int, batch: Batch, job: Job) -> errors.TaskTimeout:
        host, index = self._members.host(worker), batch.start + job.first
        words = job.words(batch.start)
        end = f" and did not react within {GRACE_SECONDS:g} s more: its worker has died"
        seconds = job.limit(batch.start) or 0.0
        return errors.timed_out(job.name, seconds, worker, host, index, end, words)

    def _killer(self, worker: int, batch: Batch, job: Job) -> errors.WorkerLost:
        deaths, index = batch.attempts + 1, batch.start + job.first
        host = self._members.host(worker)
        words = job.words(batch.start).rstrip(",")
        error = errors.WorkerLost(
            f"{_workers(deaths)} died running {words}, the last was "
            f"worker {worker} on {host}. Does it need more memory, or crash in C code? "
            "--retries says how often a task is tried again."
        )
        error.rank, error.host, error.function, error.index = worker, host, job.name, index
        return error

    def tell(self, worker: int, given_up: Sequence[Batch], successor: int | None) -> None:
        """Say in one line that a worker has died, and who comes where it was the last."""
        left = self._members.size - len(self._members.lost)
        what = "what it ran is given up" if given_up else "what it held runs elsewhere"
        host = self._members.host(worker)
        after = f"{_workers(left)} left"
        if successor is not None:
            after = f"no worker is left: worker {successor}, on rank 0's host, takes its place"
        logger.warning("worker %d on %s died; %s; %s", worker, host, what, after)

    def of_all(self) -> errors.WorkerLost:
        """Return why nothing can go on where every worker has died."""
        return errors.WorkerLost(f"no worker is left: {self._named()} died")

    def tell_all(self) -> None:
        """Say in one line at the end who has died, if anybody has."""
        if self._members.lost:
            logger.warning("workers were lost: %s", self._named())

    def _named(self) -> str:
        lost = sorted(self._members.lost.items())
        more = f" and {len(lost) - _NAMED} more" if len(lost) > _NAMED else ""
        return ", ".join(f"{worker} on {host}" for worker, host in lost[:_NAMED]) + more


def _workers(count: int) -> str:
    return "1 worker" if count == 1 else f"{count} workers"
