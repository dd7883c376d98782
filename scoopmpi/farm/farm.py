"""The farm as its callers see it: maps and calls go in here, on rank 0.

The way of one task of `futures.map(square, range(10000))`, a line for each file that it enters;
behind a plus the tools that are used before the next line. `tests/farm/test_walk.py` follows a
task and compares.

    out: from the caller to a worker
        executors/farm_executor the caller's words        + concurrency/timeouts tasks/limit
        farm/farm               a map begins
        tasks/packed            its function, packed      + wire/failure payload tasks/limit
        farm/map_job            its parts, joined         + farm/map_window map_tasks
                                                            farm/map_outcomes ahead wire/payload
                                                            tasks/arguments reorder
        farm/map_window         which tasks are next      + farm/ahead concurrency/signal_lock
        farm/jobs               the map is open
        scheduling/scheduler    which worker, how many    + scheduling/ranges batching
        farm/dispatch           a batch to be sent        + concurrency/signal_lock
        farm/map_tasks          its arguments, packed     + tasks/arguments farm/ahead wire/payload
                                                            concurrency/signal_lock
        farm/functions          its function, sent once
        wire/transport          Run leaves                + concurrency/signal_lock
        farm/driver             somebody looks after it

    turn: who asks for messages while the caller waits
        executors/farm_results  the caller waits
        farm/farm               in the farm
        farm/driver             and takes turns himself
        farm/loop               of the loop

    back: from the worker to the caller
        wire/transport          Finished arrives
        farm/router             what it says, to whom
        scheduling/scheduler    the worker is free        + scheduling/ranges batching
        farm/callback_queue     until the lock is left    + concurrency/signal_lock
        farm/map_outcomes       kept, in order            + farm/ahead wire/payload
                                                            tasks/arguments reorder
                                                            concurrency/signal_lock
        executors/farm_results  the caller wakes
        farm/map_job            and takes what is next    + tasks/reorder
        tasks/outcomes          opened                    + wire/payload

Where the scheduler has another batch for the worker that has become free, `dispatch` sends it
before the outcomes are handed on. Tasks of a worker's own maps come in as offers (`relay`), and go
the same way; calls have both their ways in `calls`. What happens is told to an `observer`.

Here are the joints of the farm's parts, and the doors of its callers. Decisions are those of
`scheduling`, turns those of `loop`, MPI is behind a transport.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ..concurrency.periods import JOIN_SECONDS
from ..concurrency.signal_lock import SignalLock
from ..constants.sharing import FarmSharing
from ..output.console import has_said, held, show
from ..scheduling import batching
from ..scheduling.scheduler import Scheduler
from ..tasks.packed import pack_function
from ..tasks.unfinished import Unfinished
from ..wire.errors import FarmError as FarmError
from ..wire.messages import Frame
from ..wire.transport import Transport
from .callback_queue import CallbackQueue
from .calls import Call, CallStream
from .closing import Closing
from .dispatch import Dispatch
from .driver import PATIENCE, Driver
from .failures import Failures
from .finishing import ProgramEnd, Rounds
from .jobs import Jobs
from .loop import Loop
from .map_job import MapJob
from .map_window import Span
from .members import Members
from .observer import Observer
from .offers import Offers
from .relay import Relay
from .router import Router
from .silences import Silences
from .unread import UnreadMaps

if TYPE_CHECKING:
    from ..tasks.record import MapRecord


class Farm:
    """The jobs of one program and the workers that run them.

    policy: the settings of batching. progress_thread: False for tests that drive by themselves.
    retries: how often a task is tried again that was running where a worker died.
    observer: told what happens, where somebody wants to know.
    """

    def __init__(
        self,
        transport: Transport,
        policy: batching.Policy = batching.Policy(),
        progress_thread: bool = True,
        retries: int = 2,
        observer: Observer | None = None,
    ) -> None:
        self.interruption: BaseException | None = None
        """What a signal has raised in the program, the latest one."""
        self.unfinished = Unfinished()
        self.sharing = FarmSharing(transport.send)
        self._observer = observer
        self._lock = lock = SignalLock()
        self._scheduler = scheduler = Scheduler(policy)
        self._callbacks = callbacks = CallbackQueue(show, held)
        self._jobs = jobs = Jobs(observer)
        self.members = members = Members(transport.size - 1, callbacks.printed, has_said)
        silences = Silences(scheduler, jobs)
        self._dispatch = dispatch = Dispatch(
            transport, scheduler, lock, jobs, members, silences, self.sharing.store, observer
        )
        self._offers = offers = Offers()
        relay = Relay(transport, scheduler, jobs, dispatch, offers)
        failures, rounds = Failures(members, retries), Rounds(members, transport.send)
        router = Router(
            scheduler, jobs, dispatch, relay, members, failures, silences, self.sharing,
            callbacks, rounds, observer,
        )  # fmt: skip
        self._calls = calls = CallStream(jobs.new_number())
        jobs.add(calls)
        scheduler.submitted(calls.number, 0)
        self._unread = unread = UnreadMaps(jobs.maps, self.release, self.abandon, progress_thread)
        self._loop = loop = Loop(
            transport, lock, scheduler, jobs, calls, unread, dispatch, router, relay, offers,
            callbacks,
        )  # fmt: skip
        self._end = ProgramEnd(self.unfinished, unread, rounds, offers, lock)
        self._driver = driver = Driver(loop.step, scheduler, lambda: loop.busy, progress_thread)
        self._closing = Closing(
            transport, lock, driver, loop, jobs, dispatch, callbacks, members, failures, observer
        )

    # Maps.

    def open_map(
        self,
        target: Callable[..., Any],
        iterables: Sequence[Iterable[Any]],
        ordered: bool = True,
        record: Callable[[], MapRecord] | None = None,
    ) -> MapJob:
        """Begin a map, and hand out its first tasks; reads the user's iterators.

        target: the function. iterables: its arguments, in columns.
        ordered: whether outcomes are wanted in the order of the tasks, or as they come.
        record: begins the map's record in a checkpoint.

        Raises FarmError where no worker can take part, and what packing the function raises.
        """
        self.wait_for_first_worker()
        function, number = pack_function(target), self._jobs.new_number()
        kept = None if record is None else record()
        job = MapJob(number, function, iterables, self.members.size, ordered, kept, self._go_on)
        spans = job.next_spans()
        with self._lock:
            self._jobs.add_map(job)
            self._scheduler.submitted(number, 0)
            self._hand_out(job, spans)
        if self.error is not None:  # the last worker died while the function was packed
            job.failed(self.error)
        self._sent_and_woken(job, spans)
        return job

    def release(self, job: MapJob) -> None:
        """Hand out as many more tasks of a map as its window allows."""
        spans = job.next_spans()
        if spans:
            with self._lock:
                if job.number in self._jobs.open:
                    self._hand_out(job, spans)
        self._sent_and_woken(job, spans)

    def _hand_out(self, job: MapJob, spans: Sequence[Span]) -> None:
        number = job.number
        for span in spans:
            if span.known:
                self._scheduler.known(number, span.tasks)
                self.recalled(number, span.tasks)
            else:
                self._dispatch.assigned(self._scheduler.submitted(number, span.tasks))

    def _sent_and_woken(self, job: MapJob, spans: Sequence[Span]) -> None:
        """Send what `_hand_out` has brought, without the lock, and have somebody look after it."""
        if spans:
            if any(span.known for span in spans) and job.left:
                self._callbacks.add(partial(self._unread.go_on, job))
            self._dispatch.pack_and_send()
        self._driver.wake()

    def _go_on(self, job: MapJob) -> None:
        """Do what follows when outcomes of a map have come that is not at its end."""
        if job.left:
            self._unread.go_on(job)
        else:
            self.release(job)

    def abandon(self, number: int) -> None:
        """Forget a map: nobody wants the rest. The garbage collector may call this at any point."""
        self._loop.abandon(number)

    def leave(self, number: int) -> None:
        """Run a map for nobody: its values are thrown away. For the garbage collector."""
        self._unread.drop(number)
        self._driver.wake()

    def finish_here(self, job: MapJob) -> None:
        """Return when a map that was left has run."""
        self._unread.finish_here(job, self.wait_until)

    def settled(self, number: int) -> bool:
        """True where no task of a map is to run, or runs on a worker, any more."""
        over = number not in self._jobs.open and not self._scheduler.handed(number)
        return over or self.error is not None

    # Calls.

    def submit(self, call: Call) -> None:
        """Have one call run."""
        with self._lock:
            self._calls.add(call)
            if self._jobs.error is not None:
                self._callbacks.add(partial(self._calls.failed, self._jobs.error))
            if self._scheduler.idle:  # else they are gathered until the next look
                self._loop.submit_calls()
            now = time.monotonic()
            # Thousands of submits in a row must not starve the workers. But the caller may hold
            # locks of its own: callbacks and packing are left to who waits, or stands in. Where
            # nothing is left to do the progress thread would only fight for the interpreter.
            if now - self._loop.looked > PATIENCE and self._loop.look():
                self._driver.drove(now)
        self._driver.wake()

    def recalled_call(self) -> None:
        """Count a call whose outcome is known from a checkpoint, and which is not submitted."""
        self.recalled(self._calls.number, 1)

    def recalled(self, number: int, tasks: int) -> None:
        """Tell an observer of tasks whose outcomes are known from a checkpoint."""
        if self._observer is not None:
            self._observer.tasks_recalled(number, tasks)

    # Waiting, and what all share.

    def wait_until(self, done: Callable[[], bool], timeout: float | None = None) -> bool:
        """Drive the loop until `done()`; return False where `timeout` seconds have passed."""
        return self._driver.wait_until(done, timeout)

    def wait_for_first_worker(self) -> None:
        """Return when a worker has joined, or raise FarmError where none can take part.

        Until then it is unknown which functions must travel by value.
        """
        if self.members.names is None:
            self.wait_until(lambda: self.members.names is not None or self.error is not None)
        if self._jobs.error is not None:
            raise self._jobs.error

    def share(self, frames: Mapping[str, Frame]) -> None:
        """Set constants for all later tasks. Raises TypeError for a name that is set already."""
        self.wait_until(lambda: not self.members.importing or self.error is not None, JOIN_SECONDS)
        with self._lock:
            self.sharing.set(frames)

    def reconfigured(self, stream: int, settings: dict[str, Any]) -> None:
        """Have text of tasks on stdout (1) or stderr (2) become bytes as it does here."""
        self._dispatch.reconfigured(stream, settings)

    def step(self) -> bool:
        """Take one turn of the loop; return False where there was nothing to do."""
        return self._loop.step()

    def show_arrived(self) -> None:
        """Show what tasks have printed until now: before the traceback of the program, say."""
        self._loop.show_arrived()

    @property
    def busy(self) -> bool:
        """True where anything is under way, or to be handed over."""
        return self._loop.busy

    @property
    def error(self) -> BaseException | None:
        """Return why nothing can go on, None as long as it does."""
        return self._jobs.error

    # The end.

    def interrupt(self, error: BaseException) -> None:
        """Raise an error in the program when it does no harm; called by a signal handler."""
        self.interruption = error
        self._lock.interrupt(error)

    def fail(self, error: BaseException) -> None:
        """Give every caller the error, from whatever thread: nothing can go on."""
        self._jobs.fail(error)

    def finish(self, maps: bool = True) -> None:
        """Have everything run that runs although nobody waits for it; the program has ended.

        maps: whether that goes for maps that nobody reads; executors are finished in any case.
        """
        self._end.finish(maps, self.wait_until, lambda: self._jobs.error is not None)

    def give_up(self) -> None:
        """Let no task of a map begin any more."""
        for number in list(self._jobs.maps):
            self.abandon(number)

    def close(self, status: int = 0, hurry: bool = False) -> None:
        """Stop all workers, whatever they do, and leave; ranks that do not follow are ended.

        hurry: a signal has ended the job, and mpirun may have ended the workers already.
        """
        self._closing.close(status, hurry)
