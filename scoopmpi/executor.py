"""Executors in the manner of PEP 3148: over a farm, or serial where there is none.

Here callers' words (map, submit, timeout) become jobs; who runs them is the farm's business. One
executor is current in a process; `futures` speaks to it.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from concurrent.futures import Future as PEP3148Future
from concurrent.futures import TimeoutError as WaitedTooLong  # the built-in one from 3.11 on
from itertools import chain
from typing import Any, TypeVar

from . import failure, payload
from .farm import Farm
from .job import MapJob, function, values
from .pause import pause

T = TypeVar("T")


class Future(PEP3148Future[T]):
    """A call that was submitted: a `concurrent.futures.Future` that works while you wait for it."""

    _farm: Farm | None = None

    def result(self, timeout: float | None = None) -> T:
        """The call's value; raises what it raised, or TimeoutError after `timeout` seconds."""
        return super().result(self._drive(timeout))

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """What the call raised, or None; waits up to `timeout` seconds."""
        return super().exception(self._drive(timeout))

    def _drive(self, timeout: float | None) -> float | None:
        """Drive the farm until the call is done; returns how long to wait afterwards."""
        if self._farm is None:
            return timeout
        if not self.done():
            self._farm.wait_until(self.done, None if timeout is None else max(0.0, timeout))
        return None if timeout is None else 0


class FarmExecutor(Executor):
    """Runs calls on the workers of a farm."""

    def __init__(self, farm: Farm) -> None:
        self.farm = farm

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Have `fn(*args, **kwargs)` run by a worker; arguments are packed now, as they are."""
        self.farm.wait_for_first_worker()
        future: Future[T] = Future()
        future._farm = self.farm
        try:
            frame = payload.copied(payload.pack((fn, args, kwargs)))
        except Exception as error:
            future.set_running_or_notify_cancel()
            future.set_exception(_explained(error, fn))
            return future
        self.farm.submit(future, frame)
        return future

    def map(
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        ordered: bool = True,
        **_: Any,
    ) -> Iterator[T]:
        """The values of `fn` over the iterables, as an iterator; the work begins at once.

        timeout: seconds from now until the last value; TimeoutError afterwards.
        chunksize: accepted and ignored, batches follow measured durations.
        ordered: False gives the values as they arrive.
        """
        self.farm.wait_for_first_worker()
        packed = function(fn)
        job = MapJob(packed, iterables, lambda: self.farm.members.size, ordered)
        number = self.farm.open_map(job, packed)
        return chain.from_iterable(_Batches(self.farm, job, number, timeout))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Accepted; the farm ends with the program."""


class _Batches:
    """The values of a map, a list for each batch, so that single values come at C speed."""

    def __init__(self, farm: Farm, job: MapJob, number: int, timeout: float | None) -> None:
        self._farm, self._job, self._number = farm, job, number
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._failure: BaseException | None = None
        self._ended = False

    def __iter__(self) -> _Batches:
        return self

    def __next__(self) -> list[Any]:
        try:
            while not self._ended:
                if self._failure is not None:
                    raise _raisable(self._failure)
                if self._job.exhausted:
                    break
                found = self._next_values()
                if found:
                    return found
        except BaseException:  # Ctrl-C too: a batch may be lost, so the values end here
            self.close()
            raise
        self.close()
        raise StopIteration

    def close(self) -> None:
        """Nobody wants the rest."""
        if not self._ended:
            self._ended = True
            self._farm.abandon(self._number)

    __del__ = close

    def _next_values(self) -> list[Any]:
        self._farm.release(self._number, self._job)
        if not self._job.ready:
            if self._job.exhausted:  # the user's iterator ended just now
                return []
            left = None if self._deadline is None else self._deadline - time.monotonic()
            if not self._farm.wait_until(lambda: self._job.ready, left):
                raise WaitedTooLong("the map's timeout has passed")
        part = self._job.take()
        if part is None:
            raise self._job.error or AssertionError("a map without outcome and error")
        found, self._failure = values(part)
        return found


def _raisable(error: BaseException) -> BaseException:
    """StopIteration would end the caller's loop as if all were done (as in PEP 479)."""
    if not isinstance(error, StopIteration):
        return error
    problem = failure.TaskError("a task raised StopIteration")
    problem.__cause__ = error.__cause__ or error
    return problem


class SerialExecutor(Executor):
    """Runs calls in place, at once: without a launcher, on a single rank, and inside tasks."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Run `fn(*args, **kwargs)` now; the future is done when this returns."""
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future

    def map(
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        ordered: bool = True,
        **_: Any,
    ) -> Iterator[T]:
        """The built-in map, with the checks and the timeout of the parallel one."""
        if not callable(fn):
            raise TypeError(f"the first argument must be a function, {fn!r} is not callable")
        if not iterables:
            raise TypeError("map needs at least one iterable of arguments")
        results = map(fn, *iterables)
        return results if timeout is None else _in_time(results, time.monotonic() + timeout)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Nothing to end."""


def _in_time(results: Iterator[T], deadline: float) -> Iterator[T]:
    for value in results:
        if time.monotonic() > deadline:
            raise WaitedTooLong("the map's timeout has passed")
        yield value


def _explained(error: Exception, fn: Callable[..., Any]) -> Exception:
    name = failure.describe(fn)
    result = pickle.PicklingError(
        f"the call of {name} cannot be pickled and sent: {failure.reason(error)}"
    )
    result.__cause__ = error
    return result


_serial = SerialExecutor()
_current: FarmExecutor | None = None


def install(executor: FarmExecutor | None) -> None:
    """Make an executor the one that `futures` speaks to; None for the serial one."""
    global _current
    _current = executor


def current() -> FarmExecutor | SerialExecutor:
    """The executor of this process."""
    return _serial if _current is None else _current


def wait_until(done: Callable[[], bool], timeout: float | None = None) -> bool:
    """Wait for what the current executor brings about; False after `timeout` seconds."""
    if _current is not None:
        return _current.farm.wait_until(done, timeout)
    started = time.monotonic()
    while not done():
        idle = time.monotonic() - started
        if timeout is not None and idle >= timeout:
            return False
        pause(idle, spin=False)
    return True
