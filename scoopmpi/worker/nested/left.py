"""Nested maps that nobody reads: their tasks run, their iterators are read on in fibers.

`leave` and `came` may be called by any thread and by the garbage collector; all else by the
worker's own thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial

from .maps import NestedMap


class LeftMaps:
    """The open maps of one worker's tasks, and which of them nobody reads.

    opened: told of a map that has tasks which are not started.
    """

    def __init__(self, opened: Callable[[NestedMap], None]) -> None:
        self.open: dict[int, NestedMap] = {}
        self._tasks: set[int] = set()  # their scopes: they may still ask for values
        self._opened = opened
        self._to_read: deque[NestedMap] = deque()

    def during(self, scope: int, work: Callable[[], None]) -> None:
        """Run a task, of this scope."""
        self._tasks.add(scope)
        try:
            work()
        finally:
            self._tasks.discard(scope)

    def leave(self, job: NestedMap) -> None:
        """Nobody takes the values, but the tasks shall run."""
        job.left = True
        self._to_read.append(job)

    def leave_unread(self) -> None:
        """Nobody will ask for values any more, but tasks that have not ended."""
        for job in self.open.copy().values():
            if not (job.asked or job.left or job.scope in self._tasks):
                self.leave(job)

    def came(self, job: NestedMap) -> None:
        """Outcomes have come of a map that was left."""
        self._to_read.append(job)

    def work(self) -> Callable[[], None] | None:
        """Something to do for a fiber, as it may run the user's iterators."""
        return partial(self.read_on, self._to_read.popleft()) if self._to_read else None

    def read_on(self, job: NestedMap) -> None:
        """Throw away what has come, and read the next tasks."""
        over = job.discard()
        if not over and job.refill():
            self._opened(job)
            return
        over = over or job.discard()  # reading may have found the end
        if over and self.open.pop(job.number, None) is not None:
            job.tell()

    @property
    def under_way(self) -> bool:
        """Whether tasks of maps that were left are still to run."""
        return any(job.left for job in self.open.copy().values())
