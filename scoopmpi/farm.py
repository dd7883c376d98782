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

Here live the loop and who drives it, not decisions (`scheduler`), pickles (`job`) or MPI
(`transport`). A caller who waits drives the loop itself, so that no result changes threads; while
nobody waits a stand-in thread does. Every touch of transport and scheduler is in
`_section`; what runs the user's code (callbacks, pickling, iterators) is not.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future as PEP3148Future
from functools import partial
from typing import Any

from . import batching
from .calls import CallStream
from .failure import FarmError
from .functions import Functions
from .job import Function, MapJob, Part, Tasks
from .members import Members
from .messages import Finished, Forget, Frame, Joined, Left, Lost, Printed, Run, Stop, Unfit
from .output import show
from .pause import pause
from .scheduler import Assignment, Batch, Scheduler
from .section import Section
from .standin import StandIn
from .transport import Transport

logger = logging.getLogger("scoopmpi")

BURST = 64
"""Messages handled before a waiting caller looks whether it has what it waits for."""
PATIENCE = 0.001
"""Seconds without a driver after which the stand-in takes over."""
LINGER = 0.05
"""Seconds that the stand-in looks on after the last task: waking it for each single call of a
series would cost two context switches a call."""
LEAVE_SECONDS = 2.0
"""What a worker gets to leave after Stop, which its stand-in obeys even inside a task."""
HURRY_SECONDS = 0.3
"""The same after a signal."""
IMPORT_SECONDS = 30.0
"""The same for a worker that is still importing the program."""


class Farm:
    """The jobs of one program and the workers that run them."""

    def __init__(
        self,
        transport: Transport,
        policy: batching.Policy = batching.Policy(),
        standin: bool = True,
    ) -> None:
        self._transport = transport
        self._scheduler = Scheduler(policy)
        self._section = Section()
        self._local = threading.local()  # whether this thread is delivering
        self._outbox: deque[Assignment] = deque()  # decided, but not packed and sent
        self._jobs: dict[int, MapJob | CallStream] = {}
        self._abandoned: deque[int] = deque()
        self.members = Members(transport.size - 1)
        self._last_number = 0
        self._functions = Functions()
        self._calls = CallStream()
        self._calls_number = self._new_number(self._calls)
        self._fresh_calls = 0
        self._callers: set[int] = set()  # threads that drive while they wait
        self._driven = 0.0
        self._closed = False
        self.error: BaseException | None = None
        self._standin = StandIn("scoopmpi farm", self._stand_in) if standin else None

    # What callers ask for.

    def wait_for_first_worker(self) -> None:
        """Until a worker has joined it is unknown which functions must travel by value.

        Raises FarmError where no worker can take part.
        """
        members = self.members
        if members.names is None:
            self.wait_until(lambda: members.names is not None or self.error is not None)
        if self.error is not None:
            raise self.error

    def open_map(self, job: MapJob, function: Function) -> int:
        """Start a map; its number is for `release` and `cancel`."""
        with self._section:
            number = self._new_number(job)
            self._functions.opened(number, function)
        self.release(number, job)
        return number

    def release(self, number: int, job: MapJob) -> None:
        """Hand out as many more tasks of a map as its window allows."""
        count = job.releasable()
        if count:
            with self._section:
                if number in self._jobs:
                    self._outbox += self._scheduler.submitted(number, count)
            self._dispatch()
        self._wake()

    def submit(self, future: PEP3148Future[Any], frame: Frame) -> None:
        """One call that is to be run; its outcome goes to `future`."""
        with self._section:
            self._calls.add(future, frame)
            self._fresh_calls += 1
            if self._scheduler.open:
                self._submit_calls()
        if self._outbox:
            self._dispatch()
        if time.monotonic() - self._driven > PATIENCE and not self._delivering:
            self.step()  # thousands of submits in a row must not starve the workers
        self._wake()

    def _submit_calls(self) -> None:
        """Tell the scheduler of the calls that came while no worker had room, all in one."""
        count, self._fresh_calls = self._fresh_calls, 0
        self._outbox += self._scheduler.submitted(self._calls_number, count)

    def interrupt(self, error: BaseException) -> None:
        """Called by a signal handler: raises the error in the program, when it does no harm."""
        self._section.interrupt(error)

    def abandon(self, number: int) -> None:
        """Nobody wants the rest of a map. May be called by the garbage collector at any point."""
        self._abandoned.append(number)

    def wait_until(self, done: Callable[[], bool], timeout: float | None = None) -> bool:
        """Drive the loop until `done()`; False where `timeout` seconds have passed before."""
        now = last = time.monotonic()
        deadline = None if timeout is None else now + timeout
        caller = threading.get_ident()
        outermost = caller not in self._callers
        self._callers.add(caller)
        try:
            while not done():
                if self.step():
                    last = time.monotonic()
                    continue
                now = time.monotonic()
                if deadline is not None and now >= deadline:
                    return False
                known = self._scheduler
                pause(now - last, known.idle, known.cover, deadline)
            return True
        finally:
            if outermost:
                self._callers.discard(caller)

    # The loop.

    def step(self) -> bool:
        """Handle the messages that have arrived; False where there was none."""
        deliveries: list[Callable[[], None]] = []
        with self._section:
            while self._abandoned:
                self._cancel(self._abandoned.popleft())
            if self._fresh_calls:
                self._submit_calls()
            handled = 0
            while handled < BURST and not self._closed:
                arrived = self._transport.receive()
                if arrived is None:
                    break
                handled += 1
                self._handle(*arrived, deliveries)
            self._driven = time.monotonic()
        if self._outbox:
            self._dispatch()
        if deliveries:
            self._deliver_all(deliveries)
        return handled > 0

    @property
    def _delivering(self) -> bool:
        return getattr(self._local, "delivering", False)

    def _deliver_all(self, deliveries: list[Callable[[], None]]) -> None:
        """Hand outcomes to their jobs; an exception of the user's code spoils no other's."""
        problem: BaseException | None = None
        outermost, self._local.delivering = not self._delivering, True
        with self._section.uninterrupted():
            for deliver in deliveries:
                try:
                    deliver()
                except BaseException as error:
                    problem = error
        if outermost:
            self._local.delivering = False
        if problem is not None:
            raise problem

    def _deliver(self, number: int, job: MapJob | CallStream, part: Part) -> None:
        job.delivered(part)
        if isinstance(job, MapJob) and not job.streamed:
            self.release(number, job)

    def _handle(self, sender: int, message: Any, deliveries: list[Callable[[], None]]) -> None:
        if isinstance(message, Finished):
            # First the next batch for the worker, then the outcomes for the caller.
            number, start, stop = message.job, message.start, message.stop
            back = None
            if message.unstarted < message.end:
                back = Batch(number, message.unstarted, message.end)
            batch = Batch(number, start, stop)
            self._outbox += self._scheduler.finished(sender, batch, message.seconds, back)
            job = self._jobs.get(number)
            if job is not None and start < stop:
                part = Part(start, stop, message.plain, message.outcomes, message.failed)
                deliveries.append(partial(self._deliver, number, job, part))
        elif isinstance(message, Joined):
            self.members.joined(sender, message)
            self._outbox += self._scheduler.joined(sender)
        elif isinstance(message, Printed):
            deliveries.append(partial(show, *message))
        elif isinstance(message, Unfit):
            if self.members.unfit(sender, message.reason):
                problem = FarmError(f"no worker can import the program: {message.reason}")
                deliveries.append(partial(self._fail, problem))
        elif isinstance(message, Left):
            self.members.left(sender)
        elif isinstance(message, Lost):
            self._handle_loss(sender)

    def _handle_loss(self, worker: int) -> None:
        host, held = self.members.host(worker), self._scheduler.held(worker)
        logger.critical("worker %d on %s died; it held %s; the job ends", worker, host, held)
        self._transport.abort(1)

    def _dispatch(self) -> None:
        """Pack what the scheduler has assigned, without the lock as it runs user code, and send."""
        with self._section.uninterrupted():
            while self._outbox:
                try:
                    assignment = self._outbox.popleft()
                except IndexError:
                    return  # another thread was faster
                job = self._jobs.get(assignment.batch.job)
                batch = assignment.batch
                tasks = None if job is None else job.packed(batch.start, batch.stop)
                with self._section:
                    self._send(assignment, job, tasks)

    def _send(
        self, assignment: Assignment, job: MapJob | CallStream | None, tasks: Tasks | None
    ) -> None:
        worker, batch, budget = assignment
        number, start, stop = batch.job, batch.start, batch.stop
        if job is None or tasks is None or number not in self._jobs:  # cancelled meanwhile
            nothing = Batch(number, start, start)
            self._outbox += self._scheduler.finished(worker, nothing, -1.0, batch)
            return
        key, code = self._functions.sent(number, worker)
        run = Run(number, start, stop, budget, key, code, tasks.plain, tasks.frames)
        self._transport.send(worker, run)

    def _cancel(self, number: int) -> None:
        if self._jobs.pop(number, None) is None:
            return
        self._scheduler.cancelled(number)
        key, holders = self._functions.closed(number)
        for worker in holders:
            self._transport.send(worker, Forget(key))

    def _new_number(self, job: MapJob | CallStream) -> int:
        self._last_number += 1
        self._jobs[self._last_number] = job
        self._scheduler.submitted(self._last_number, 0)
        return self._last_number

    def _fail(self, error: BaseException) -> None:
        self.error = error
        for job in list(self._jobs.values()):
            job.failed(error)

    # Who drives while nobody waits.

    def _wake(self) -> None:
        if self._standin is not None:
            self._standin.wake()

    def _stand_in(self) -> float | None:
        """The stand-in's turn: seconds until it looks again, None to sleep until woken."""
        undriven = time.monotonic() - self._driven
        if self._closed:
            return None
        if not self._scheduler.busy and not self._fresh_calls:
            return LINGER / 2 if undriven < LINGER else None
        if self._callers or undriven < PATIENCE:
            return 20 * PATIENCE if self._callers else PATIENCE
        while self.step():
            pass
        return PATIENCE

    # The end.

    def close(self, status: int = 0, hurry: bool = False) -> None:
        """Stop all workers, whatever they do, and leave; ranks that do not follow are ended.

        hurry: a signal has ended the job, and mpirun may have ended the workers already.
        """
        if self._closed:
            return
        if self._standin is not None:
            self._standin.stop()
        try:
            self._fail(FarmError("the farm has been shut down"))
        except BaseException:
            logger.exception("a callback of a call that never ran has failed")
        for worker in range(1, self._transport.size):
            self._transport.send(worker, Stop())
        if not self._wait_for_leaving(hurry):
            missing = self.members.missing
            logger.warning("workers %s do not stop within seconds: ending all ranks", missing)
            self._transport.abort(status)
        self._closed = True
        self._transport.close()

    def _wait_for_leaving(self, hurry: bool) -> bool:
        started = last = time.monotonic()
        while self.members.missing:
            if self.step():
                last = time.monotonic()
                continue
            now = time.monotonic()
            patience = IMPORT_SECONDS if self.members.importing else LEAVE_SECONDS
            if now - max(last, started) > (HURRY_SECONDS if hurry else patience):
                return False
            pause(now - last, spin=True)
        return True
