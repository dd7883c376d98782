"""The worker's side of nested jobs: what its loop and its progress thread ask of them.

The hub is the loop's own greenlet, and runs nothing of the user's: what does is returned as
something to run in a fiber. Here the parts are joined: where nested tasks run (`depth_first`), how
they spread (`work_sharing`), maps that nobody reads, and the end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Set
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from ...tasks.pedigree import Program, Strand, program
from ...tasks.serial import SerialExecutor
from ...tasks.unfinished import Unfinished
from ...wire.messages import Returned
from .depth_first import DepthFirst
from .finishing import Finishing
from .pending import PendingJobs
from .unread_maps import UnreadMaps
from .work_sharing import WorkSharing

if TYPE_CHECKING:
    from .port import Port


class Hub:
    """The nested jobs of one worker.

    lock: the worker's.
    workers: how many there are in all.
    """

    def __init__(self, port: Port, lock: AbstractContextManager[Any], workers: int) -> None:
        self.lock, self.workers = lock, workers
        self._port = port
        self.pending = PendingJobs()
        self.sharing = WorkSharing(port.send, lock, self.pending, workers)
        self.tasks = DepthFirst(
            port, self.pending, self.sharing, lambda job: self.maps.read_on(job)
        )
        self.maps = UnreadMaps(self.tasks, self.sharing)
        self.unfinished = Unfinished()
        """Executors of tasks that have something under way."""
        self.serial = SerialExecutor()
        """For threads that tasks have made: not the worker's to suspend, they work in place."""
        executors = self.unfinished, self.serial
        self.finishing = Finishing(port.send, self.maps, executors, lambda: self.calls_left)
        self._callbacks: deque[Callable[[], None]] = deque()

    # The worker's own thread.

    @property
    def strand(self) -> Strand | Program:
        """Who runs; of a callback nobody can say whose task it is part of."""
        strand = self.tasks.strand or self._port.strand
        return program if strand is None else strand.inner or strand

    def work(self) -> Callable[[], None] | None:
        """Return something to do in a fiber, None where there is nothing."""
        if self._callbacks:
            return self._callbacks.popleft()
        if (read_on := self.maps.work()) is not None:
            return read_on
        if (job := self.pending.newest()) is not None:
            return lambda: self.tasks.advance(job)
        return self.finishing.work()

    def ready(self) -> Callable[[], None] | None:
        """Return what goes on with a task that has waited and need not any more."""
        suspended = self.tasks.fibers.ready()
        return None if suspended is None else suspended.fiber.switch

    def report(self) -> None:
        """Tell the farm what was abandoned, and what is finished; with the worker's lock held."""
        self.sharing.revoke()
        self.finishing.look()

    def close(self) -> None:
        """Leave off: what waits never goes on."""
        self.tasks.fibers.close()

    def returned(self, message: Returned) -> None:
        """Take in outcomes of tasks that others have run; with the worker's lock held."""
        job = self.sharing.job_of(message)
        if job is None:
            return
        callback = job.returned(message)
        self.sharing.returned(job)
        if callback is not None:
            self._callbacks.append(callback)
        elif job.unread:
            self.maps.came(job)

    def give_up(self, groups: Set[int]) -> None:
        """Have nothing begin any more of what tasks of these groups have made, and have those that
        wait for it hear of that; with the worker's lock held, by any thread.

        groups: all that were given up until now, and will be.
        """
        self.tasks.given_up = groups
        if self.pending.unstarted() or self.maps.under_way:
            self._callbacks.append(self._end_given_up)  # it may call callbacks of futures

    def _end_given_up(self) -> None:
        for job in self.pending.unstarted():
            job.give_up(self.tasks.given_up)
        self.maps.give_up()

    # Other threads.

    @property
    def unsettled(self) -> bool:
        """True where there are tasks that others could run or have, or callbacks to call."""
        return bool(self.sharing or self._callbacks or self.pending.unstarted())

    @property
    def calls_left(self) -> bool:
        """True where calls of a task that has ended are to run, or run, that somebody may want.

        One that was given up may go on, where it runs in a thread or is in code in C.
        """
        jobs = (*self.pending.unstarted(), *self.sharing.elsewhere(), *self.tasks.running())
        return any(
            job.any_thread
            and not self.tasks.unended(job.scope)
            and job.group not in self.tasks.given_up
            for job in jobs
        )

    @property
    def waited_for(self) -> bool:
        """True where the task that runs may wait for tasks of its own."""
        scope = self.tasks.scope
        if self._callbacks or self.sharing.of_scope(scope):
            return True
        return any(job.scope == scope for job in self.pending.unstarted())

    def run_calls(self) -> None:
        """Run what a task that blocks the worker's own thread may wait for.

        These are callbacks, and calls that nobody else takes; called by another thread.
        """
        while self._callbacks:
            self._callbacks.popleft()()
        for job in self.pending.unstarted():
            if job.any_thread and job.rows:
                job.run(0.0, Strand())
