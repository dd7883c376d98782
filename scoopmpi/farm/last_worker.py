"""What comes in the place of a farm's last worker when it dies: one more, as long as that helps.

The promise: where single tasks kill their workers, these fail and every other caller gets its
value, however few workers there are. So the last worker has a successor, a process on rank 0's
host, and that one too. It is not for farms of which hundreds die, as one process would keep the
hosts of all; nor where one dies after the other and nothing gets done, or they cannot even import
the program: no single task is to blame for that. How such a process starts is not known here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from ..scheduling.scheduler import Scheduler
from .members import Members

MOST_WORKERS = 64
"""In whose place one process works on: those of a host or two, whose batch job is no great loss."""
TASKS_IN_VAIN = 8
"""One after the other that kill all workers they may: then it is not the tasks."""

logger = logging.getLogger("scoopmpi")


class LastWorker:
    """Decides when the last worker of one farm has a successor.

    start: starts a further worker and returns its rank; None where that is not possible.
    retries: how often a task is tried again that was running where a worker died.
    """

    def __init__(
        self,
        members: Members,
        scheduler: Scheduler,
        start: Callable[[], int] | None,
        retries: int,
    ) -> None:
        self._members, self._scheduler, self._start = members, scheduler, start
        self._patience = TASKS_IN_VAIN * (retries + 1)
        self._in_vain = self._unjoined = self._answered = 0

    def successor(self, worker: int) -> int | None:
        """Start one where a worker that has died was the last; return its rank, None for none."""
        members = self._members
        if self._start is None or not members.none_left or members.started > MOST_WORKERS:
            return None
        answered = self._scheduler.answered
        self._in_vain = 0 if answered > self._answered else self._in_vain + 1
        self._answered = answered
        self._unjoined = 0 if members.has_joined(worker) else self._unjoined + 1
        if self._in_vain >= self._patience or self._unjoined > 1:
            return None
        try:
            rank = self._start()
        except OSError as problem:
            logger.warning("no other worker can be started: %s", problem)
            return None
        members.one_more()
        return rank
