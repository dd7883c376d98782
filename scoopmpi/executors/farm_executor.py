"""Executors in the manner of PEP 3148: over a farm, or serial where there is none.

Here callers' words (map, submit, timeout) become jobs; who runs them is the farm's business. One
executor is current in a process; `futures` speaks to it.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from ..concurrency.timeouts import seconds
from ..farm.calls import Call
from ..farm.map_job import MapJob, function
from ..process import identity
from ..tasks.future import Future as Future
from ..tasks.limit import limited, seconds_of
from ..tasks.outcomes import Raised, opened
from ..tasks.serial import SerialExecutor as SerialExecutor
from ..tasks.unfinished import Unfinished, others, to_its_end
from ..wire import failure, payload
from .results import FarmResults

if TYPE_CHECKING:  # workers come by here without a farm
    from ..checkpoint.file import Saved
    from ..checkpoint.record import Checkpoint
    from ..constants.sharing import FarmKeeper
    from ..farm.farm import Farm

T = TypeVar("T")


class FarmExecutor(Executor):
    """Runs calls on the workers of a farm.

    checkpoint: where the outcomes of its maps and calls are kept, and come from.
    """

    def __init__(self, farm: Farm, checkpoint: Checkpoint | None = None) -> None:
        self.farm = farm
        self.checkpoint = checkpoint

    @property
    def unfinished(self) -> Unfinished:
        """Executors on this one that have something under way."""
        return self.farm.unfinished

    @property
    def interruption(self) -> BaseException | None:
        """What a signal has raised in the program, the latest one."""
        return self.farm.interruption

    @cached_property
    def keeper(self) -> FarmKeeper:
        """What `shared` speaks to."""
        from ..constants.sharing import FarmKeeper  # late: few programs have constants

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
        timeout = seconds(timeout)
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

    def finish(self, maps: bool = True) -> None:
        """The program has ended: have run what runs although nobody waits for it.

        maps: whether maps count that nobody reads; executors and pools are finished in any case.
        """
        self.farm.finish(maps)

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
    if identity.importing:
        raise RuntimeError(
            "the program calls the farm while a worker imports it. Put what the program does below "
            'the line\n    if __name__ == "__main__":\nso that workers only get its functions.'
        )
    if not identity.started and not identity.warned:
        identity.warned = True
        _finish_at_exit()
        warnings.warn(
            "the program was not started by scoopmpi, its tasks run one after the other. "
            "Start it with: myscoop PROGRAM, or python -m scoopmpi PROGRAM",
            RuntimeWarning,
            stacklevel=3,
        )
    return _current


def run_to_its_end(run: Callable[[], None], end_threads: Callable[[], None]) -> None:
    """Run the program, and then what it has left to the executor of this process.

    end_threads: waits for the program's threads, and ends Python's thread pools.
    """
    to_its_end(run, current, end_threads)


def _finish_at_exit() -> None:
    """In a process that nobody has started for us, as `to_its_end` does it."""
    pid = os.getpid()

    def finish() -> None:
        problem = None if hasattr(sys, "ps1") else getattr(sys, "last_type", None)
        if os.getpid() == pid and problem is not KeyboardInterrupt:
            _serial.finish(maps=problem is None)

    def finish_early() -> None:
        if not others():
            finish()

    def finish_last() -> None:
        finish()
        identity.ended = True

    try:
        import concurrent.futures.thread  # noqa: F401 (its own part comes after ours then)

        getattr(threading, "_register_atexit")(finish_early)  # noqa: B009 (not in the type stubs)
    except RuntimeError:  # a thread is the first to come here, and the main thread has ended
        pass
    atexit.register(finish_last)
