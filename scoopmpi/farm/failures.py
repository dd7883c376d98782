"""Workers that die: whose task is given up, and what the user is told. Decisions, no messages."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ..concurrency.periods import GRACE_SECONDS
from ..scheduling.ranges import Batch
from ..tasks.outcomes import OutcomeRange
from ..wire import errors, failure
from .members import Members

if TYPE_CHECKING:
    from .dispatch import Job

logger = logging.getLogger("scoopmpi")


class Failures:
    """What follows from the deaths of workers.

    retries: how often a task is tried again that was running where a worker died.
    """

    def __init__(self, members: Members, retries: int) -> None:
        self._members = members
        self._retries = retries

    def given_up(self, blamed: Sequence[Batch], overdue: Batch | None = None) -> list[Batch]:
        """Single tasks with which too many workers have died.

        Of several nobody knows which began: they get one more turn, alone. overdue: the one that
        has outlived its limit, which would only do so again.
        """
        most = self._retries + (len(blamed) > 1)
        return [
            batch for batch in blamed
            if batch.tasks == 1 and (batch == overdue or batch.attempts >= most)
        ]  # fmt: skip

    def outcomes(
        self,
        worker: int,
        given_up: Sequence[Batch],
        jobs: Mapping[int, Job],
        overdue: Batch | None = None,
    ) -> Iterator[tuple[int, Job, OutcomeRange]]:
        """The failures of tasks that are given up, with their jobs."""
        for batch in given_up:
            if batch.job in jobs:
                late = batch == overdue
                part = self._outcome(worker, batch, jobs[batch.job], late)
                yield batch.job, jobs[batch.job], part

    def _outcome(self, worker: int, batch: Batch, job: Job, late: bool) -> OutcomeRange:
        error = (self._late if late else self._killer)(worker, batch, job)
        return OutcomeRange(
            batch.start, batch.stop, False, (failure.pack_lost(error),), (0,), False
        )

    def _late(self, worker: int, batch: Batch, job: Job) -> errors.TaskTimeout:
        name, index = _task(batch, job)
        end = f" and did not react within {GRACE_SECONDS:g} s more: its worker has died"
        seconds = job.limit(batch.start) or 0.0
        return errors.timed_out(name, seconds, worker, self._members.host(worker), index, end)

    def _killer(self, worker: int, batch: Batch, job: Job) -> errors.WorkerLost:
        deaths, (name, index) = batch.attempts + 1, _task(batch, job)
        host = self._members.host(worker)
        error = errors.WorkerLost(
            f"{_workers(deaths)} died running task {index} of {name}, the last was "
            f"worker {worker} on {host}. Does it need more memory, or crash in C code? "
            "--retries says how often a task is tried again."
        )
        error.rank, error.host, error.function, error.index = worker, host, name, index
        return error

    def tell(self, worker: int, given_up: Sequence[Batch]) -> None:
        """One line for each loss."""
        left = self._members.size - len(self._members.lost)
        what = "what it ran is given up" if given_up else "what it held runs elsewhere"
        host = self._members.host(worker)
        logger.warning("worker %d on %s died; %s; %s left", worker, host, what, _workers(left))

    def of_all(self) -> errors.WorkerLost:
        """Why nothing can go on."""
        return errors.WorkerLost(
            "no worker is left: " + ", ".join(
                f"{worker} on {host}" for worker, host in sorted(self._members.lost.items())
            ) + " died"
        )  # fmt: skip

    def tell_all(self) -> None:
        """One line at the end, where somebody died."""
        lost = ", ".join(f"{worker} on {host}" for worker, host in self._members.lost.items())
        if lost:
            logger.warning("workers were lost: %s", lost)


def _task(batch: Batch, job: Job) -> tuple[str, int]:
    """The function and the index of the only task in a batch."""
    function = job.function
    return "a submitted call" if function is None else function.name, batch.start + job.first


def _workers(count: int) -> str:
    return "1 worker" if count == 1 else f"{count} workers"
