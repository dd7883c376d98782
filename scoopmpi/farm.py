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
nobody waits a stand-in thread does. Every touch of transport and scheduler holds `_lock`; what
runs the user's code (callbacks, unpickling, iterators) runs without it.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future as PEP3148Future
from functools import partial
from typing import Any, NamedTuple

from . import batching
from .calls import CallStream
from .job import Function, MapJob, Part
from .messages import Finished, Forget, Frame, Joined, Left, Lost, Printed, Run, Stop, Unfit
from .pause import pause
from .scheduler import Assignment, Batch, Scheduler
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


class FarmError(RuntimeError):
    """The farm itself cannot go on; the message says why and what to do."""


class Member(NamedTuple):
    """What rank 0 knows of a worker."""

    host: str
    pid: int
    known: set[int]  # keys of the functions that it has


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
        self._lock = threading.Lock()
        self._jobs: dict[int, MapJob | CallStream] = {}
        self._abandoned: deque[int] = deque()
        self._members: dict[int, Member] = {}
        self._unfit: dict[int, str] = {}
        self._left: set[int] = set()
        self._last_number = 0
        self._lasting_keys: dict[Any, int] = {}
        self._keys: dict[int, int] = {}  # function key of each map
        self._calls = CallStream()
        self._calls_number = self._new_number(self._calls)
        self._fresh_calls = 0
        self._callers = 0
        self._driven = 0.0
        self._closed = False
        self.names: frozenset[str] | None = None  # what the program defines on workers
        self.error: BaseException | None = None
        self._standin = StandIn("scoopmpi farm", self._stand_in) if standin else None

    @property
    def size(self) -> int:
        """How many workers there are when all have joined."""
        return self._transport.size - 1

    # What callers ask for.

    def wait_for_first_worker(self) -> None:
        """Until a worker has joined it is unknown which functions must travel by value.

        Raises FarmError where no worker can take part.
        """
        if self.names is None:
            self.wait_until(lambda: self.names is not None or self.error is not None)
        if self.error is not None:
            raise self.error

    def open_map(self, job: MapJob, function: Function) -> int:
        """Start a map; its number is for `release` and `cancel`."""
        with self._lock:
            number = self._new_number(job)
            self._keys[number] = self._key(function, number)
        self.release(number, job)
        return number

    def release(self, number: int, job: MapJob) -> None:
        """Hand out as many more tasks of a map as its window allows."""
        count = job.releasable()
        if count:
            with self._lock:
                if number in self._jobs:
                    self._send(self._scheduler.submitted(number, count))
        self._wake()

    def submit(self, future: PEP3148Future[Any], frame: Frame) -> None:
        """One call that is to be run; its outcome goes to `future`."""
        with self._lock:
            self._calls.add(future, frame)
            self._fresh_calls += 1
            if self._scheduler.open:
                self._submit_calls()
        if time.monotonic() - self._driven > PATIENCE:
            self.step()  # thousands of submits in a row must not starve the workers
        self._wake()

    def _submit_calls(self) -> None:
        """Tell the scheduler of the calls that came while no worker had room, all in one."""
        count, self._fresh_calls = self._fresh_calls, 0
        self._send(self._scheduler.submitted(self._calls_number, count))

    def abandon(self, number: int) -> None:
        """Nobody wants the rest of a map. May be called by the garbage collector at any point."""
        self._abandoned.append(number)

    def wait_until(self, done: Callable[[], bool], timeout: float | None = None) -> bool:
        """Drive the loop until `done()`; False where `timeout` seconds have passed before."""
        now = last = time.monotonic()
        deadline = None if timeout is None else now + timeout
        self._callers += 1
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
            self._callers -= 1

    # The loop.

    def step(self) -> bool:
        """Handle the messages that have arrived; False where there was none."""
        deliveries: list[Callable[[], None]] = []
        with self._lock:
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
        for deliver in deliveries:
            deliver()
        return handled > 0

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
            self._send(self._scheduler.finished(sender, batch, message.seconds, back))
            job = self._jobs.get(number)
            if job is not None and start < stop:
                part = Part(start, stop, message.plain, message.outcomes, message.failed)
                deliveries.append(partial(self._deliver, number, job, part))
        elif isinstance(message, Joined):
            self.names = message.names if self.names is None else self.names & message.names
            self._members[sender] = Member(message.host, message.pid, set())
            logger.debug("worker %d joined: pid %d on %s", sender, message.pid, message.host)
            self._send(self._scheduler.joined(sender))
        elif isinstance(message, Printed):
            deliveries.append(partial(show, *message))
        elif isinstance(message, Unfit):
            self._unfit[sender] = message.reason
            logger.warning("worker %d does not take part: %s", sender, message.reason)
            if len(self._unfit) == self.size:
                self._fail(FarmError(f"no worker can import the program: {message.reason}"))
        elif isinstance(message, Left):
            self._left.add(sender)
        elif isinstance(message, Lost):
            self._handle_loss(sender)

    def _handle_loss(self, worker: int) -> None:
        member = self._members.get(worker)
        host = member.host if member else "a host not known yet"
        held = self._scheduler.held(worker) if member else ()
        logger.critical("worker %d on %s died; it held %s; the job ends", worker, host, held)
        self._transport.abort(1)

    def _send(self, assignments: list[Assignment]) -> None:
        for worker, batch, budget in assignments:
            number, start, stop = batch.job, batch.start, batch.stop
            job = self._jobs[number]
            plain, tasks = job.packed(start, stop)
            key, code = self._keys.get(number, 0), None
            if key and key not in self._members[worker].known:
                self._members[worker].known.add(key)
                assert job.function is not None
                code = job.function.code
            run = Run(number, start, stop, budget, key, code, plain, tasks)
            self._transport.send(worker, run)

    def _cancel(self, number: int) -> None:
        if self._jobs.pop(number, None) is None:
            return
        self._send(self._scheduler.cancelled(number))
        key = self._keys.pop(number)
        if key == number:  # a function of this map alone
            for worker, member in self._members.items():
                if key in member.known:
                    member.known.discard(key)
                    self._transport.send(worker, Forget(key))

    def _new_number(self, job: MapJob | CallStream) -> int:
        self._last_number += 1
        self._jobs[self._last_number] = job
        self._scheduler.submitted(self._last_number, 0)
        return self._last_number

    def _key(self, function: Function, number: int) -> int:
        """The number of a function at the workers; found by name it lasts longer than its map."""
        if not function.lasting:
            return number
        return self._lasting_keys.setdefault(function.code, -1 - len(self._lasting_keys))

    def _fail(self, error: BaseException) -> None:
        self.error = error
        for job in self._jobs.values():
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
        self._fail(FarmError("the farm has been shut down"))
        if self._standin is not None:
            self._standin.stop()
        for worker in range(1, self._transport.size):
            self._transport.send(worker, Stop())
        if not self._wait_for_leaving(hurry):
            missing = sorted(set(range(1, self._transport.size)) - self._left)
            logger.warning("workers %s do not stop within seconds: ending all ranks", missing)
            self._transport.abort(status)
        self._closed = True
        self._transport.close()

    def _wait_for_leaving(self, hurry: bool) -> bool:
        started = last = time.monotonic()
        while len(self._left) < self.size:
            if self.step():
                last = time.monotonic()
                continue
            now = time.monotonic()
            importing = len(self._members) + len(self._unfit) < self.size
            patience = IMPORT_SECONDS if importing else LEAVE_SECONDS
            if now - max(last, started) > (HURRY_SECONDS if hurry else patience):
                return False
            pause(now - last, spin=True)
        return True


def show(stream: int, text: str) -> None:
    """Print what a task printed, on this rank's stdout (1) or stderr (2)."""
    file = sys.stdout if stream == 1 else sys.stderr
    file.write(text)
    file.flush()
