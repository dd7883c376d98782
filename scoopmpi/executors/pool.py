"""`Pool`: the methods of `multiprocessing.Pool`, for libraries that want an object with them.

emcee, dynesty, scipy and others call `pool.map` and look at `pool.size`. Everything is handed to an
`MPIExecutor`; here are only the other words. What is asked for later is in `async_results`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any

from ..concurrency.signal_scopes import calling, uninterrupted
from ..tasks.current_executor import current
from ..tasks.executor import ExceptionTypes, map_options
from ..tasks.future import Future
from ..tasks.wrapped import Starred
from . import asked_of_pools
from .async_results import AsyncResult, ImapValues
from .mpi_executor import MPIExecutor
from .retries_asked import retry_asked
from .schwimmbad_names import SchwimmbadNames


class Pool(SchwimmbadNames):
    """Runs calls on the workers of the farm, in `multiprocessing.Pool`'s words.

        with Pool() as pool:
            sampler = emcee.EnsembleSampler(walkers, dimensions, log_probability, pool=pool)
            sampler.run_mcmc(start, steps)

    Leaving a `with` block cancels what has not begun, as it does there: take the results inside.

    processes, maxtasksperchild: a warning says what holds instead: the farm has the workers that it
        was started with, and keeps them. context: without effect.
    initializer: called with `initargs` once in each worker process, before this pool's first task
        there.
    status, trace, report, progress: who watches until the end of this pool, as for `MPIExecutor`.
    """

    __module__ = "scoopmpi"  # users import and see it there

    def __init__(
        self,
        processes: int | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
        maxtasksperchild: int | None = None,
        context: Any = None,
        *,
        status: str | os.PathLike[str] | None = None,
        trace: str | os.PathLike[str] | None = None,
        report: str | os.PathLike[str] | None = None,
        progress: bool | str | None = None,
    ) -> None:
        asked_of_pools.check_workers(processes, "processes")
        if maxtasksperchild is not None and not isinstance(maxtasksperchild, int):
            raise ValueError(f"maxtasksperchild is {maxtasksperchild!r}, it must be an integer")
        asked_of_pools.check_tasks(maxtasksperchild, "maxtasksperchild")
        self._executor = MPIExecutor(
            None, initializer, initargs,
            status=status, trace=trace, report=report, progress=progress,
        )  # fmt: skip
        self._unfinished: set[AsyncResult] = set()
        self._closed = False

    def __reduce__(self) -> tuple[Any, ...]:
        """On another rank: a pool of its own there, for objects that hold one."""
        return _pool_of, (self._executor,)

    @property
    def size(self) -> int:
        """How many processes run tasks."""
        return self._executor.num_workers if self._ranks is None else self._ranks.workers

    # What libraries read of other pools (nessai, pyswarms, dask).
    _processes = _max_workers = size

    @property
    def _pool(self) -> list[int]:
        return sorted(self.workers)

    # Results at once.

    def apply(
        self, func: Callable[..., Any], args: Iterable[Any] = (), kwds: Mapping[str, Any] = {}
    ) -> Any:
        """Return the value of `func(*args, **kwds)`, which a worker runs; raises what it raises."""
        return self.apply_async(func, args, kwds).get()

    def map(
        self,
        func: Callable[[Any], Any],
        iterable: Iterable[Any],
        chunksize: int | Callable[[Any], object] | None = None,
        callback: Callable[[Any], object] | None = None,
        **options: Any,
    ) -> list[Any]:
        """Return a list of the values of `func` over the iterable, in order.

        chunksize: accepted; batches follow measured durations.
        callback: called with each value, in order, as they come (as in schwimmbad, whose pools
            take it as the third argument too).
        options: return_exceptions, retries, retry_delay, retry_on, task_timeout, progress, as for
            `MPIExecutor.map`.

        Raises what the first task raises that fails, and ValueError after `close`.
        """
        self._check()
        if callable(chunksize):
            callback = chunksize
        values = self._executor.map(func, iterable, **options)
        if callback is None:
            return list(values)
        found = []
        for value in values:
            callback(value)
            found.append(value)
        return found

    def starmap(
        self,
        func: Callable[..., Any],
        iterable: Iterable[Iterable[Any]],
        chunksize: int | None = None,
        **options: Any,
    ) -> list[Any]:
        """Return a list as `map` does; each element of the iterable is a call's arguments."""
        return self.map(Starred(func), iterable, **options)

    def imap(
        self,
        func: Callable[[Any], Any],
        iterable: Iterable[Any],
        chunksize: int = 1,
        **options: Any,
    ) -> ImapValues:
        """Return an iterator of the values, in order, whose `next` takes a timeout in seconds.

        A task that raises raises in its place; the values of the next tasks follow.

        options: as for `map`.
        """
        self._check()
        return self._imap(func, iterable, True, **options)

    def imap_unordered(
        self,
        func: Callable[[Any], Any],
        iterable: Iterable[Any],
        chunksize: int = 1,
        **options: Any,
    ) -> ImapValues:
        """Return an iterator as `imap` does; each value comes as soon as it is there."""
        self._check()
        return self._imap(func, iterable, False, **options)

    def _imap(
        self,
        func: Callable[[Any], Any],
        iterable: Iterable[Any],
        ordered: bool,
        task_timeout: float | None = None,
        return_exceptions: bool = False,
        retries: int | None = None,
        retry_delay: float | None = None,
        retry_on: ExceptionTypes | None = None,
        progress: bool | str | None = None,
    ) -> ImapValues:
        retry = retry_asked(retries, retry_delay, retry_on)
        options = map_options(
            func, (iterable,), None, ordered, task_timeout, return_exceptions, retry, progress
        )
        return ImapValues(self._executor.results(func, (iterable,), options))

    # Results for later.

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have `fn(*args, **kwargs)` run, and return its future at once.

        For libraries that want pools to be executors. Raises ValueError after `close`.
        """
        self._check()
        return self._executor.submit(fn, *args, **kwargs)

    def apply_async(
        self,
        func: Callable[..., Any],
        args: Iterable[Any] = (),
        kwds: Mapping[str, Any] = {},
        callback: Callable[[Any], object] | None = None,
        error_callback: Callable[[BaseException], object] | None = None,
    ) -> AsyncResult:
        """Have `func(*args, **kwds)` run, and return an `AsyncResult` at once.

        callback: called with the value when it is there.
        error_callback: called with the exception where the call raises.
        """
        self._check()
        future = self._executor.call(func, tuple(args), dict(kwds))
        with calling:  # what is counted must have something that ends it
            result = AsyncResult(self._unfinished, callback, error_callback)
            future.add_done_callback(lambda done: result.finish_with(done.result))
        return result

    def map_async(
        self,
        func: Callable[[Any], Any],
        iterable: Iterable[Any],
        chunksize: int | None = None,
        callback: Callable[[Any], object] | None = None,
        error_callback: Callable[[BaseException], object] | None = None,
        **options: Any,
    ) -> AsyncResult:
        """Have `func` run over the iterable, and return an `AsyncResult` of the list at once.

        callback: called with the list when all values are there.
        error_callback: called with the exception where a task raises.
        options: as for `map`.
        """
        self._check()
        values = self._executor.map(func, iterable, **options)
        if current().any_thread_waits:
            # Somebody has to take the values, or the map stops when its window is full.
            with uninterrupted:  # what is counted must have something that ends it
                result = AsyncResult(self._unfinished, callback, error_callback)
                threading.Thread(
                    target=result.finish_with,
                    args=(lambda: list(values),),
                    name="scoopmpi map_async",
                    daemon=True,
                ).start()
        else:  # without ranks, and inside tasks, whose own thread the work needs
            result = AsyncResult(self._unfinished, callback, error_callback)
            result.finish_with(lambda: list(values))
        return result

    def starmap_async(
        self,
        func: Callable[..., Any],
        iterable: Iterable[Iterable[Any]],
        chunksize: int | None = None,
        callback: Callable[[Any], object] | None = None,
        error_callback: Callable[[BaseException], object] | None = None,
        **options: Any,
    ) -> AsyncResult:
        """Return an `AsyncResult` as `map_async` does; each element is a call's arguments."""
        return self.map_async(Starred(func), iterable, None, callback, error_callback, **options)

    # The end.

    def close(self) -> None:
        """Take no more calls; in a program that asks who is the master, also wait as `join` does.

        That is schwimmbad's way: the ranks that wait for work go on afterwards.
        """
        self._closed = True
        if self._ranks is not None:
            self.join()

    def terminate(self) -> None:
        """Take no more calls, and cancel those that have not begun."""
        self._closed = True
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor.let_go()
        for result in self._unfinished.copy():
            result.let_go()
        self._dismiss(failed=True)

    def join(self) -> None:
        """Return when all that was handed in has run; ValueError before `close` or `terminate`."""
        if not self._closed:
            raise ValueError("the pool is still running: close() or terminate() it first")
        for result in self._unfinished.copy():
            result.wait()
        self._executor.shutdown()
        self._dismiss(failed=False)

    def __enter__(self) -> Pool:
        if self._closed:
            raise ValueError("the pool is not running, it has been closed")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None and not self._closed:
            left = sum(not result.ready() for result in self._unfinished.copy())
            asked_of_pools.tell_ended(left)
        self.terminate()

    def _check(self) -> None:
        if self._closed:
            raise ValueError("the pool is not running, it has been closed")
        self._gather()


def _pool_of(executor: MPIExecutor) -> Pool:
    pool = Pool()
    pool._executor = executor
    return pool
