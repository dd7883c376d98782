"""Nested maps whose values are still to come, and those that nobody reads: their tasks run all the
same, and their iterators are read on in fibers.

`abandon`, `leave` and `came` may be called by any thread and by the garbage collector; all else by
the worker's own thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .depth_first import DepthFirst
    from .maps import NestedMap
    from .work_sharing import WorkSharing


class UnreadMaps:
    """The open maps of one worker's tasks, and which of them nobody reads."""

    def __init__(self, tasks: DepthFirst, sharing: WorkSharing) -> None:
        self._tasks, self._sharing = tasks, sharing
        self._open: dict[int, NestedMap] = {}
        self._to_read: deque[NestedMap] = deque()
        self._told: set[str] = set()  # functions whose failures have been told

    def add(self, job: NestedMap) -> None:
        """Take note of a new map, before its first tasks can run."""
        self._open[job.number] = job

    def abandon(self, job: NestedMap) -> None:
        """Drop the rest of a map: nobody wants it."""
        self._open.pop(job.number, None)
        job.rows.clear()  # first: who takes some at this moment has registered the map by then
        self._sharing.abandon(job.number)

    def leave(self, job: NestedMap) -> None:
        """Have all tasks of a map run, although nobody takes the values."""
        if job.group in self._tasks.given_up:
            self.abandon(job)
            return
        job.leave()
        self._to_read.append(job)

    def give_up(self) -> None:
        """Drop the unread maps of groups that were given up: nobody wants them run."""
        for job in self._open.copy().values():
            if job.unread and job.group in self._tasks.given_up:
                self.abandon(job)

    def leave_all(self) -> None:
        """Leave all maps whose values nobody will ask for, as their task has ended."""
        for job in self._open.copy().values():
            if not (job.asked or job.unread or self._tasks.unended(job.scope)):
                self.leave(job)

    def came(self, job: Any) -> None:
        """Take note of outcomes of an unread job: it is a map, as no other job is ever unread."""
        self._to_read.append(job)

    def settled(self, job: NestedMap) -> bool:
        """Return True where no task of a map is to run, or runs, any more, here or elsewhere."""
        return not (self._sharing.have(job.number) or job.rows or job.running)

    def work(self) -> Callable[[], None] | None:
        """Return something to do in a fiber, as it may run the user's iterators."""
        return partial(self.read_on, self._to_read.popleft()) if self._to_read else None

    def read_on(self, job: NestedMap) -> None:
        """Throw away what has come of an unread map, and read the next tasks."""
        if job.number not in self._open:
            return  # it was given up
        over = job.discard()
        if not over and job.refill():
            self._tasks.opened(job)
            return
        over = over or job.discard()  # reading may have found the end
        known = over and self._open.pop(job.number, None) is not None
        if known and job.group not in self._tasks.given_up:
            job.tell(self._told)

    @property
    def under_way(self) -> bool:
        """True where tasks of unread maps are still to run."""
        return any(job.unread for job in self._open.copy().values())
