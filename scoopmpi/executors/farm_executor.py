"""The executor of rank 0: callers' words (map, submit, timeout) become jobs of a farm."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from functools import cached_property, partial
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from ..concurrency.timeouts import seconds
from ..farm.calls import Call
from ..tasks.future import Future
from ..tasks.limit import limited, seconds_of
from ..tasks.outcomes import Raised, opened
from ..tasks.unfinished import Unfinished
from ..wire import failure, payload
from .results import FarmResults

if TYPE_CHECKING:  # workers come by here without a farm
    from ..checkpoint.file import Saved
    from ..checkpoint.record import Checkpoint
    from ..farm.constants_backend import FarmConstants
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
    def constants_backend(self) -> FarmConstants:
        """What `shared` speaks to."""
        from ..farm.constants_backend import FarmConstants  # late: few programs have constants

        return FarmConstants(self.farm)

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
                self.farm.recalled_call()
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
        record = None if self.checkpoint is None else partial(self.checkpoint.map, fn)
        job = self.farm.maps.open(run, iterables, ordered, record)
        return FarmResults(self.farm, job, timeout)

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
