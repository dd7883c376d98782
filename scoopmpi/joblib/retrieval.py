"""How `Parallel` waits for its next value: by working, where joblib would sleep.

joblib looks a hundred times a second whether there is a value. In a task that would hold the rank
that has to bring it about; anywhere it costs milliseconds. It asks `_wait_retrieval` before each
look, so that is where the waiting is done. Where a joblib has no such question, nothing changes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from joblib.parallel import TASK_PENDING

from .calls_at_work import CallsAtWork

QUESTION = "_wait_retrieval"
UNORDERED_SECONDS = 0.05
"""How often joblib looks at its timeout where values come in any order: it has no clock for it."""


def work_while_waiting(parallel: Any, calls: CallsAtWork) -> None:
    """Have a `Parallel` work while it waits for values."""
    more: Callable[[Any], bool] | None = getattr(type(parallel), QUESTION, None)
    if more is not None:
        setattr(parallel, QUESTION, lambda: _wait(parallel, calls, more))


def _wait(parallel: Any, calls: CallsAtWork, more: Callable[[Any], bool]) -> bool:
    """Return False when no value is to come; else True, when the next one is there."""
    clock = _Clock(parallel)
    calls.tell()
    while more(parallel):
        if parallel._aborting or _there(parallel):
            return True
        left = clock.left()
        if left is not None and not parallel.return_ordered:
            calls.wait(min(left, UNORDERED_SECONDS))
            return more(parallel)
        calls.wait(left)
    return False


def _there(parallel: Any) -> bool:
    jobs = parallel._jobs
    if not parallel.return_ordered:
        return len(jobs) > 0
    return len(jobs) > 0 and jobs[0].status != TASK_PENDING


class _Clock:
    """joblib's timeout: seconds for which a value may be the next one to come."""

    def __init__(self, parallel: Any) -> None:
        self._parallel = parallel
        self._head: Any = None
        self._until = 0.0

    def left(self) -> float | None:
        """Return the seconds until joblib is to look at its timeout; None where it has none."""
        parallel = self._parallel
        if parallel.timeout is None:
            return None
        head = parallel._jobs[0] if parallel._jobs else None
        if head is not self._head or head is None:
            self._head, self._until = head, time.time() + parallel.timeout
        if head is not None:
            head.get_status(parallel.timeout)  # starts its clock, and ends it
        return max(0.001, self._until - time.time())
