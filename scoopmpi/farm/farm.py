"""Rank 0's loop: facts to the scheduler, its assignments to the workers, outcomes to the jobs.

The way of one task, `futures.map(square, range(10000))`:

    user's program        rank 0                                        worker (rank >= 1)

    futures.map --------> MapJob: function packed once, a window of
                          tasks released
                            | submitted(job, count)
                            v
                          Scheduler ---> Assignment(worker, batch)
                            ^              | MapJob.packed(batch)
                            |              v
                            |            Run(...)  -- MPI_Isend ------> unpack, run, pack, time;
                            |                                           past its budget: give the
                            | finished(worker, batch, seconds)          unstarted rest back
                          Farm.step <----------------- MPI_Isend ------ Finished(...)
                            |   1. feeds the worker again
                            |   2. MapJob.delivered(part)
                            v
    next(iterator) <----- the caller unpacks the part and gets values in order

A task's own map goes the same way from Offered on, a message by which its worker offers tasks that
it has not started; their outcomes go back to that worker (`nests`).

Here live the loop and who drives it, not decisions (`scheduler`), pickles (`job`) or MPI
(`transport`). A caller who waits drives the loop itself, else a progress thread does (`driver`).
Every touch of transport and scheduler is in `_section`; what runs the user's code (callbacks,
pickling, iterators) is not.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial

from ..concurrency.periods import JOIN_SECONDS
from ..concurrency.signal_lock import SignalLock
from ..constants.sharing import FarmSharing
from ..output.console import has_said, held, show
from ..scheduling import batching
from ..scheduling.scheduler import Scheduler
from ..tasks.outcomes import OutcomeRange
from ..tasks.packed import Function
from ..tasks.unfinished import Unfinished
from ..wire import messages
from ..wire.errors import FarmError
from ..wire.messages import Frame
from ..wire.transport import Transport
from .callback_queue import CallbackQueue
from .calls import Call, CallStream
from .closing import all_left
from .dispatch import Dispatch
from .driver import PATIENCE, Driver
from .failures import Failures
from .map_job import MapJob
from .members import Members
from .offers import Offers
from .relay import Relay
from .resting import Ending, Resting
from .router import Router
from .unread import Unread

logger = logging.getLogger("scoopmpi")

BURST = 64
"""Messages handled before a waiting caller looks whether it has what it waits for."""


class Farm:
    """The jobs of one program and the workers that run them."""

    def __init__(
        self,
        transport: Transport,
        policy: batching.Policy = batching.Policy(),
        progress_thread: bool = True,
        retries: int = 2,
    ) -> None:
        self._transport = transport
        self._scheduler = Scheduler(policy)
        self._lock = SignalLock()
        self._callbacks = CallbackQueue(show, held)  # to be handed over by who drives
        self.sharing = FarmSharing(transport.send)
        store = self.sharing.store
        self._dispatch = Dispatch(transport, self._scheduler, self._lock, lambda: store.count)
        self._jobs = self._dispatch.jobs
        self.reconfigured = self._dispatch.reconfigured
        self._abandoned: deque[int] = deque()
        self._unread = Unread(self._jobs, self.release, self.abandon, threads=progress_thread)
        self.members = Members(transport.size - 1, self._callbacks.printed, has_said)
        self._failures = Failures(self.members, retries)
        self._offers = Offers()
        self._relay = Relay(transport, self._scheduler, self._dispatch, self._offers)
        self._resting = Resting(self.members, transport.send)
        self._router = Router(
            self._scheduler, self._dispatch, self._relay, self.members, self._failures,
            self.sharing, self._callbacks, self._resting, self._deliver, self.fail,
        )  # fmt: skip
        self._calls = CallStream()
        self._calls_number = self._dispatch.opened(self._calls)
        self._fresh_calls = 0
        self._looked = 0.0
        self._closed = False
        self.error: BaseException | None = None
        self.interruption: BaseException | None = None
        """What a signal has raised in the program, the latest one."""
        self.unfinished = Unfinished()
        self._driver = Driver(self.step, self._scheduler, lambda: self.busy, progress_thread)

    # What callers ask for.

    def wait_for_first_worker(self) -> None:
        """Until a worker has joined it is unknown which functions must travel by value.

        Raises FarmError where no worker can take part.
        """
        if self.members.names is None:
            self.wait_until(lambda: self.members.names is not None or self.error is not None)
        if self.error is not None:
            raise self.error

    def share(self, frames: Mapping[str, Frame]) -> None:
        """Set constants for all later tasks. Raises TypeError for a name that is set already."""
        self.wait_until(lambda: not self.members.importing or self.error is not None, JOIN_SECONDS)
        with self._lock:
            self.sharing.set(frames)

    def open_map(self, job: MapJob, function: Function) -> int:
        """Start a map; its number is for `release` and `abandon`."""
        with self._lock:
            number = self._dispatch.opened(job, function)
        if self.error is not None:  # the last worker died while the function was packed
            job.failed(self.error)
        try:
            self.release(number, job)
        except BaseException:  # of the user's iterator
            self.abandon(number)
            raise
        return number

    def release(self, number: int, job: MapJob) -> None:
        """Hand out as many more tasks of a map as its window allows."""
        spans = job.releasable()
        for tasks, known in spans:
            with self._lock:
                if number in self._jobs:
                    tell = self._scheduler.known if known else self._scheduler.submitted
                    self._dispatch.assigned(tell(number, tasks))
            if known and job.left:
                self._callbacks.add(partial(self._unread.go_on, number, job))
        if spans:
            self._dispatch.pack_and_send()
        self._driver.wake()

    def submit(self, call: Call) -> None:
        """One call that is to be run."""
        with self._lock:
            self._calls.add(call)
            self._fresh_calls += 1
            if self.error is not None:
                self._callbacks.add(partial(self._calls.failed, self.error))
            if self._scheduler.idle:  # else they are gathered until the next look
                self._submit_calls()
            now = time.monotonic()
            if now - self._looked > PATIENCE:
                # Thousands of submits in a row must not starve the workers. But the caller may
                # hold locks of its own: callbacks and packing are left to who waits, or stands in.
                self._take_in()
                if not self._dispatch and len(self._callbacks) < BURST:
                    self._driver.driven = (
                        now  # the progress thread would only fight for the interpreter
                    )
        self._driver.wake()

    def _submit_calls(self) -> None:
        """Tell the scheduler of the calls that came while no worker had room, all in one."""
        count, self._fresh_calls = self._fresh_calls, 0
        self._dispatch.assigned(self._scheduler.submitted(self._calls_number, count))

    def interrupt(self, error: BaseException) -> None:
        """Called by a signal handler: raises the error in the program, when it does no harm."""
        self.interruption = error
        self._lock.interrupt(error)

    def abandon(self, number: int) -> None:
        """Nobody wants the rest of a map. May be called by the garbage collector at any point."""
        self._abandoned.append(number)

    def leave(self, number: int) -> None:
        """Nobody takes the values of a map, but its tasks shall run. For the garbage collector."""
        self._unread.drop(number)
        self._driver.wake()

    def finish_here(self, number: int, job: MapJob) -> None:
        """Wait until a map that was left has run."""
        self._unread.finish_here(number, job, self.wait_until)

    def settled(self, number: int) -> bool:
        """Whether no task of a map is to run, or runs on a worker, any more."""
        over = number not in self._jobs and not self._scheduler.handed(number)
        return over or self.error is not None

    def wait_until(self, done: Callable[[], bool], timeout: float | None = None) -> bool:
        """Drive the loop until `done()`; False where `timeout` seconds have passed before."""
        return self._driver.wait_until(done, timeout)

    # The loop.

    def step(self) -> bool:
        """Handle what has arrived, pack, send and deliver; False where there was nothing to do."""
        with self._lock:
            progress = self._take_in()
            self._driver.driven = self._looked
        if self._dispatch:
            self._dispatch.pack_and_send()
        if self._callbacks:
            if not self._dispatch.stopping:  # then it is shown when all have left
                self._callbacks.show()
            with self._lock.uninterrupted():
                progress |= self._callbacks.hand_over()
        return progress

    def show_arrived(self) -> None:
        """Show what tasks have printed until now: before the traceback of the program, say."""
        with self._lock:
            while self._receive():
                pass
        self._callbacks.show(tell=False)

    def _take_in(self) -> bool:
        while self._abandoned:
            self._relay.closed(self._abandoned.popleft())
        if self._unread.fresh:
            for deliver in self._unread.taken_in():
                self._callbacks.add(deliver)
        if self._fresh_calls:
            self._submit_calls()
        handled = self._receive()
        self._relay.look()
        self._looked = time.monotonic()
        return handled > 0

    def _receive(self) -> int:
        """Handle what has arrived, some of it: how many messages."""
        handled = 0
        shut = self._closed or (self._callbacks.full and not self._dispatch.stopping)
        while handled < BURST and not shut and (arrived := self._transport.receive()):
            handled += 1
            self._router.handle(*arrived)
        return handled

    def _deliver(self, number: int, job: MapJob | CallStream, part: OutcomeRange) -> None:
        job.delivered(part)
        if isinstance(job, MapJob):
            if job.left:
                self._unread.go_on(number, job)
            elif not job.streamed:
                self.release(number, job)

    def fail(self, error: BaseException) -> None:
        """Nothing can go on: every caller gets the error, from whatever thread this is called."""
        self.error = error
        for job in list(self._jobs.values()):
            job.failed(error)

    @property
    def busy(self) -> bool:
        """Whether anything is under way, or to be handed over."""
        if self._closed or self.error is not None:  # then what is queued stays so
            return not self._closed and bool(self._callbacks)
        waiting = self._fresh_calls, self._callbacks, self._abandoned, self._unread.fresh
        return self._scheduler.busy or any(waiting)

    # The end.

    def finish(self, maps: bool = True) -> None:
        """The program has ended: have everything run that runs although nobody waits for it.

        maps: whether that goes for maps that nobody reads; executors are finished in any case.
        """
        ending = Ending(self.unfinished, self._unread, self._resting, self._offers, self._lock)
        ending.finish(maps, self.wait_until, lambda: self.error is not None)

    def give_up(self) -> None:
        """No task of a map begins any more."""
        for number, job in self._jobs.copy().items():
            if isinstance(job, MapJob):
                self.abandon(number)

    def close(self, status: int = 0, hurry: bool = False) -> None:
        """Stop all workers, whatever they do, and leave; ranks that do not follow are ended.

        hurry: a signal has ended the job, and mpirun may have ended the workers already.
        """
        if self._closed:
            return
        self._driver.stop()
        try:
            self.fail(FarmError("the farm has been shut down"))
        except BaseException:
            logger.exception("a callback of a call that never ran has failed")
        self._callbacks.show_all(hurry)
        with self._lock:
            self._dispatch.stopping = True
            for worker in range(1, self._transport.size):
                self._transport.send(worker, messages.Stop())
        self._failures.tell_all()
        left = all_left(self.members, self.step, hurry)
        self.members.tell()
        self._callbacks.show_all(hurry)
        if not left:
            self._transport.abort(status)
        self._closed = True
        self._transport.close()
