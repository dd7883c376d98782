"""The deadline of the task that runs, in memory that a worker shares with its supervisor.

The worker writes it where a task with a limit begins; the supervisor looks when it has passed by
its grace, and not before: it sleeps otherwise, and is woken only where it would look too late.
Cells: the deadline, the limit in seconds, when the supervisor will look. No signals and no
processes here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..concurrency.periods import GRACE_SECONDS, SUPERVISOR_LATE_SECONDS

CELLS = 3
NEVER = math.inf


class Deadline:
    """Holds a deadline in shared cells; the time is `time.monotonic()`, one for all of a host.

    memory: 24 bytes. wake: has the supervisor look at once, called by the worker.
    """

    def __init__(self, memory: Any, wake: Callable[[], None]) -> None:
        self._cells = memoryview(memory).cast("d")
        self._wake = wake
        self._planned = -NEVER  # when this supervisor meant to look
        for cell in range(CELLS):
            self._cells[cell] = NEVER

    # The worker.

    def begins(self, deadline: float, seconds: float) -> None:
        """Note that a task runs which has to end until `deadline`; its limit is so many seconds."""
        cells = self._cells
        cells[1] = seconds
        cells[0] = deadline
        if deadline + GRACE_SECONDS < cells[2]:
            cells[2] = deadline + GRACE_SECONDS
            self._wake()

    def ends(self) -> None:
        """Note that no task with a limit runs."""
        self._cells[0] = NEVER

    # The supervisor.

    def look(self, now: float) -> float | None:
        """Return the seconds until the next look, None until it is woken, 0.0: kill the worker."""
        cells = self._cells
        due = cells[0] + GRACE_SECONDS
        if due == NEVER:
            cells[2] = self._planned = NEVER
            due = cells[0] + GRACE_SECONDS  # of a task that saw the plan that has just been dropped
            if due == NEVER:
                return None
        if now >= due and now - self._planned < SUPERVISOR_LATE_SECONDS:
            return 0.0
        wait = due - now if now < due else GRACE_SECONDS
        cells[2] = self._planned = now + wait
        return wait

    @property
    def seconds(self) -> float:
        """The limit in seconds of the task that ran last."""
        return self._cells[1]
