"""Functions that have tasks run: `from scoopmpi import futures`, or `from scoop import futures`.

    from scoopmpi import futures

    def square(x):
        return x * x

    if __name__ == "__main__":
        print(sum(futures.map(square, range(1000))))

SCOOP's functions with SCOOP's signatures, the timeouts honoured. They hand everything to the
executor of this process and hold no state of their own. Tasks may call them too.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION
from concurrent.futures import Future as PEP3148Future
from concurrent.futures import TimeoutError as WaitedTooLong
from itertools import chain
from typing import Any, NamedTuple, TypeVar

from .concurrency.timeouts import seconds
from .tasks.current_executor import usable, wait_until
from .tasks.executor import ExceptionTypes, map_options
from .tasks.future import Future
from .tasks.wrapped import Retry

__all__ = [
    "ALL_COMPLETED", "FIRST_COMPLETED", "FIRST_EXCEPTION", "Future", "as_completed", "map",
    "mapReduce", "mapScan", "map_as_completed", "shutdown", "submit", "wait",
]  # fmt: skip

T = TypeVar("T")
_WAITS = (FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED)


def map(
    func: Callable[..., T],
    *iterables: Iterable[Any],
    timeout: float | None = None,
    chunksize: int = 1,
    task_timeout: float | None = None,
    return_exceptions: bool = False,
    retries: int | None = None,
    retry_delay: float | None = None,
    retry_on: ExceptionTypes | None = None,
    progress: bool | str | None = None,
    **unknown: Any,
) -> Iterator[T]:
    """Return an iterator of the values of `func` over the iterables; workers begin at once.

        for value in futures.map(func, [1, 2, 3], [10, 20, 30]):   # func(1, 10), func(2, 20), ...

    As with the built-in `map`, values come in order, and end with the shortest iterable; endless
    ones are read as far as needed. What a task raises is raised in the place of its value; whoever
    catches it gets the next values by `next`. A map that nobody asks for a value runs all the same;
    one of which some values were taken is given up when it is dropped.

    timeout: seconds from this call until the last value; TimeoutError afterwards.
    chunksize: accepted; batches follow measured durations. Other names change nothing, as in SCOOP,
        but a warning names each once.
    task_timeout: seconds that each task may take where it runs; `scoopmpi.TaskTimeout`, a
        TimeoutError, in its place afterwards. None: as long as --task-timeout says.
    return_exceptions: True gives what tasks raise in the place of their values, as
        `asyncio.gather` does.
    retries: how often a task that raises is tried again, by whichever worker is free.
    retry_delay: seconds before each further try.
    retry_on: the exceptions after which it is, a type or several; Exception where none are named.
    progress: True shows how far it is, once it lasts for two seconds, also where nobody has asked
        (`--progress`): a bar on a terminal, else lines. False hides it. A text is its title.

    Raises TypeError where `func` is no function, where there is no iterable, or for what is no
    number, no type of exceptions, no bool and no text; ValueError for a timeout that is nan, a
    task_timeout that is not above 0, or retries that cannot be.
    """
    executor = usable()
    if unknown:
        _tell_unknown("map", unknown)
    retry = None
    if retries is not None or retry_delay is not None or retry_on is not None:
        retry = _retry(retries, retry_delay, retry_on)
    options = map_options(
        func, iterables, timeout, True, task_timeout, return_exceptions, retry, progress
    )
    if progress:
        from .executors.shown_in_place import shown  # late: few maps ask for it

        iterables = shown(executor, func, iterables, progress)
    return chain.from_iterable(executor.values(func, iterables, options))


def map_as_completed(
    func: Callable[..., T],
    *iterables: Iterable[Any],
    timeout: float | None = None,
    chunksize: int = 1,
    task_timeout: float | None = None,
    return_exceptions: bool = False,
    retries: int | None = None,
    retry_delay: float | None = None,
    retry_on: ExceptionTypes | None = None,
    progress: bool | str | None = None,
    **unknown: Any,
) -> Iterator[T]:
    """Return an iterator as `map` does, whose values come as soon as they are there, in any order.

    timeout, chunksize, task_timeout, return_exceptions, retries, retry_delay, retry_on, progress:
        as for `map`.
    """
    executor = usable()
    if unknown:
        _tell_unknown("map_as_completed", unknown)
    retry = None
    if retries is not None or retry_delay is not None or retry_on is not None:
        retry = _retry(retries, retry_delay, retry_on)
    options = map_options(
        func, iterables, timeout, False, task_timeout, return_exceptions, retry, progress
    )
    if progress:
        from .executors.shown_in_place import shown  # late: few maps ask for it

        iterables = shown(executor, func, iterables, progress)
    return chain.from_iterable(executor.values(func, iterables, options))


def submit(
    func: Callable[..., T],
    *args: Any,
    task_timeout: float | None = None,
    retries: int | None = None,
    retry_delay: float | None = None,
    retry_on: ExceptionTypes | None = None,
    **kwargs: Any,
) -> Future[T]:
    """Have `func(*args, **kwargs)` run by a worker, and return its future at once.

        call = futures.submit(pow, 2, 10)
        print(call.result())

    args, kwargs: sent as they are now; later changes do not reach the call.
    task_timeout: seconds that it may take where it runs, see `map`; not passed to `func`.
    retries, retry_delay, retry_on: how it is tried again where it raises, see `map`; passed to
        `func` only where that has a parameter of such a name itself.
    """
    executor = usable()
    retry = None
    if retries is not None or retry_delay is not None or retry_on is not None:
        from .tasks.retry import of_call  # late: few calls are tried again

        retry, kwargs = of_call(func, kwargs, retries, retry_delay, retry_on)
    return executor.call(func, args, kwargs, task_timeout, retry)


def _retry(retries: int | None, delay: float | None, on: ExceptionTypes | None) -> Retry | None:
    if retries is None and delay is None and on is None:
        return None
    from .tasks.retry import asked  # late: few maps are tried again

    return asked(retries, delay, on)


def _tell_unknown(function: str, keywords: dict[str, Any]) -> None:
    from .tasks.unknown_keywords import tell  # late: most keywords are known

    tell(function, keywords, stacklevel=4)


def mapReduce(
    mapFunc: Callable[..., Any],
    reductionOp: Callable[[Any, Any], Any],
    *iterables: Iterable[Any],
    timeout: float | None = None,
    task_timeout: float | None = None,
    retries: int | None = None,
    retry_delay: float | None = None,
    retry_on: ExceptionTypes | None = None,
) -> Any:
    """Return the values of `mapFunc` over the iterables, combined in order by `reductionOp`.

        total = futures.mapReduce(square, operator.add, range(1000))

    As `functools.reduce(reductionOp, map(mapFunc, *iterables))`, where `reductionOp` is
    associative: values are combined on the workers on which they arise.

    timeout: seconds to wait for the result; TimeoutError afterwards, None waits for ever.
    task_timeout: seconds for each call of `mapFunc`, see `map`; one that fails fails the whole.
    retries, retry_delay, retry_on: how a call of `mapFunc` that raises is tried again, see `map`.

    Raises TypeError where there is nothing to combine, as `reduce` does.
    """
    from .executors import reduction  # late: each module is a file that every rank opens

    usable()
    retry = _retry(retries, retry_delay, retry_on)
    return reduction.reduced(
        reduction.Total, mapFunc, reductionOp, iterables, timeout, task_timeout, retry
    )


def mapScan(
    mapFunc: Callable[..., Any],
    reductionOp: Callable[[Any, Any], Any],
    *iterables: Iterable[Any],
    timeout: float | None = None,
    task_timeout: float | None = None,
    retries: int | None = None,
    retry_delay: float | None = None,
    retry_on: ExceptionTypes | None = None,
) -> list[Any]:
    """Return a list of running totals: the values of `mapFunc` combined from the first up to each.

    As `list(itertools.accumulate(map(mapFunc, *iterables), reductionOp))`, where `reductionOp`
    is associative.

    timeout: seconds to wait for the list; TimeoutError afterwards, None waits for ever.
    task_timeout, retries, retry_delay, retry_on: for each call of `mapFunc`, see `map`.
    """
    from .executors import reduction  # late: as above

    usable()
    retry = _retry(retries, retry_delay, retry_on)
    prefixes: list[Any] = reduction.reduced(
        reduction.Prefixes, mapFunc, reductionOp, iterables, timeout, task_timeout, retry
    )
    return prefixes


class DoneAndNotDone(NamedTuple):
    """Two sets of futures, as `wait` returns them."""

    done: set[Any]
    not_done: set[Any]


def wait(
    fs: Iterable[PEP3148Future[Any]],
    timeout: float | None = -1,
    return_when: str = ALL_COMPLETED,
) -> DoneAndNotDone:
    """Wait for futures, and return two sets: those that are done, and those that are not.

        done, not_done = futures.wait(calls, timeout=60, return_when=futures.FIRST_COMPLETED)

    fs: futures of `submit`, or of `concurrent.futures`.
    timeout: seconds to wait; None or negative waits for ever, 0 only looks.
    return_when: FIRST_COMPLETED, FIRST_EXCEPTION or ALL_COMPLETED; ValueError for anything else.
    """
    if return_when not in _WAITS:
        raise ValueError(f"return_when is {return_when!r}, it must be one of {', '.join(_WAITS)}")
    timeout = seconds(timeout)
    futures = set(fs)
    seen = _Completions(futures if timeout != 0 else (), return_when == FIRST_EXCEPTION)

    def enough() -> bool:
        if len(seen.done) == len(futures):
            return True
        return seen.failed or (return_when == FIRST_COMPLETED and bool(seen.done))

    try:
        if timeout == 0:
            wait_until(lambda: False, 0)  # one look at what has arrived
        else:
            wait_until(enough, None if timeout is None or timeout < 0 else timeout)
    finally:
        seen.stop()
    done = {future for future in futures if future.done()}
    return DoneAndNotDone(done, futures - done)


def as_completed(
    fs: Iterable[PEP3148Future[T]], timeout: float | None = None
) -> Iterator[PEP3148Future[T]]:
    """Return an iterator of the futures, which gives each as soon as it is done.

    timeout: seconds from this call until the last one; TimeoutError afterwards. None or negative
        waits for ever.
    """
    timeout = seconds(timeout)
    deadline = None if timeout is None or timeout < 0 else time.monotonic() + timeout
    futures = set(fs)
    return _as_completed(_Completions(futures), len(futures), deadline)


def _as_completed(
    seen: _Completions, count: int, deadline: float | None
) -> Iterator[PEP3148Future[Any]]:
    try:
        for given in range(count):
            if not seen.done:
                left = None if deadline is None else max(0.0, deadline - time.monotonic())
                if not wait_until(lambda: bool(seen.done), left):
                    raise WaitedTooLong(f"{count - given} of {count} futures are not done")
            yield seen.done.popleft()
    finally:
        seen.stop()


class _Completions:
    """The futures of a set that are done, in the order in which that happened.

    failures: whether to note that one of them has raised.
    """

    def __init__(self, futures: Iterable[PEP3148Future[Any]], failures: bool = False) -> None:
        self.done: deque[PEP3148Future[Any]] = deque()
        self.failed = False
        self._failures = failures
        self._left = set(futures)  # only these, as the others may go with their values
        self._callback = self._add  # one object, by which it is found again
        for future in tuple(self._left):
            future.add_done_callback(self._callback)

    def _add(self, future: PEP3148Future[Any]) -> None:
        if self._failures and not future.cancelled() and future.exception(0) is not None:
            self.failed = True
        self._left.discard(future)
        self.done.append(future)

    def stop(self) -> None:
        """Leave alone what is not done: who asks a thousand times must not leave a thousand."""
        for future in tuple(self._left):
            if isinstance(future, Future):
                future.drop_callback(self._callback)


def shutdown(wait: bool = True) -> None:
    """Do nothing; accepted for SCOOP's sake, as the farm ends with the program."""
    usable().shutdown(wait)
