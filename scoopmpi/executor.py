"""Executors in the manner of PEP 3148: over a farm, or serial where there is none.

Here callers' words (map, submit, timeout) become jobs; who runs them is the farm's business. One
executor is current in a process; `futures` speaks to it.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from concurrent.futures import Future as PEP3148Future
from concurrent.futures import TimeoutError as WaitedTooLong  # the built-in one from 3.11 on
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from . import failure, payload, runtime
from .attributes import Attributes
from .calls import Call
from .job import MapJob, Raised, function, opened
from .limit import limited, seconds_of
from .pause import poll
from .results import FarmResults

if TYPE_CHECKING:  # workers come by here without a farm
    from .checkpoint.file import Saved
    from .checkpoint.record import Checkpoint
    from .constants.sharing import FarmKeeper
    from .farm import Farm

T = TypeVar("T")


class Driven(Protocol):
    """What makes progress while somebody waits: a farm, or a worker for its tasks' own calls."""

    def wait_until(self, done: Callable[[], bool], timeout: float | None = None) -> bool:
        """Work until `done()`; False after `timeout` seconds."""


class Future(Attributes, PEP3148Future[T]):
    """A call that was submitted: a `concurrent.futures.Future` that works while you wait for it."""

    _farm: Driven | None = None
    _ended: Callable[[Any], None] | None = None
    """Of the executor that counts its calls; called when all callbacks have run."""

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

    def set_result(self, result: T) -> None:
        """For executors: the call has ended with a value."""
        super().set_result(result)
        if self._ended is not None:
            self._ended(self)

    def set_exception(self, exception: BaseException | None) -> None:
        """For executors: the call has ended with an exception."""
        super().set_exception(exception)
        if self._ended is not None:
            self._ended(self)

    def cancel(self) -> bool:
        """Have the call not run; False where it runs already or is done."""
        cancelled = super().cancel()
        if cancelled and self._ended is not None:
            self._ended(self)
        return cancelled


class FarmExecutor(Executor):
    """Runs calls on the workers of a farm.

    checkpoint: where the outcomes of its maps and calls are kept, and come from.
    """

    def __init__(self, farm: Farm, checkpoint: Checkpoint | None = None) -> None:
        self.farm = farm
        self.checkpoint = checkpoint

    @cached_property
    def keeper(self) -> FarmKeeper:
        """What `shared` speaks to."""
        from .constants.sharing import FarmKeeper  # late: few programs have constants

        return FarmKeeper(self.farm)

    def submit(  # type: ignore[override] # one keyword is ours
        self,
        fn: Callable[..., T],
        /,
        *args: Any,
        task_timeout: float | None = None,
        **kwargs: Any,
    ) -> Future[T]:
        """Have `fn(*args, **kwargs)` run by a worker; arguments are packed now, as they are.

        task_timeout: seconds that the call may take where it runs; TaskTimeout afterwards.
        """
        run = limited(fn, task_timeout)
        self.farm.wait_for_first_worker()
        future: Future[T] = Future()
        future._farm = self.farm
        record = None
        if self.checkpoint is not None:
            record = self.checkpoint.call(fn, args, kwargs)
            if record.known is not None:
                return _recalled(future, record.known)
        try:
            frame = payload.copied(payload.pack((run, args, kwargs)))
        except Exception as error:
            future.set_running_or_notify_cancel()
            future.set_exception(failure.call_unpicklable(error, fn))
            return future
        self.farm.submit(Call(future, frame, record, seconds_of(run)))
        return future

    def map(
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        ordered: bool = True,
        task_timeout: float | None = None,
        **_: Any,
    ) -> Iterator[T]:
        """The values of `fn` over the iterables, as an iterator; the work begins at once.

        timeout: seconds from now until the last value; TimeoutError afterwards.
        chunksize: accepted and ignored, batches follow measured durations.
        ordered: False gives the values as they arrive.
        task_timeout: seconds that each task may take; TaskTimeout in its place afterwards.
        """
        return chain.from_iterable(self.results(fn, iterables, timeout, ordered, task_timeout))

    def results(
        self,
        fn: Callable[..., Any],
        iterables: Sequence[Iterable[Any]],
        timeout: float | None,
        ordered: bool,
        task_timeout: float | None = None,
    ) -> FarmResults:
        """What `map` gives, a list of values at a time."""
        run = limited(fn, task_timeout)
        self.farm.wait_for_first_worker()
        packed = function(run)
        record = None if self.checkpoint is None else self.checkpoint.map(fn)
        job = MapJob(packed, iterables, lambda: self.farm.members.size, ordered, record)
        number = self.farm.open_map(job, packed)
        return FarmResults(self.farm, job, number, timeout)

    def wait_until(self, done: Callable[[], bool], timeout: float | None = None) -> bool:
        """Drive the farm until `done()`; False after `timeout` seconds."""
        return self.farm.wait_until(done, timeout)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Accepted; the farm ends with the program."""


def _recalled(future: Future[T], saved: Saved) -> Future[T]:
    """The future of a call whose outcome is known."""
    future.set_running_or_notify_cancel()
    outcome = opened(saved.outcomes[0], bool(saved.failed), saved.start)
    if isinstance(outcome, Raised):
        future.set_exception(outcome.error)
    else:
        future.set_result(outcome)
    return future


class SerialExecutor(Executor):
    """Runs calls in place, at once: without a launcher, on a single rank, in threads of tasks."""

    def submit(  # type: ignore[override] # one keyword is ours
        self,
        fn: Callable[..., T],
        /,
        *args: Any,
        task_timeout: float | None = None,
        **kwargs: Any,
    ) -> Future[T]:
        """Run `fn(*args, **kwargs)` now; the future is done when this returns."""
        fn = limited(fn, task_timeout)
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
        task_timeout: float | None = None,
        **_: Any,
    ) -> Iterator[T]:
        """The built-in map, with the checks and the timeout of the parallel one."""
        if not callable(fn):
            raise TypeError(f"the first argument must be a function, {fn!r} is not callable")
        if not iterables:
            raise TypeError("map needs at least one iterable of arguments")
        values = map(limited(fn, task_timeout), *iterables)
        return values if timeout is None else _in_time(values, time.monotonic() + timeout)

    def wait_until(self, done: Callable[[], bool], timeout: float | None = None) -> bool:
        """Wait for what other threads bring about; False after `timeout` seconds."""
        return poll(done, timeout)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Nothing to end."""


def _in_time(values: Iterator[T], deadline: float) -> Iterator[T]:
    for value in values:
        if time.monotonic() > deadline:
            raise WaitedTooLong("the map's timeout has passed")
        yield value


_serial = SerialExecutor()
_current: FarmExecutor | SerialExecutor = _serial


def install(executor: Any) -> None:
    """Make an executor the one that `futures` speaks to; None for the serial one.

    On workers it is one for the tasks' own calls, with the methods of the two here.
    """
    global _current
    _current = _serial if executor is None else executor


def current() -> FarmExecutor | SerialExecutor:
    """The executor of this process."""
    return _current


def wait_until(done: Callable[[], bool], timeout: float | None = None) -> bool:
    """Wait for what the current executor brings about; False after `timeout` seconds."""
    return _current.wait_until(done, timeout)


def usable() -> FarmExecutor | SerialExecutor:
    """The executor of this process for a program that wants to hand out work.

    Raises RuntimeError while a worker imports the program; warns, once, where nothing is parallel.
    """
    if runtime.importing:
        raise RuntimeError(
            "the program calls the farm while a worker imports it. Put what the program does below "
            'the line\n    if __name__ == "__main__":\nso that workers only get its functions.'
        )
    if not runtime.started and not runtime.warned:
        runtime.warned = True
        warnings.warn(
            "the program was not started by scoopmpi, its tasks run one after the other. "
            "Start it with: myscoop PROGRAM, or python -m scoopmpi PROGRAM",
            RuntimeWarning,
            stacklevel=3,
        )
    return _current
