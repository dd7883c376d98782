"""How long each worker has been silent with a task that has a limit: facts for a worker's death.

A worker that reacts to a limit answers in time; one that cannot is killed by its own supervisor.
So a task whose worker dies after such a silence has outlived its limit. What follows from that is
not decided here (`scheduling.retries`).
"""

from __future__ import annotations

import time
from typing import Any

from ..concurrency.periods import GRACE_SECONDS
from ..scheduling.ranges import Batch
from ..scheduling.scheduler import Scheduler
from ..wire.messages import Lost, Printed
from .jobs import Jobs

SLACK = 1.0
"""Seconds that a worker may have been heard of after its task began: a batch's budget, at most."""
_NO_SIGNS = frozenset({Printed, Lost})
"""A print comes while a task goes on, a loss is no sign of life."""


class Silences:
    """Since when the workers of one farm have had a batch and said nothing."""

    def __init__(self, scheduler: Scheduler, jobs: Jobs) -> None:
        self._scheduler, self._jobs = scheduler, jobs
        self._since: dict[int, float] = {}
        self.watching = False
        """True from the first task with a limit on; before, nothing is noted."""

    def given(self, worker: int, limit: float | None) -> None:
        """Note that a batch was sent, whose first task may take so many seconds."""
        self.watching = self.watching or limit is not None
        if self.watching and len(self._scheduler.held(worker)) == 1:
            self._since[worker] = time.monotonic()

    def heard(self, worker: int, message: Any) -> None:
        """Note that a message has come."""
        if type(message) not in _NO_SIGNS:
            self._since[worker] = time.monotonic()

    def expired(self, worker: int) -> Batch | None:
        """Return the single task that a dead worker ran, if that task has outlived its limit."""
        batch = self._scheduler.running(worker) if self._scheduler.knows(worker) else None
        if batch is None or batch.tasks > 1 or batch.job not in self._jobs.open:
            return None
        limit = self._jobs.open[batch.job].limit(batch.start)
        since = self._since.get(worker)
        if (
            limit is None
            or since is None
            or time.monotonic() - since < limit + GRACE_SECONDS - SLACK
        ):
            return None
        return batch
