"""`MPIExecutor`: a `concurrent.futures.Executor` with a beginning and an end, on a farm that stays.

Here is what PEP 3148 promises: who may hand in, and when no more. What was handed in is counted in
`handed_in`; the work itself is the business of the executor below: the farm's, a worker's own
inside tasks, or the serial one.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from types import TracebackType
from typing import Any, TypeVar

from ..process import identity
from ..tasks.arguments import endless
from ..tasks.current_executor import current, usable
from ..tasks.executor import ExceptionTypes, Executor, MapOptions, map_options
from ..tasks.future import Future
from ..tasks.initializer import BrokenMPIExecutor, Initialized, Initializer
from ..tasks.limit import NO_LIMIT, limited
from ..tasks.program_end import cut_short
from ..tasks.wrapped import Retry, Starred
from ..wire.failure import describe
from . import asked_of_pools, mpi_pool_names, watching_asked
from .beside import Beside
from .bounded_map import BoundedMap, BoundedValues, check_buffersize
from .handed_in import HandedIn
from .map_values import MapValues
from .retries_asked import retry_asked
from .shown_in_place import shown

T = TypeVar("T")

logger = logging.getLogger("concurrent.futures")


class MPIExecutor(mpi_pool_names.MPIPoolNames):
    """Runs calls on the workers of the farm until it is shut down.

        with MPIExecutor() as executor:
            future = executor.submit(pow, 2, 10)
            values = list(executor.map(function, arguments))
            print(future.result(), values)

    Inside tasks their worker runs the calls, and others that have nothing to do. Where there is no
    farm, because the program was started without a launcher or on one rank, they run in place.

    max_workers: for PEP 3148's sake; the farm has the workers it was started with, and a warning
        says so where that is another number.
    initializer: called with `initargs` once in each worker process, before its first task of this
        executor. It travels with each call: large objects belong into `shared.setConst`. Where it
        raises, calls raise `BrokenMPIExecutor`, a `concurrent.futures.BrokenExecutor`.
    base: the executor below, where it is not the one of this process.
    checkpoint: a file in which the outcomes of its calls and maps are kept as they come, and from
        which they are taken where the file has them; nothing is kept where there is no farm.
        Raises CheckpointError where the file is something else, or not to be trusted.
    keep_failures: True to take failures from that file as they are; they are tried again else.
    status, trace, report: files of all that the farm does until the shutdown, as `myscoop --status`
        and so on write them; a warning where there is none. ValueError where one cannot be written.
    progress: of its maps, where they are given none.
    accepted: the keywords of other executors, which change nothing here; a warning says so of
        those that tasks would miss (`max_tasks_per_child`), others do no harm (`mp_context`).
    """

    __module__ = "scoopmpi"  # users import and see it there

    def __init__(
        self,
        max_workers: int | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
        *,
        base: Executor | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        keep_failures: bool = False,
        status: str | os.PathLike[str] | None = None,
        trace: str | os.PathLike[str] | None = None,
        report: str | os.PathLike[str] | None = None,
        progress: bool | str | None = None,
        **accepted: Any,
    ) -> None:
        asked_of_pools.check_workers(max_workers)
        asked_of_pools.accept(accepted)
        if initializer is not None and not callable(initializer):
            raise TypeError(f"initializer must be a function, {initializer!r} is not callable")
        self._base = base
        self._initializer = None if initializer is None else Initializer(initializer, initargs)
        # Re-entrant, as a callback that runs while this thread waits may submit.
        self._lock = threading.RLock()
        self._handed_in = HandedIn(base or current())
        self._shut = False
        self._broken: BaseException | None = None
        watched = watching_asked.asked(status, trace, report, progress)
        self._beside = Beside(checkpoint, keep_failures, watched)
        if self._beside.asked:
            self._base = self._beside.begin(self._base or usable(), self._base)

    def __reduce__(self) -> tuple[Any, ...]:
        """On another rank: an executor of its own there, for objects that hold one."""
        if self._initializer is None:
            return MPIExecutor, ()
        return MPIExecutor, (None, self._initializer.initializer, self._initializer.initargs)

    @property
    def num_workers(self) -> int:
        """How many processes run tasks."""
        return (self._base or current()).workers

    _max_workers = num_workers  # what libraries read of the standard library's executors

    # Calls.

    def submit(  # type: ignore[override] # some keywords are ours
        self,
        fn: Callable[..., T],
        /,
        *args: Any,
        task_timeout: float | None = None,
        retries: int | None = None,
        retry_delay: float | None = None,
        retry_on: ExceptionTypes | None = None,
        **kwargs: Any,
    ) -> Future[T]:
        """Have `fn(*args, **kwargs)` run by a worker, and return its future at once.

        args, kwargs: packed now, as they are; later changes do not reach the call.
        task_timeout: seconds that it may take where it runs, without the initializer; the future
            raises `scoopmpi.TaskTimeout` afterwards. None: as --task-timeout says.
        retries, retry_delay, retry_on: how it is tried again where it raises, see `map`; passed to
            `fn` only where that has a parameter of such a name itself.

        Raises RuntimeError after `shutdown`, BrokenMPIExecutor after a failed initializer.
        """
        retry = None
        if retries is not None or retry_delay is not None or retry_on is not None:
            from ..tasks.retry import of_call  # late: few calls are tried again

            retry, kwargs = of_call(fn, kwargs, retries, retry_delay, retry_on)
        return self.call(fn, args, kwargs, task_timeout, retry)

    def call(
        self,
        fn: Callable[..., T],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        task_timeout: float | None = None,
        retry: Retry | None = None,
    ) -> Future[T]:
        """Submit as `submit` does; all of `kwargs` are the function's, whatever their names."""
        with self._lock:  # what has passed the check is counted before shutdown looks
            return self._hand_in(self._open(), fn, args, kwargs, task_timeout, retry)

    def _hand_in(
        self,
        below: Executor,
        fn: Callable[..., T],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        task_timeout: float | None,
        retry: Retry | None,
    ) -> Future[T]:
        if self._initializer is not None:
            fn, task_timeout = self._initialized(fn, task_timeout), NO_LIMIT
        future = below.call(fn, args, kwargs, task_timeout, retry)
        self._handed_in.add_call(future, below, self._ended)
        return future

    def _ended(self, future: Future[Any]) -> None:
        if self._initializer is not None and not future.cancelled():
            self._failed(future.exception(0))
        self._handed_in.call_over(future)

    # Maps.

    def map(
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
        ordered: bool = True,
        unordered: bool = False,
        strict: bool = False,
        task_timeout: float | None = None,
        return_exceptions: bool = False,
        retries: int | None = None,
        retry_delay: float | None = None,
        retry_on: ExceptionTypes | None = None,
        progress: bool | str | None = None,
    ) -> Iterator[T]:
        """Have `fn` run over the iterables, and return an iterator of the values.

        The work begins at once. A map that nobody reads is run all the same, at the latest by
        `shutdown`; one that was read in part and dropped is not run to its end.

        timeout: seconds from now until the last value; TimeoutError afterwards.
        chunksize: checked and not used, batches follow measured durations.
        buffersize: how many tasks may be ahead of the consumer; None lets memory decide. With it
            values come in order in any case.
        ordered: False gives the values as they arrive; so does unordered=True.
        strict: ValueError behind the last value where one iterable is longer than another.
        task_timeout: seconds that each task may take; TaskTimeout in its place afterwards.
        return_exceptions: True gives what tasks raise in the place of their values; else the first
            that is met is raised, and the rest given up.
        retries, retry_delay, retry_on, progress: as in `futures.map`; no bar with a buffersize.

        Raises TypeError and ValueError for what these cannot be; RuntimeError after `shutdown`,
        BrokenMPIExecutor after a failed initializer.
        """
        if chunksize < 1:
            raise ValueError(f"chunksize is {chunksize}, it must be at least 1")
        ordered = ordered and not unordered
        retry = retry_asked(retries, retry_delay, retry_on)
        options = map_options(
            fn, iterables, timeout, ordered, task_timeout, return_exceptions, retry, progress
        )
        if strict and len(iterables) > 1:
            fn, iterables = Starred(fn), (zip(*iterables, strict=True),)
        if buffersize is None:
            return chain.from_iterable(self.results(fn, iterables, options))
        check_buffersize(buffersize)
        return self._bounded(fn, iterables, options, buffersize)

    def results(
        self, fn: Callable[..., Any], iterables: Sequence[Iterable[Any]], options: MapOptions
    ) -> MapValues:
        """Have `fn` run over the iterables, and return the values in lists, as `Pool` needs them.

        options: of `map_options`.
        """
        options, failed = self._beside.shown(options), None
        opening = threading.Lock()
        with opening:  # reads the user's iterators: not with the executor's own
            below = self._opened(opening)
            if self._initializer is not None:
                fn = self._initialized(fn, options.task_timeout)
                options, failed = options._replace(task_timeout=NO_LIMIT), self._failed
            if options.progress:
                iterables = shown(below, fn, iterables, options.progress)
            results = below.results(fn, iterables, options)
            self._handed_in.add_map(results, below)
        if failed is not None:
            results.watch(failed)
        return MapValues(results, self._handed_in, failed)

    def _bounded(
        self,
        fn: Callable[..., Any],
        iterables: Sequence[Iterable[Any]],
        options: MapOptions,
        size: int,
    ) -> BoundedValues:
        deadline = options.deadline()
        opening = threading.Lock()
        with opening:
            below = self._opened(opening)
            run = limited(fn, options.task_timeout)
            call = partial(self._hand_in_row, below, run, options.retry)
            rows, without_end = zip(*iterables, strict=False), all(map(endless, iterables))
            bounded = BoundedMap(describe(fn), call, rows, size, without_end)
            self._handed_in.add_map(bounded, below)
        return BoundedValues(
            bounded, self._handed_in, deadline, lambda: self._shut, self._open,
            options.return_exceptions,
        )  # fmt: skip

    def _hand_in_row(
        self, below: Executor, fn: Callable[..., T], retry: Retry | None, row: tuple[Any, ...]
    ) -> Future[T]:
        """Hand in one task of a map, whose function has its limit."""
        return self._hand_in(below, fn, row, {}, NO_LIMIT, retry)

    # The beginning and the end.

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls; leaving a `with` block does this too.

        wait: whether to return only when all that was handed in has run; maps keep their values
            for later in any case.
        cancel_futures: whether what has not begun is not to run; it raises CancelledError then.
        """
        with self._lock:
            self._shut = True
        if cancel_futures:
            self._handed_in.cancel()
        if wait:
            self._handed_in.wait()
            (self._base or current()).wait_until(self._handed_in.ceased)
            self._beside.end()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        signalled = cut_short(self._base or current())  # then nothing is waited for any more
        self.shutdown(wait=not signalled, cancel_futures=signalled)

    def let_go(self) -> None:
        """Have the end of the program not wait for what still runs, and nobody watch it."""
        self._handed_in.let_go()
        self._beside.end()

    def work_as(self, other: MPIExecutor) -> None:
        """Have calls run from now on where those of another executor run."""
        if self._base is not other._base:
            self._base = self._beside.begin(other._base or usable(), other._base)

    def _opened(self, opening: threading.Lock) -> Executor:
        with self._lock:
            self._handed_in.opening(opening)
            return self._open()

    def _open(self) -> Executor:
        if self._broken is not None:
            raise BrokenMPIExecutor(str(self._broken)) from self._broken
        if self._shut:
            raise RuntimeError("cannot schedule new futures: this executor has been shut down")
        if identity.this.ended:
            raise RuntimeError("cannot schedule new futures: the program has ended")
        return self._base or usable()

    def _initialized(
        self, fn: Callable[..., Any], task_timeout: float | None
    ) -> Callable[..., Any]:
        """Return the function behind the initializer, for which there is no limit."""
        assert self._initializer is not None
        return Initialized(self._initializer, limited(fn, task_timeout))

    def _failed(self, error: BaseException | None) -> None:
        if isinstance(error, BrokenMPIExecutor) and self._broken is None:
            self._broken = error
            logger.critical("Exception in initializer:", exc_info=error)
