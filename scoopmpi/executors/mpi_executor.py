"""`MPIExecutor`: a `concurrent.futures.Executor` with a beginning and an end, on a farm that stays.

It counts what was handed to it, so that `shutdown` can wait for that or cancel it. The work itself
is the business of the executor below: the farm's, a worker's own inside tasks, or the serial one.
"""

from __future__ import annotations

import atexit
import logging
import math
import os
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from ..concurrency.timeouts import seconds
from ..process import identity
from ..tasks.arguments import endless, sized
from ..tasks.current_executor import Executor, current, usable
from ..tasks.future import Future
from ..tasks.initializer import BrokenMPIExecutor, Initialized, Initializer
from ..tasks.limit import limited
from ..tasks.serial import SerialExecutor
from ..tasks.starred import Starred
from ..tasks.unfinished import cut_short
from ..wire.failure import describe
from . import foreign_names
from .buffered import Buffer, Buffered
from .farm_executor import FarmExecutor
from .results import IteratorResults, Results
from .taken import Taken

if TYPE_CHECKING:
    from ..checkpoint.record import Checkpoint

T = TypeVar("T")


logger = logging.getLogger("concurrent.futures")


class MPIExecutor(foreign_names.Executing):
    """Runs calls on the farm's workers until it is shut down; serial where there is no farm.

    max_workers: accepted for PEP 3148's sake; the farm has the workers it was started with.
    initializer: called with `initargs` once in each worker process, before its first task of this
        executor. It travels with each call: large objects belong into `shared.setConst`. Where it
        raises, calls raise `BrokenMPIExecutor`, a `concurrent.futures.BrokenExecutor`.
    base: the executor below, where it is not the one of this process.
    checkpoint: a file in which the outcomes of its calls and maps are kept as they come, and from
        which they are taken where the file has them; nothing is kept where there is no farm.
        Raises CheckpointError where the file is something else, or not to be trusted.
    accepted: the keywords of other executors, as `mp_context`, which change nothing here.
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
        **accepted: Any,
    ) -> None:
        foreign_names.check_workers(max_workers)
        foreign_names.accept(accepted)
        if initializer is not None and not callable(initializer):
            raise TypeError(f"initializer must be a function, {initializer!r} is not callable")
        self._base = base
        self._below = base or current()
        self._initializer = None if initializer is None else Initializer(initializer, initargs)
        # Re-entrant, as a callback that runs while this thread waits may submit.
        self._lock = threading.RLock()
        self._pending: set[object] = set()  # calls, and maps that are just being opened
        self._maps: dict[Results, bool] = {}  # and whether somebody may still read the values
        self._closed: deque[Callable[[], bool]] = deque()  # say whether a map has ceased to run
        self._shut = False
        self._broken: BaseException | None = None
        self._checkpoint: Checkpoint | None = None
        if checkpoint is not None:
            self._keep_in(checkpoint)

    takes_values = False

    def __reduce__(self) -> tuple[Any, ...]:
        """On another rank: an executor of its own there, for objects that hold one."""
        if self._initializer is None:
            return MPIExecutor, ()
        return MPIExecutor, (None, self._initializer.initializer, self._initializer.initargs)

    @property
    def num_workers(self) -> int:
        """How many processes run tasks."""
        below = self._base or current()
        return below.farm.members.size if isinstance(below, FarmExecutor) else 1

    _max_workers = num_workers  # what libraries read of the standard library's executors

    def submit(  # type: ignore[override] # one keyword is ours
        self,
        fn: Callable[..., T],
        /,
        *args: Any,
        task_timeout: float | None = None,
        **kwargs: Any,
    ) -> Future[T]:
        """Have `fn(*args, **kwargs)` run by a worker; arguments are packed now, as they are.

        task_timeout: seconds that it may take where it runs, without the initializer.
        Raises RuntimeError after `shutdown`, BrokenMPIExecutor after a failed initializer.
        """
        with self._lock:  # what has passed the check is counted before shutdown looks
            return self._hand_in(self._open(), fn, args, kwargs, task_timeout)

    def _hand_in(
        self,
        below: Executor,
        fn: Callable[..., T],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        task_timeout: float | None,
    ) -> Future[T]:
        fn, task_timeout = self._prepared(fn, task_timeout)
        future = below.submit(fn, *args, task_timeout=task_timeout, **kwargs)
        self._pending.add(future)
        self._enter(below)
        future._ended = self._ended
        if future.done():
            self._ended(future)
        return future

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
    ) -> Iterator[T]:
        """The values of `fn` over the iterables, as an iterator; the work begins at once.

        timeout: seconds from now until the last value; TimeoutError afterwards.
        chunksize: checked and not used, batches follow measured durations.
        buffersize: how many tasks may be ahead of the consumer; None lets memory decide. With it
            values come in order in any case.
        ordered: False gives the values as they arrive; so does unordered=True.
        strict: ValueError behind the last value where one iterable is longer than another.
        task_timeout: seconds that each task may take; TaskTimeout in its place afterwards.

        A map that nobody reads is run all the same, at the latest by `shutdown`; one that was read
        in part and dropped is not run to its end.
        """
        if chunksize < 1:
            raise ValueError(f"chunksize is {chunksize}, it must be at least 1")
        ordered = ordered and not unordered
        if strict and len(iterables) > 1:
            fn, iterables = Starred(fn), (zip(*iterables, strict=True),)
        if buffersize is None:
            values = self.results(fn, iterables, timeout, ordered, task_timeout)
            return chain.from_iterable(values)
        if not isinstance(buffersize, int):
            raise TypeError(f"buffersize is {buffersize!r}, it must be an integer or None")
        if buffersize < 1:
            raise ValueError(f"buffersize is {buffersize}, it must be at least 1")
        if not iterables:
            raise TypeError("map needs at least one iterable of arguments")
        timeout = seconds(timeout)
        deadline = None if timeout is None else time.monotonic() + timeout
        below = self._open()
        call = partial(self._submit, below, limited(fn, task_timeout))
        without_end = all(map(endless, iterables))
        rows = zip(*iterables, strict=False)
        buffer = Buffer(describe(fn), call, rows, buffersize, without_end)
        bounded = Buffered(buffer, self._maps, deadline, lambda: self._shut, self._open)
        self._enter(below)
        return bounded

    def results(
        self,
        fn: Callable[..., Any],
        iterables: Sequence[Iterable[Any]],
        timeout: float | None = None,
        ordered: bool = True,
        task_timeout: float | None = None,
    ) -> Taken:
        """What `map` gives, a list of values at a time."""
        opening = object()
        with self._lock:
            below = self._open()
            self._pending.add(opening)
        try:  # reads the user's iterators: not with the lock
            fn, task_timeout = self._prepared(fn, task_timeout)
            results = _results(below, fn, iterables, timeout, ordered, task_timeout)
            self._maps[results] = True
            self._enter(below)
        finally:
            self._pending.discard(opening)
        self._ceased()
        failed = None if self._initializer is None else self._failed
        if failed is not None:
            results.watch(failed)
        return Taken(results, self._maps, self._closed, self._idle, failed)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls.

        wait: return when all that was handed in has run; maps keep their values for later.
        cancel_futures: what has not begun does not run, and raises CancelledError.
        """
        with self._lock:
            self._shut = True
        if cancel_futures:
            for future in self._pending.copy():
                if isinstance(future, Future):
                    future.cancel()
            for results in self._maps.copy():
                results.cancel()
                self._closed.append(results.settled)
        if wait:
            self._wait()
            (self._base or current()).wait_until(self._ceased)
        if wait and self._checkpoint is not None:
            self._checkpoint.close(ended=True)
            atexit.unregister(self._checkpoint.close)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        signalled = cut_short(self._base or current())  # then nothing is waited for any more
        self.shutdown(wait=not signalled, cancel_futures=signalled)

    def finish(self) -> None:
        """For the end of the program: return when all that was handed in has run.

        Nobody takes values any more, and of what was read in part no more is read.
        """
        for results in self._maps.copy():
            results.bound()
            self._maps[results] = False
        self._wait()

    def let_go(self) -> None:
        """The end of the program does not wait for what still runs."""
        self._below.unfinished.discard(self)

    def _enter(self, below: Executor) -> None:
        """From now on the end of the program waits."""
        self._below = below
        below.unfinished.add(self)

    def _wait(self) -> None:
        while self._maps or self._pending:
            if self._maps:
                results, keep = self._maps.popitem()
                results.finish(keep)
            else:
                self._below.wait_until(lambda: bool(self._maps or not self._pending))
        self._idle()

    def _ceased(self) -> bool:
        """Whether nothing runs any more of maps that have ended early."""
        while self._closed and self._closed[0]():
            self._closed.popleft()
        return not self._closed

    def _keep_in(self, path: str | os.PathLike[str]) -> None:
        below = self._base or usable()
        if not isinstance(below, FarmExecutor):
            text = f"{os.fspath(path)}: nothing is kept, a checkpoint is for the program on a farm"
            warnings.warn(text, RuntimeWarning, stacklevel=4)
            return
        from ..checkpoint.record import opened  # late: few executors have one

        self._checkpoint = opened(path, below.farm.sharing)
        self._base = FarmExecutor(below.farm, self._checkpoint)
        atexit.register(self._checkpoint.close, True)

    def _prepared(
        self, fn: Callable[..., Any], task_timeout: float | None
    ) -> tuple[Callable[..., Any], float | None]:
        """The function behind the initializer, which has no limit, and the limit that is left."""
        if self._initializer is None:
            return fn, task_timeout
        return Initialized(self._initializer, limited(fn, task_timeout)), math.inf

    def _submit(self, below: Executor, fn: Callable[..., T], row: tuple[Any, ...]) -> Future[T]:
        """One task of a map, whose function has its limit."""
        return self._hand_in(below, fn, row, {}, math.inf)

    def _open(self) -> Executor:
        if self._broken is not None:
            raise BrokenMPIExecutor(str(self._broken)) from self._broken
        if self._shut:
            raise RuntimeError("cannot schedule new futures: this executor has been shut down")
        if identity.ended:
            raise RuntimeError("cannot schedule new futures: the program has ended")
        return self._base or usable()

    def _ended(self, future: Future[Any]) -> None:
        if self._initializer is not None and not future.cancelled():
            self._failed(future.exception(0))
        self._pending.discard(future)
        self._idle()

    def _idle(self) -> None:
        """Where nothing is under way, the end of the program does not wait."""
        if not (self._pending or self._maps):
            self._below.unfinished.discard(self)
            if self._pending or self._maps:  # another thread was faster
                self._below.unfinished.add(self)

    def _failed(self, error: BaseException | None) -> None:
        if isinstance(error, BrokenMPIExecutor) and self._broken is None:
            self._broken = error
            logger.critical("Exception in initializer:", exc_info=error)


def _results(
    below: Executor,
    fn: Callable[..., Any],
    iterables: Sequence[Iterable[Any]],
    timeout: float | None,
    ordered: bool,
    task_timeout: float | None,
) -> Results:
    if isinstance(below, FarmExecutor):
        return below.results(fn, iterables, timeout, ordered, task_timeout)
    read = not all(map(sized, iterables)), all(map(endless, iterables))
    if isinstance(below, SerialExecutor):
        values = below.map(
            fn, *iterables, timeout=timeout, ordered=ordered, task_timeout=task_timeout
        )
        return IteratorResults(values, *read)
    worker: Any = below
    nested = worker.results(fn, iterables, timeout, ordered, task_timeout)
    return IteratorResults(chain.from_iterable(nested), *read, nested.settled_later())
