"""Where a worker runs nested tasks: depth first, on top of the stack of the task that waits.

A task that waits runs its own unstarted tasks, the newest job first. Only when others have them,
or the stack is deep, it is suspended, and the worker's loop (the hub) finds other work. All here is
called by the worker's own thread.
"""

from __future__ import annotations

import itertools
import sys
import threading
import time
from collections.abc import Callable, Container
from typing import TYPE_CHECKING, Any

from ...concurrency.backoff import poll
from ...tasks import limit
from ...tasks.pedigree import Strand
from ...wire import errors
from .fibers import Fibers, Suspended

if TYPE_CHECKING:
    from .pending import PendingJobs
    from .port import NestedJob, Port
    from .spans import NestedSpans
    from .work_sharing import WorkSharing

SLICE = 0.001
"""Seconds that a task runs its own tasks before it looks whether others have returned some."""
GIVEN_UP = "given up: nobody waits for this task any more"
LOOK = 0.001
"""Seconds between two looks for messages while tasks run tasks. A look costs a microsecond, but
Open MPI yields the core at each where ranks outnumber cores, and others may keep it."""
DEEP = 20
"""Nested tasks on one stack; the next gets a stack of its own. With 10 a recursion of depth 12 took
50 ms instead of 35, as each of its 1024 deepest nodes changed stacks."""


class DepthFirst:
    """Runs the nested tasks of one worker.

    read_on: told of an unread map, of which tasks have run, for the next ones to be read.
    """

    def __init__(
        self,
        port: Port,
        pending: PendingJobs,
        sharing: WorkSharing,
        read_on: Callable[[Any], None],
    ) -> None:
        self.fibers = Fibers()
        self.scope = 0
        """The task that runs, or a few of one map in a row: their own jobs are found by it."""
        self.strand: Strand | None = None
        """Says who that is, where it is a nested task; else its batch knows."""
        self.given_up: Container[int | None] = ()
        """The groups of work that nobody wants any more."""
        self.spans: NestedSpans | None = None
        """Takes note of when nested tasks run, where somebody watches the run."""
        self._port, self._pending, self._sharing, self._read_on = port, pending, sharing, read_on
        self._own_thread = threading.get_ident()
        self._scopes = itertools.count(1)
        self._unended: dict[int, NestedJob | None] = {}  # scopes of tasks that run or wait
        self._depth = 0
        self._looked = 0.0

    def opened(self, job: NestedJob) -> None:
        """Take note of a job with unstarted tasks, the first ones or more."""
        idle = self._pending.add(job)
        if self._sharing.idle_workers:
            self._sharing.offer(1)
        if idle and job.rows:
            self._port.nudge()

    @property
    def shallow(self) -> bool:
        """True where one more task may run on top of this stack."""
        return self._depth < DEEP and not _deeper_than(sys.getrecursionlimit() // 4)

    def advance(self, job: NestedJob) -> None:
        """Run some unstarted tasks of a job here and now."""
        if self._sharing.idle_workers:
            self._sharing.offer(1)
        outer, scope, strand = self.scope, next(self._scopes), self.strand
        self.scope, self.strand = scope, Strand()
        self._unended[scope] = job
        self._depth += 1
        waiting = limit.set_aside()
        spans = self.spans
        frame = None if spans is None else spans.begin(job, self.strand)
        try:
            self.fibers.apart(job.run, time.monotonic() + SLICE, self.strand)
        finally:
            if spans is not None and frame is not None:
                spans.end(frame)
            self._unended.pop(scope, None)
            limit.go_on(waiting)
            self._port.task_ended()
            self.scope, self.strand = outer, strand
            self._depth -= 1
        if job.unread:
            self._read_on(job)
        self._look(LOOK)

    def start(self, work: Callable[[], None]) -> None:
        """Run a task of the farm, or what else may wait, in a fiber until it is done or waits."""
        scope = self.scope = next(self._scopes)
        self.strand = None
        self._depth = 0

        def task() -> None:
            self._unended[scope] = None
            try:
                work()
            finally:
                self._unended.pop(scope, None)

        self.fibers.run(task)

    def unended(self, scope: int) -> bool:
        """Return True for a task that has not ended: it may still ask for values."""
        return scope in self._unended

    def running(self) -> list[NestedJob]:
        """Return the jobs of which tasks run or wait; for any thread."""
        return [job for job in self._unended.copy().values() if job is not None]

    def wait_until(self, done: Callable[[], bool], timeout: float | None = None) -> bool:
        """Run the task's own jobs, or let others run, until `done()`.

        Returns False after `timeout` seconds. A thread that a task has made only waits.
        """
        if threading.get_ident() != self._own_thread:
            return poll(done, timeout)
        deadline = None if timeout is None else time.monotonic() + timeout
        if timeout is not None:
            self._look(0)
        while not done():
            if deadline is not None and time.monotonic() >= deadline:
                return False
            job = self._pending.newest_of(self.scope)
            if job is not None and self.shallow:
                self.advance(job)
            else:
                self._suspend(done, deadline)
        return True

    def _suspend(self, done: Callable[[], bool], deadline: float | None) -> None:
        """Let the worker do other things until `done()` or the deadline."""
        fiber = self.fibers.inside()
        if fiber is None:  # a __del__ of the user's, run by the garbage collector in the hub
            poll(done, 0 if deadline is None else deadline - time.monotonic())
            raise errors.TaskError("only a task can wait for tasks")
        scope, depth, strand, begun = self.scope, self._depth, self.strand, time.monotonic()
        group = self._group
        given_up = None if group is None or group in self.given_up else group
        until = done if given_up is None else self._or_given_up(done, given_up)
        waiting = limit.set_aside()
        spans = self.spans  # of nested tasks are within those of their batch
        frames = None if spans is None else spans.set_aside()
        batch = self._port.suspend()
        self.fibers.suspend(Suspended(fiber, until, deadline))
        self.scope, self._depth, self.strand = scope, depth, strand
        limit.go_on(waiting)
        self._port.resume(batch, time.monotonic() - begun)
        if spans is not None and frames is not None:
            spans.go_on(frames)
        if given_up in self.given_up and not done():
            raise KeyboardInterrupt(GIVEN_UP)

    def _or_given_up(self, done: Callable[[], bool], group: int) -> Callable[[], bool]:
        return lambda: group in self.given_up or done()

    @property
    def _group(self) -> int | None:
        """The group that the running task belongs to."""
        strand = self.strand or self._port.strand
        return None if strand is None else (strand.inner or strand).origin[4]

    def _look(self, interval: float) -> None:
        """Take in messages, if the last look is so many seconds ago."""
        now = time.monotonic()
        if now - self._looked > interval:
            self._looked = now
            self._port.receive()
            if self._sharing.idle_workers and self._pending:
                self._sharing.offer(1)


def _deeper_than(frames: int) -> bool:
    """Return True where the caller's stack has more frames."""
    try:
        sys._getframe(frames)
    except ValueError:
        return False
    return True
