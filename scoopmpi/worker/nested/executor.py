"""What tasks talk to on a worker: their maps and calls become nested jobs of this worker.

Depth first: a task that waits runs its own unstarted tasks on top of its stack. Only when others
have them, or the stack is deep, it is suspended, and the worker's loop (the hub) finds other work.
Work spreads by offers: a worker may offer once, the oldest tasks it has not started, and once
more for each `StealRequest` of the farm. So nobody is asked who never offered, and saturated farms
exchange nothing. The invariant: an unstarted task is in exactly one deque or in one `Offered`.

`_pending` is changed by the worker's own thread only; tasks are taken for others with the worker's
lock held, by any thread, and packed without it. How messages travel is the worker's business.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ...concurrency.backoff import poll
from ...tasks import limit
from ...tasks.executor import Executor, MapOptions
from ...tasks.future import Future
from ...tasks.serial import SerialExecutor, SerialValues
from ...tasks.unfinished import Unfinished
from ...wire import errors, failure
from ...wire.messages import Returned
from .away import Away, NestedJob
from .blocked import Watch, deeper_than
from .calls import Call, NestedCalls, packed
from .fibers import Fibers, Suspended
from .left import LeftMaps
from .maps import NestedMap
from .rest import Resting
from .values import NestedValues
from .waiters import Waiters

if TYPE_CHECKING:  # an import is a file that every rank opens
    from ...tasks.constants_backend import ConstantsBackend
    from .port import Port

T = TypeVar("T")

SLICE = 0.001
"""Seconds that a task runs its own tasks before it looks whether others have returned some."""
LOOK = 0.001
"""Seconds between two looks for messages while tasks run tasks. A look costs a microsecond, but
Open MPI yields the core at each where ranks outnumber cores, and others may keep it."""
DEEP = 20
"""Nested tasks on one stack; the next gets a stack of its own. With 10 a recursion of depth 12 took
50 ms instead of 35, as each of its 1024 deepest nodes changed stacks."""


class NestedExecutor(Executor):
    """The executor of the tasks on one worker."""

    def __init__(self, worker: Port) -> None:
        self._worker = worker
        self.fibers = Fibers()
        self._numbers = itertools.count(1)
        self._scopes = itertools.count(1)  # a scope is a task, for its own jobs to be found
        self._scope = 0
        self._depth = 0
        self._pending: list[
            NestedJob
        ] = []  # jobs with unstarted tasks, and some that have none left
        self._away = Away(worker)
        self.revoke, self.ceased = self._away.revoke, self._away.ceased
        self._left = LeftMaps(self.opened)
        self._unfinished = Unfinished()
        self.rest = Resting(worker.send, self._left, (self._unfinished, _serial))
        self._callbacks: deque[Callable[[], None]] = deque()
        self._looked = 0.0
        self._watch = Watch()

    @property
    def unfinished(self) -> Unfinished:
        """Executors of tasks that have something under way."""
        return self._unfinished

    @property
    def constants_backend(self) -> ConstantsBackend:
        """What `shared` speaks to."""
        return self._worker.constants_backend

    # What tasks call.

    def submit(
        self, fn: Callable[..., T], /, *args: Any, task_timeout: float | None = None, **kwargs: Any
    ) -> Future[T]:
        """As `FarmExecutor.submit`; the call runs here when somebody waits for it, or elsewhere."""
        fn = limit.limited(fn, task_timeout)
        if not self._on_own_thread:
            return _serial.submit(fn, *args, task_timeout=limit.NO_LIMIT, **kwargs)
        future = self._future()
        try:
            call = packed(future, fn, args, kwargs)
        except Exception as error:
            future.set_running_or_notify_cancel()
            future.set_exception(failure.call_unpicklable(error, fn))
            return future
        with self._worker.lock:  # nobody takes calls while one is added
            latest = self._pending[-1] if self._pending else None
            if isinstance(latest, NestedCalls) and latest.add(call, self._scope):
                return future
            calls = NestedCalls(next(self._numbers), self._scope)
            calls.add(call, self._scope)
        self.opened(calls)
        return future

    @property
    def fork(self) -> Callable[..., Future[Any]]:
        """As `submit`, for code of ours that changes no arguments; see `Executor.fork`."""
        return self._fork

    def _fork(self, fn: Callable[..., T], /, *args: Any) -> Future[T]:
        """As `submit`, for code of ours that changes no arguments; see `Executor.fork`.

        Cancelled by who takes it back; it is offered at once where tasks are wanted.
        """
        future = self._future()
        calls = NestedCalls(next(self._numbers), self._scope)
        calls.add(Call(future, (fn, args), None), self._scope)
        self.opened(calls)
        self.offer(0)
        return future

    def values(
        self, fn: Callable[..., Any], iterables: Sequence[Iterable[Any]], options: MapOptions
    ) -> NestedValues | SerialValues:
        """As `FarmExecutor.values`; tasks run here when their values are taken, or elsewhere."""
        if not self._on_own_thread:
            return _serial.values(fn, iterables, options)
        deadline = options.deadline()
        fn = limit.limited(fn, options.task_timeout)
        ahead = 4 * self._worker.workers
        job = NestedMap(next(self._numbers), self._scope, fn, iterables, ahead, options.ordered)
        self._left.open[job.number] = job
        self.opened(job)
        return NestedValues(self, job, deadline)

    def wait_until(self, done: Callable[[], bool], timeout: float | None = None) -> bool:
        """Run the task's own jobs, or let others run, until `done()`; False after `timeout`."""
        if not self._on_own_thread:
            return poll(done, timeout)
        deadline = None if timeout is None else time.monotonic() + timeout
        if timeout is not None:
            self._look(0)
        while not done():
            if deadline is not None and time.monotonic() >= deadline:
                return False
            job = self._own_pending()
            if job is not None and self.shallow:
                self.advance(job)
            else:
                self.suspend(done, deadline)
        return True

    # Running nested jobs.

    scope = property(lambda self: self._scope)
    """Of the task that runs, or of a few of one map in a row."""

    @property
    def shallow(self) -> bool:
        """Whether one more task may run on top of this stack."""
        return self._depth < DEEP and not deeper_than(sys.getrecursionlimit() // 4)

    def advance(self, job: NestedJob) -> None:
        """Run some unstarted tasks of a job here and now."""
        if self.idle_workers:
            self.offer(1)
        scope, self._scope = self._scope, next(self._scopes)
        self._depth += 1
        waiting = limit.set_aside()
        try:
            run = partial(self.fibers.apart, job.run, time.monotonic() + SLICE)
            self._left.during(self._scope, run)
        finally:
            limit.go_on(waiting)
            self._worker.task_ended()
            self._scope = scope
            self._depth -= 1
        if isinstance(job, NestedMap) and job.left:
            self._left.read_on(job)
        self._look(LOOK)

    def suspend(self, done: Callable[[], bool], deadline: float | None) -> None:
        """Let the worker do other things until `done()` or the deadline."""
        fiber = self.fibers.inside()
        if fiber is None:  # a __del__ of the user's, run by the garbage collector in the hub
            poll(done, 0 if deadline is None else deadline - time.monotonic())
            raise errors.TaskError("only a task can wait for tasks")
        scope, depth, begun = self._scope, self._depth, time.monotonic()
        waiting = limit.set_aside()
        running = self._worker.suspending()
        self.fibers.suspend(Suspended(fiber, done, deadline))
        self._scope, self._depth = scope, depth
        limit.go_on(waiting)
        self._worker.resumed(running, time.monotonic() - begun)

    def opened(self, job: NestedJob) -> None:
        """A job has tasks that are not started, the first ones or more."""
        pending = self._pending
        self._drop_empty()
        idle = not pending
        if idle or pending[-1] is not job:
            pending.append(job)
        if self.idle_workers:
            self.offer(1)
        if idle and job.rows:
            self._worker.nudge()

    def abandon(self, job: NestedMap) -> None:
        """Nobody wants the rest. May be called by the garbage collector at any point."""
        self._left.open.pop(job.number, None)
        job.rows.clear()
        self._away.abandon(job.number)

    def leave(self, job: NestedMap) -> None:
        """Nobody takes the values, but the tasks shall run. For the garbage collector."""
        self._left.leave(job)

    def settled(self, job: NestedMap) -> bool:
        """Whether no task of it is to run, or runs, any more, here or elsewhere."""
        return not (job.number in self._away or job.rows or job.running)

    # What the worker's loop calls.

    def work(self) -> Callable[[], None] | None:
        """Something to do for a fiber, None where there is nothing."""
        if self._callbacks:
            return self._callbacks.popleft()
        if (read_on := self._left.work()) is not None:
            return read_on
        self._drop_empty()
        for job in reversed(self._pending):
            if job.rows:
                return lambda: self.advance(job)
        return self.rest.work()

    def start(self, work: Callable[[], None]) -> None:
        """Run it in a fiber until it is done or waits."""
        self._scope, self._depth = next(self._scopes), 0
        self.fibers.run(partial(self._left.during, self._scope, work))

    def returned(self, message: Returned) -> None:
        """Outcomes of tasks that others have run; with the worker's lock held."""
        found = self._away.returned(message)
        if found is None:
            return
        job, part = found
        if isinstance(job, NestedCalls):
            self._callbacks.append(partial(job.returned, part))
            return
        job.arrived(part)
        if job.left:
            self._left.came(job)

    @property
    def unsettled(self) -> bool:
        """Whether there are tasks that others could run or have, or callbacks to call."""
        if self._away or self._callbacks:
            return True
        return any(job.rows for job in self._pending.copy())

    def rescue(self) -> None:
        """Called by another thread while a task blocks this one in a way of its own (asyncio).

        What it may wait for is done here: callbacks, and calls that nobody else takes.
        """
        while self._callbacks:
            self._callbacks.popleft()()
        for job in self._pending.copy():
            if isinstance(job, NestedCalls) and job.rows:
                job.run(0.0)

    @property
    def blocked(self) -> bool:
        """Whether the worker's own thread waits, maybe for its task's own calls, without us."""
        return self._watch.waits or (self._watch.asleep and self._waited_for)

    @property
    def _waited_for(self) -> bool:
        """Whether what runs may wait for calls of its own."""
        if self._callbacks:
            return True
        jobs = [job for job in self._pending.copy() if job.rows]
        return any(job.scope == self._scope for job in (*jobs, *self._away.jobs.copy().values()))

    def offer(self, keep: int) -> None:
        """Give tasks to others, if some are wanted; `keep` so many of the newest job."""
        self._away.offer(self._pending, keep)

    @property
    def idle_workers(self) -> int:
        """Workers known to have nothing to do, to be offered tasks once; 0: wait to be asked."""
        return self._away.idle_workers

    @idle_workers.setter
    def idle_workers(self, workers: int) -> None:
        self._away.idle_workers = workers

    def _future(self) -> Future[Any]:
        future: Future[Any] = Future()
        future.driver = self
        future._waiters = Waiters(self)
        return future

    def _drop_empty(self) -> None:
        pending = self._pending
        while pending and not pending[-1].rows:
            pending.pop()

    def _own_pending(self) -> NestedJob | None:
        self._drop_empty()
        for job in reversed(self._pending):
            if job.rows and job.scope == self._scope:
                return job
        return None

    def _look(self, interval: float) -> None:
        now = time.monotonic()
        if now - self._looked > interval:
            self._looked = now
            with self._worker.lock:
                self._worker.receive()
            if self.idle_workers and self._pending:
                self.offer(1)

    @property
    def _on_own_thread(self) -> bool:
        """Threads that a task has made are not the worker's to suspend: they work in place."""
        return self._watch.own


_serial = SerialExecutor()
