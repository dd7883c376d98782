"""The farm of rank 0: its parts joined, and what its callers ask of all of it.

The way of one task of `futures.map(square, range(10000))`, a line for each file that it enters;
behind a plus the tools that are used before the next line. `tests/farm/test_walk.py` follows a
task and compares.

    out: from the caller to a worker
        tasks/executor          the caller's words
        executors/farm_executor on this farm              + tasks/executor limit pedigree
        farm/farm               a worker has joined
        farm/maps               a map begins
        tasks/packed            its function, packed      + wire/payload concurrency/signal_lock
        farm/paces              how long its tasks take   + concurrency/signal_lock farm/ahead
                                                            scheduling/weights
        farm/map_job            its parts, joined         + farm/map_window map_tasks
                                                            farm/map_outcomes ahead wire/payload
                                                            tasks/arguments reorder
        farm/map_window         which tasks are next      + farm/ahead concurrency/signal_lock
                                                            concurrency/signal_scopes
                                                            tasks/reorder
        farm/jobs               the map is open           + farm/map_job paces
        scheduling/scheduler    which worker, how many    + scheduling/ranges batching buckets
                                                            scheduling/worker_state weights
                                                            farm/map_job
        farm/dispatch           a batch to be sent        + concurrency/signal_lock
                                                            concurrency/signal_scopes
        farm/map_tasks          its arguments, packed     + tasks/arguments farm/ahead wire/payload
                                                            concurrency/signal_lock
                                                            scheduling/ranges
        farm/functions          its function, sent once   + scheduling/ranges
        wire/transport          Run leaves                + farm/due concurrency/signal_lock
                                                            concurrency/signal_scopes
        farm/driver             somebody looks after it

    run: on the worker
        wire/transport          Run arrives
        worker/nested/hub       none of its tasks goes on + worker/nested/work_sharing finishing
                                                            worker/nested/fibers unread_maps pending
        worker/inbox            the batch is the next one
        worker/nested/depth_first a fiber for it          + worker/nested/fibers
        worker/batches          it is the one that runs   + worker/inbox worker
        worker/running          unpacked, run, packed     + worker/answers worker wire/payload
                                                            wire/failure tasks/pedigree wrapped
        worker/outbox           answered
        wire/transport          Finished leaves

    turn: who asks for messages while the caller waits
        executors/farm_results  the caller waits
        farm/farm               in the farm
        farm/driver             and takes turns himself
        farm/loop               of the loop

    back: from the worker to the caller
        wire/transport          Finished arrives
        farm/router             what it says, to whom     + farm/due
        scheduling/scheduler    the worker is free        + scheduling/ranges batching buckets
                                                            scheduling/worker_state standing
        farm/callback_queue     until the lock is left    + concurrency/signal_lock
                                                            concurrency/signal_scopes
        farm/map_outcomes       kept, in order            + farm/ahead wire/payload tasks/reorder
                                                            concurrency/signal_scopes
        executors/farm_results  the caller wakes
        farm/map_job            and takes what is next    + tasks/reorder farm/map_outcomes
                                                            concurrency/signal_scopes
        tasks/outcomes          opened                    + wire/payload concurrency/signal_scopes

Where the scheduler has another batch for the worker that has become free, `dispatch` sends it
before the outcomes are handed on. Tasks of a worker's own maps come in as offers (`relay`), and go
the same way; calls have both their ways in `calls`. What happens is told through a `door`.

Maps go in through `maps`, calls are submitted here. Decisions are those of `scheduling`, turns
those of `loop`, the end is in `finishing` and `closing`, MPI is behind a transport.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ..concurrency.periods import JOIN_SECONDS
from ..concurrency.signal_lock import SignalLock
from ..concurrency.signal_scopes import scopes
from ..constants.sharing import FarmSharing
from ..output.console import has_said, held, show
from ..scheduling import batching
from ..scheduling.scheduler import Scheduler
from ..tasks.unfinished import Unfinished
from ..watching.door import Door
from ..watching.observer import Observer
from ..wire import payload
from ..wire.lent import LENT
from ..wire.payload import Frame
from ..wire.transport import Transport
from .callback_queue import CallbackQueue
from .calls import Call, CallStream
from .closing import Closing
from .dispatch import Dispatch
from .driver import PATIENCE, Driver
from .due import Due
from .failures import Failures
from .finishing import ProgramEnd, Rounds
from .giving_up import GivingUp
from .jobs import Jobs
from .last_worker import LastWorker
from .left_out import LeftOut
from .loop import Loop
from .maps import Maps
from .members import Members
from .offers import Offers
from .paces import Paces
from .put_off import PutOff
from .relay import Relay
from .router import Router
from .silences import Silences
from .unread import UnreadMaps

if TYPE_CHECKING:
    from .in_common import InCommon
    from .stop_before import HoldingBack, StopBefore


class Farm:
    """The jobs of one program and the workers that run them.

    policy: the settings of batching. progress_thread: False for tests that drive by themselves.
    retries: how often a task is tried again that was running where a worker died.
    readers: told what happens, where somebody wants to know.
    last_resort: starts a worker where the last one has died, and returns its rank.
    stop_before: asks for the end of the program before that of the batch job.
    """

    def __init__(
        self, transport: Transport, policy: batching.Policy = batching.Policy(),
        progress_thread: bool = True, retries: int = 2, readers: Sequence[Observer] = (),
        last_resort: Callable[[], int] | None = None, stop_before: StopBefore | None = None,
    ) -> None:  # fmt: skip
        self.interruption: BaseException | None = None
        """What a signal has raised in the program, the latest one."""
        self.unfinished = Unfinished()
        self._in_common: InCommon | None = None
        self._door = door = Door(readers)
        self.sharing = FarmSharing(transport.send, lambda *facts: door.constants_set(*facts))
        self._lock = lock = SignalLock()
        self._scheduler = scheduler = Scheduler(policy)
        self._callbacks = callbacks = CallbackQueue(show, held)
        self._jobs = jobs = Jobs(door)
        self.members = members = Members(transport.size - 1, callbacks.printed, has_said)
        silences = Silences(scheduler, jobs)
        paces, due = Paces(scheduler, jobs), Due()
        self._dispatch = dispatch = Dispatch(
            transport, scheduler, lock, jobs, members, silences, self.sharing, paces, due, door
        )
        self._offers = offers = Offers()
        relay = Relay(transport, scheduler, jobs, dispatch, offers)
        last_worker = LastWorker(members, scheduler, last_resort, retries)
        failures, rounds = Failures(members, retries), Rounds(members, transport.send)
        put_off = PutOff(scheduler)
        self.left_out = LeftOut(lock, scheduler, members, dispatch)
        joined = [self.left_out.joined]
        router = Router(
            scheduler, jobs, dispatch, relay, members, failures, last_worker, silences,
            self.sharing, callbacks, rounds, put_off, due, door, joined,
        )  # fmt: skip
        self._calls = calls = CallStream(jobs.new_number())
        jobs.add(calls)
        scheduler.submitted(calls.number, 0)
        unread = UnreadMaps(
            jobs.maps, lambda job: self.maps.release(job), lambda job: self.maps.abandon(job),
            progress_thread,
        )  # fmt: skip
        self._loop = loop = Loop(
            transport, lock, scheduler, jobs, calls, unread, dispatch, router, relay, offers,
            callbacks, put_off, self.sharing,
        )  # fmt: skip
        self._end = ProgramEnd(self.unfinished, unread, calls, rounds, offers, lock)
        self.step, rest = loop.step, transport.rest
        """Takes one turn of the loop; returns False where there was nothing to do."""
        self.holding_back: HoldingBack | None = None
        """Minds the end of the batch job, where that is asked for."""
        if stop_before is not None:
            self.holding_back = self._hold_back(stop_before, paces, router)
            self.step, rest = self.holding_back.turn, partial(self.holding_back.at_rest, rest)
        self._driver = driver = Driver(
            self.step, lock, scheduler, due, lambda: loop.busy, progress_thread, rest
        )
        self.maps = Maps(
            lock, scheduler, jobs, dispatch, callbacks, loop, driver, unread, paces,
            self.sharing, members.size, self.holding_back, router,
        )  # fmt: skip
        giving_up = GivingUp(
            lock, dispatch, jobs, calls, callbacks, driver, loop.abandon, unread.run_no_further
        )
        joined.append(giving_up.joined)
        self.give_up, self.show_arrived = giving_up.give_up, loop.show_arrived
        self.reconfigured = dispatch.reconfigured
        self._closing = Closing(
            transport, lock, driver, loop, jobs, dispatch, callbacks, members, failures, door,
            calls, scheduler.finished_of,
        )  # fmt: skip

    def _hold_back(self, asked: StopBefore, paces: Paces, router: Router) -> HoldingBack:
        """Have the end of the batch job be minded."""
        from .stop_before import HoldingBack  # late: few programs ask for it

        made = HoldingBack(
            asked, self._lock, self._scheduler, self._jobs, self._calls, paces, self._dispatch,
            self._callbacks, self._door, self._loop.step, lambda: self._driver,
        )  # fmt: skip
        router.tell_of_finished(made.heard)
        self._dispatch.within, self._loop.calls_come = made.within, made.calls_come
        return made

    # Calls.

    def submit(self, call: Call) -> None:
        """Have one call run."""
        self._calls.add(call)
        if self._jobs.error is not None:  # set first, and then all are told that are there
            self._callbacks.add(partial(self._calls.failed, self._jobs.error))
        now = time.monotonic()
        late = now - self._loop.looked > PATIENCE
        if late or self._scheduler.idle:  # else they are gathered until the next look
            with self._lock:
                self._loop.submit_calls()
                # Thousands of submits in a row must not starve the workers. But the caller may
                # hold locks of its own: callbacks and packing are left to a caller that waits, or
                # to the progress thread. With nothing left to do that would only fight for the
                # interpreter.
                if late and self._loop.look():
                    self._driver.drove(now)
        self._driver.wake()

    def sealed(self, frame: Frame) -> tuple[Frame, tuple[Any, ...]]:
        """Return the frame of a call so that later changes of the program's do not reach it, and
        what must live as long as the call: it has that in common with others."""
        if payload.size(frame) < LENT:
            return payload.copied(frame), ()
        if self._in_common is None:
            from .in_common import InCommon  # late: most programs submit nothing large

            self._in_common = InCommon(self.sharing.lending)
        return self._in_common.sealed(frame)

    def recalled_call(self) -> None:
        """Count a call whose outcome is known from a checkpoint, and which is not submitted."""
        with self._lock:
            self._jobs.recalled(self._calls.number, None, 1)

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

    # Readers of what happens.

    def outcomes_kept(self, outcomes: int, size: int) -> None:
        """Tell of outcomes that a checkpoint has for good, and of their bytes; for any thread."""
        self._door.outcomes_kept(outcomes, size)

    def observe(self, reader: Observer) -> None:
        """Have a reader hear of all that happens from now on, and of what there is already."""
        own = Door([reader])  # it may fail
        with self._lock:
            for worker in self.members.present:
                own.worker_joined(worker, *self.members.place(worker))
                if reader.asks_workers:
                    self._dispatch.observe(worker)
            self._jobs.tell(own)
            if own.open:
                self._door.add(reader)

    def ignore(self, reader: Observer) -> bool:
        """Have a reader hear of nothing more; return whether it has heard of all until now."""
        with self._lock:
            reads = reader in self._door.readers
            self._door.remove(reader)
        return reads

    def dismiss(self, reader: Observer, status: int = 0) -> None:
        """Have a reader that still reads hear that all is over for it, and of nothing more.

        status: how, as in `Observer.farm_closed`.
        """
        if self.ignore(reader):
            Door([reader]).farm_closed(status)  # without the lock: it may have much to write

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
        scopes.interrupt(error)

    def fail(self, error: BaseException) -> None:
        """Give every caller the error, from whatever thread: nothing can go on."""
        self._jobs.fail(error)

    def finish(self, maps: bool = True) -> None:
        """Have everything run that runs although nobody waits for it; the program has ended.

        maps: whether that goes for maps and calls that nobody waits for; executors are finished
        in any case.
        """
        self._end.finish(maps, self.wait_until, lambda: self._jobs.error is not None)

    def close(self, status: int = 0, hurry: bool = False) -> None:
        """Stop all workers, whatever they do, and leave; ranks that do not follow are ended.

        hurry: a signal has ended the job, and mpirun may have ended the workers already.
        """
        self._closing.close(status, hurry)
