"""The maps of a farm as callers see them: begun, handed out window by window, left, forgotten.

Reading the user's iterators and packing run here in the thread that calls, without the farm's lock.
The parts of one map are in `map_job`; maps that nobody reads any more are `unread`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ..concurrency.signal_lock import SignalLock
from ..concurrency.signal_scopes import uninterrupted
from ..constants.sharing import FarmSharing
from ..scheduling.scheduler import Scheduler
from ..tasks.packed import LatestFunction
from ..wire import payload
from ..wire.messages import Finished, Origin
from .ahead import AHEAD_TASKS, Ahead
from .callback_queue import CallbackQueue
from .dispatch import Dispatch
from .driver import Driver
from .jobs import Jobs
from .loop import Loop
from .map_job import MapJob
from .map_window import Span
from .paces import Paces
from .router import Router
from .unread import UnreadMaps

if TYPE_CHECKING:  # few programs have a checkpoint
    from ..tasks.record import MapRecord
    from .stop_before import HoldingBack

T = TypeVar("T")


class Maps:
    """The maps of one farm.

    workers: how many it has when all have joined.
    """

    def __init__(
        self,
        lock: SignalLock,
        scheduler: Scheduler,
        jobs: Jobs,
        dispatch: Dispatch,
        callbacks: CallbackQueue,
        loop: Loop,
        driver: Driver,
        unread: UnreadMaps,
        paces: Paces,
        sharing: FarmSharing,
        workers: int,
        holding_back: HoldingBack | None,
        router: Router,
    ) -> None:
        self._lock, self._scheduler, self._jobs = lock, scheduler, jobs
        self._dispatch, self._callbacks = dispatch, callbacks
        self._loop, self._driver, self._unread = loop, driver, unread
        self._paces, self._sharing, self._workers = paces, sharing, workers
        self._holding_back, self._router = holding_back, router
        self._functions = LatestFunction(sharing.kept if workers > 1 else payload.copied)

    def open(
        self,
        target: Callable[..., Any],
        iterables: Sequence[Iterable[Any]],
        held: Callable[[MapJob], T],
        ordered: bool = True,
        record: Callable[[], MapRecord] | None = None,
        origin: Origin | None = None,
        progress: bool | str | None = None,
        size: int | None = None,
        window: int | None = None,
    ) -> T:
        """Begin a map, and hand out its first tasks; reads the user's iterators.

        target: the function. iterables: its arguments, in columns.
        held: makes of the job what is returned, which abandons or leaves it when it is dropped.
        ordered: whether outcomes are wanted in the order of the tasks, or as they come.
        record: begins the map's record in a checkpoint.
        origin: who has made it, for its tasks to know.
        progress: whether a bar is to show it, or its title there; None is left to the job.
        size, window: as of `MapOptions`.

        Raises PicklingError or TypeError where the function cannot travel.
        """
        function, number = self._functions.packed(target), self._jobs.new_number()
        with self._lock:
            known = self._paces.known(target)
        ahead = Ahead(self._workers, known.light, known.weight, window or AHEAD_TASKS)
        try:
            kept = None if record is None else _begun(record)
            job = MapJob(
                number, function, iterables, ahead, ordered, kept, self._sharing, self._go_on,
                origin, progress, size,
            )  # fmt: skip
            with uninterrupted:
                spans = job.next_spans()
        except BaseException:  # of the user's iterables, or of a checkpoint
            self._sharing.retire(function.lent)
            raise
        with uninterrupted:  # a job that nobody holds would stay for ever
            with self._lock:
                self._jobs.add_map(job)
                self._paces.begun(number, known)
                self._scheduler.submitted(number, 0, pace=known.pace, weight=known.weight)
                if self._holding_back is not None:
                    self._holding_back.begun(number)
                self._hand_out(job, spans)
            if self._jobs.error is not None:  # the last worker died while the function was packed
                job.failed(self._jobs.error)
            self._send(job, spans)
            return held(job)

    def release(self, job: MapJob) -> None:
        """Hand out as many more tasks of a map as its window allows; reads the user's iterators.

        One thread at a time does so, else tasks would be handed out in another order than they
        were read. Who comes meanwhile has that one look again.
        """
        job.to_release = True
        with uninterrupted:  # what is read must be handed out, or its values never come
            while job.to_release and job.releasing.acquire(blocking=False):
                try:
                    job.to_release = False
                    self._go_further(job, job.next_spans())
                finally:
                    job.releasing.release()

    def _go_further(self, job: MapJob, spans: Sequence[Span]) -> None:
        if spans or job.narrow or job.number in self._jobs.unsized:
            with self._lock:
                if job.number in self._jobs.open:
                    self._hand_out(job, spans)
        self._send(job, spans)

    def _hand_out(self, job: MapJob, spans: Sequence[Span]) -> None:
        number = job.number
        if number in self._jobs.unsized:
            self._jobs.read_further(job, sum(span.tasks for span in spans))
        if job.narrow:
            self._dispatch.assigned(self._scheduler.allowed(number, job.gate()))
        for span in spans:
            if span.known:
                self._scheduler.known(number, span.tasks)
                self._jobs.recalled(number, span.start, span.tasks)
            else:
                self._dispatch.assigned(self._scheduler.submitted(number, span.tasks))

    def _send(self, job: MapJob, spans: Sequence[Span]) -> None:
        """Send what `_hand_out` has brought, without the lock, and have somebody look after it."""
        if any(span.known for span in spans) and job.left:
            self._callbacks.add(partial(self._unread.go_on, job))
        if self._dispatch.outbox:
            self._dispatch.pack_and_send()
        self._driver.wake()

    def _go_on(self, job: MapJob) -> None:
        """Do what follows when outcomes of a map have come that is not at its end."""
        if job.left:
            self._unread.go_on(job)
        elif job.streamed:  # its consumer reads on
            self._go_further(job, ())
        else:
            self.release(job)

    def ask_first(self, job: MapJob, failures_only: bool) -> None:
        """Have no task of a map begin behind outcomes of which its consumer has not decided.

        Else a worker that has answered gets its next task at once. failures_only: whether only
        outcomes with failures are to be waited for.
        """

        def before(message: Finished) -> None:
            if message.job != job.number or message.start == message.stop or job.runs_out:
                return
            if message.failed or not failures_only:
                job.hold(True)
                self._dispatch.assigned(self._scheduler.allowed(job.number, job.gate()))

        def after(message: Finished) -> None:
            if message.job == job.number and message.again:  # there may be nothing to decide
                self._decided(job)

        self._router.tell_of_finished(before, after)

    def decided(self, job: MapJob) -> None:
        """Let tasks begin again: the consumer has decided of all that he has taken."""
        with self._lock:
            self._decided(job)
        if self._dispatch.outbox:
            self._dispatch.pack_and_send()
        self._driver.wake()

    def _decided(self, job: MapJob) -> None:
        number = job.number
        if number in self._jobs.open and job.taken >= self._scheduler.finished_of(number):
            job.hold(False)
            self._dispatch.assigned(self._scheduler.allowed(number, job.gate()))

    def run_out(self, job: MapJob) -> None:
        """Let no task of a map begin any more; what workers have goes on, and is answered."""
        with self._lock:
            job.run_out()
            if job.number in self._jobs.open:
                self._dispatch.assigned(self._scheduler.allowed(job.number, job.gate()))

    def ran_out(self, job: MapJob) -> bool:
        """True where no outcome is to come of a map that runs out."""
        if self._scheduler.handed(job.number):
            return False
        return job.outcomes >= self._scheduler.finished_of(job.number)

    def abandon(self, number: int) -> None:
        """Forget a map: nobody wants the rest. The garbage collector may call this at any point."""
        self._loop.abandon(number)

    def abandon_all(self) -> None:
        """Let no task of a map begin any more."""
        for number in list(self._jobs.maps):
            self.abandon(number)

    def leave(self, number: int) -> None:
        """Run a map for nobody: its values are thrown away. For the garbage collector."""
        self._unread.drop(number)
        self._driver.wake()

    def finish_here(self, job: MapJob, wait_until: Callable[..., object]) -> None:
        """Return when a map that was left has run. wait_until: waits for a function."""
        self._unread.finish_here(job, wait_until)

    def settled(self, number: int) -> bool:
        """True where no task of a map is to run, or runs on a worker, any more."""
        over = number not in self._jobs.open and not self._scheduler.handed(number)
        return over or self._jobs.error is not None


def _begun(record: Callable[[], MapRecord]) -> MapRecord:
    """Return a map's record; what a signal raises is no failure of its digests."""
    with uninterrupted:
        return record()
