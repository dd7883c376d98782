"""`Pool`: the methods of `multiprocessing.Pool`, for libraries that want an object with them.

emcee, dynesty, scipy and others call `pool.map` and look at `pool.size`. Everything is handed to an
`MPIExecutor`; here are only the other words. The results that are asked for later: `later`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any

from ..tasks.current_executor import current
from ..tasks.future import Future
from ..tasks.starred import Starred
from . import foreign_names
from .async_results import AsyncResult, Values
from .farm_executor import FarmExecutor
from .leading import Leading
from .mpi_executor import MPIExecutor


class Pool(Leading):
    """Runs calls on the workers of the farm, in `multiprocessing.Pool`'s words.

    processes, maxtasksperchild, context: accepted; the farm has the workers it was started with.
    initializer, initargs: run once in each worker process, before this pool's first task there.

    Leaving a `with` block cancels what has not begun, as it does there: take the results inside.
    """

    __module__ = "scoopmpi"  # users import and see it there

    def __init__(
        self,
        processes: int | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
        maxtasksperchild: int | None = None,
        context: Any = None,
    ) -> None:
        foreign_names.check_workers(processes, "processes")
        if maxtasksperchild is not None and not isinstance(maxtasksperchild, int):
            raise ValueError(f"maxtasksperchild is {maxtasksperchild!r}, it must be an integer")
        foreign_names.check_workers(maxtasksperchild, "maxtasksperchild")
        self._executor = MPIExecutor(None, initializer, initargs)
        self._unfinished: set[AsyncResult] = set()
        self._closed = False

    def __reduce__(self) -> tuple[Any, ...]:
        """On another rank: a pool of its own there, for objects that hold one."""
        return _pool_of, (self._executor,)

    @property
    def size(self) -> int:
        """How many processes run tasks."""
        return self._executor.num_workers if self._crew is None else self._crew.workers

    # What libraries read of other pools (nessai, pyswarms, dask).
    _processes = _max_workers = size

    @property
    def _pool(self) -> list[int]:
        return sorted(self.workers)

    # Results at once.

    def apply(
        self, func: Callable[..., Any], args: Iterable[Any] = (), kwds: Mapping[str, Any] = {}
    ) -> Any:
        """The value of `func(*args, **kwds)`, from a worker."""
        return self.apply_async(func, args, kwds).get()

    def map(
        self,
        func: Callable[[Any], Any],
        iterable: Iterable[Any],
        chunksize: int | Callable[[Any], object] | None = None,
        callback: Callable[[Any], object] | None = None,
    ) -> list[Any]:
        """The values of `func` over the iterable, in order.

        callback: called with each value, in order, as they come (as in schwimmbad, whose pools
            take it as the third argument too).
        """
        self._check()
        if callable(chunksize):
            callback = chunksize
        values = self._executor.map(func, iterable)
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
    ) -> list[Any]:
        """As `map`; each element of the iterable is unpacked as the arguments of a call."""
        return self.map(Starred(func), iterable)

    def imap(
        self, func: Callable[[Any], Any], iterable: Iterable[Any], chunksize: int = 1
    ) -> Values:
        """As `map`, as an iterator whose `next` takes a timeout; it goes on behind a failure."""
        self._check()
        return Values(self._executor.results(func, (iterable,)))

    def imap_unordered(
        self, func: Callable[[Any], Any], iterable: Iterable[Any], chunksize: int = 1
    ) -> Values:
        """As `imap`; each value comes as soon as it is there."""
        self._check()
        return Values(self._executor.results(func, (iterable,), ordered=False))

    # Results for later.

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have `fn(*args, **kwargs)` run; a future, for libraries that want pools to be executors.

        Raises ValueError after `close`.
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
        """Have `func(*args, **kwds)` run; one of the callbacks is called when it has."""
        self._check()
        future = self._executor.submit(func, *args, **kwds)
        result = AsyncResult(self._unfinished, callback, error_callback)
        future.add_done_callback(lambda done: result._finish(done.result))
        return result

    def map_async(
        self,
        func: Callable[[Any], Any],
        iterable: Iterable[Any],
        chunksize: int | None = None,
        callback: Callable[[Any], object] | None = None,
        error_callback: Callable[[BaseException], object] | None = None,
    ) -> AsyncResult:
        """As `map`, for later; the callback gets the list."""
        self._check()
        values = self._executor.map(func, iterable)
        result = AsyncResult(self._unfinished, callback, error_callback)
        if isinstance(current(), FarmExecutor):
            # Somebody has to take the values, or the map stops when its window is full.
            threading.Thread(
                target=result._finish,
                args=(lambda: list(values),),
                name="scoopmpi map_async",
                daemon=True,
            ).start()
        else:  # without ranks, and inside tasks, whose own thread the work needs
            result._finish(lambda: list(values))
        return result

    def starmap_async(
        self,
        func: Callable[..., Any],
        iterable: Iterable[Iterable[Any]],
        chunksize: int | None = None,
        callback: Callable[[Any], object] | None = None,
        error_callback: Callable[[BaseException], object] | None = None,
    ) -> AsyncResult:
        """As `starmap`, for later; the callback gets the list."""
        return self.map_async(Starred(func), iterable, None, callback, error_callback)

    # The end.

    def close(self) -> None:
        """Take no more calls. In schwimmbad's way this also waits, and lets the workers go."""
        self._closed = True
        if self._crew is not None:
            self.join()

    def terminate(self) -> None:
        """Take no more calls, and cancel those that have not begun."""
        self._closed = True
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor.let_go()
        for result in self._unfinished.copy():
            result._below.unfinished.discard(result)
        self._dismiss(failed=True)

    def join(self) -> None:
        """Wait for all that was handed in; ValueError before `close` or `terminate`."""
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
        self.terminate()

    def _check(self) -> None:
        if self._closed:
            raise ValueError("the pool is not running, it has been closed")
        self._gather()


def _pool_of(executor: MPIExecutor) -> Pool:
    pool = Pool()
    pool._executor = executor
    return pool
