"""The values of a map on their way to the consumer, a list at a time.

`FarmResults` takes packed outcomes from a job and unpacks them in the consumer's thread;
`IteratorResults` stands in where an iterator gives the values (serial, inside tasks). Both can be
finished: all tasks run and their outcomes wait here, as an executor's shutdown promises. Nothing
here packs tasks or knows workers.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as WaitedTooLong  # the built-in one from 3.11 on
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from ..farm.map_job import MapJob
from ..tasks.outcomes import OutcomeRange, Raised, handed_over, opened, values
from ..wire import failure

if TYPE_CHECKING:  # workers come by here without a farm
    from ..farm.farm import Farm


class Results(Protocol):
    """What consumers and executors need of the values of a map."""

    @property
    def settled(self) -> Callable[[], bool]:
        """Says whether nothing of it is to run, or runs, any more."""

    def __next__(self) -> Iterable[Any]:
        """The next values; raises what a task raised, and is at its end then."""

    def outcomes(self) -> list[Any]:
        """The next values, a `Raised` for each task that failed; an empty list at the end."""

    def wait(self, timeout: float | None) -> bool:
        """Whether there is something to give, or nothing will come; False after `timeout`."""

    def finish(self, keep: bool) -> None:
        """Have all tasks run. keep: whether somebody will take the outcomes later."""

    def leave(self) -> None:
        """Nobody takes the values, but the tasks shall run. For the garbage collector."""

    def bound(self) -> None:
        """The program ends: of what was read in part no more is read from the user's iterators."""

    def watch(self, failed: Callable[[BaseException], object]) -> None:
        """failed: told of errors of tasks whose outcomes nobody takes."""

    def close(self) -> None:
        """Nobody wants the rest."""

    def cancel(self) -> None:
        """What has not run is not to run, and the consumer shall get CancelledError."""


class FarmResults:
    """The values of a map on a farm.

    timeout: seconds from now until the last value.
    """

    def __init__(self, farm: Farm, job: MapJob, timeout: float | None) -> None:
        self._farm, self._job = farm, job
        self.settled = partial(farm.maps.settled, job.number)
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._guard = threading.Lock()  # between a consumer and another thread that finishes
        self._kept: deque[OutcomeRange] = deque()  # of `finish`
        self._failure: BaseException | None = None
        self._ended = False

    def __iter__(self) -> FarmResults:
        return self

    def __next__(self) -> Iterable[Any]:
        self._job.ask()
        try:
            while self._failure is None:
                part = self._next_part()
                if part is None:
                    break
                found, self._failure = values(part)
                if found:  # numbers and strings may stay
                    return found if part.plain else handed_over(found)
        except BaseException:  # Ctrl-C too: a batch may be lost, so the values end here
            self.close()
            raise
        self.close()
        error, self._failure = self._failure, None
        raise StopIteration if error is None else failure.raisable(error)

    def outcomes(self) -> list[Any]:
        """The next values, a `Raised` for each task that failed; an empty list at the end."""
        self._job.ask()
        try:
            part = self._next_part()
        except BaseException:
            self.close()
            raise
        if part is not None:
            return _outcomes(part)
        self.close()
        error, self._failure = self._failure, None
        return [] if error is None else [Raised(error)]

    def wait(self, timeout: float | None) -> bool:
        """Whether there is something to give, or nothing will come; False after `timeout`."""
        self._job.ask()
        if self._kept or self._over():
            return True
        self._farm.maps.release(self._job)
        return self._farm.wait_until(self._ready, timeout)

    def finish(self, keep: bool) -> None:
        """Have all tasks run. keep: whether somebody will take the outcomes later."""
        job = self._job
        if not job.asked:
            if job.endless:
                job.read_no_further()
            if not keep:
                self._finish_unread()
        while job.error is None and not self._over():
            self._farm.maps.release(self._job)
            self._farm.wait_until(lambda: job.ready or self._over())
            with self._guard:
                part = None if self._ended else job.take()
                if part is not None and keep:
                    self._kept.append(part)

    def _finish_unread(self) -> None:
        self.leave()
        self._farm.wait_until(lambda: self.settled() or self._job.stuck)
        self._farm.maps.finish_here(self._job, self._farm.wait_until)

    def leave(self) -> None:
        """Nobody takes the values, but the tasks shall run. For the garbage collector."""
        self._farm.maps.leave(self._job.number)

    def bound(self) -> None:
        """The program ends: of what was read in part no more is read from the user's iterators."""
        if self._job.asked:
            self._job.cut()

    def watch(self, failed: Callable[[BaseException], object]) -> None:
        """failed: told the first error of a batch whose outcomes nobody takes."""
        self._job.watch(
            lambda part: part.failed and failed(failure.unpack(part.outcomes[part.failed[0]]))
        )

    def close(self) -> None:
        """Nobody wants the rest."""
        self._retire()
        self._kept.clear()

    def __del__(self) -> None:
        if self._job.asked or self._ended:
            self.close()
        else:  # made for what its tasks do, not for what they return
            self.leave()

    def cancel(self) -> None:
        """What has not run is not to run, and the consumer shall get CancelledError."""
        try:
            all_taken = self._ended or self._job.exhausted
        except BaseException as error:  # of the user's iterator, whose turn comes next
            all_taken, self._failure = True, error
        if all_taken:
            self._retire()
        else:
            self._failure = self._failure or CancelledError("the executor has been shut down")
            self.close()

    def _retire(self) -> None:
        """The farm may forget it."""
        if not self._ended:
            self._ended = True
            self._farm.maps.abandon(self._job.number)

    def _next_part(self) -> OutcomeRange | None:
        """The next outcomes, None at the end; raises what has ended the map."""
        job = self._job
        while True:
            with self._guard:
                if self._kept:
                    return self._kept.popleft()
                if self._ended or (job.exhausted and not job.left):
                    return None
            if job.more:
                self._farm.maps.release(job)
            with self._guard:
                part = None if self._kept or self._ended else job.take()
            if part is not None:
                return part
            if job.error is not None:
                raise job.error
            if job.left:
                raise failure.FarmError(failure.NOT_TAKEN)
            left = None if self._deadline is None else self._deadline - time.monotonic()
            if not self._farm.wait_until(self._ready, left):
                raise WaitedTooLong("the map's timeout has passed")

    def _ready(self) -> bool:
        return self._job.ready or bool(self._kept) or self._over()

    def _over(self) -> bool:
        """Whether no outcome is left to come, or to wait for."""
        try:
            return self._ended or self._job.exhausted
        except BaseException:  # of the user's iterator: raised when its turn comes
            return True


class IteratorResults:
    """The values that an iterator gives, one by one.

    streamed, endless: whether the user's iterators are read for them, and have no end.
    settled: says whether nothing of it runs any more.
    """

    def __init__(
        self,
        results: Iterator[Any],
        streamed: bool,
        endless: bool,
        settled: Callable[[], bool] = lambda: True,
    ) -> None:
        self._results, self._streamed, self._endless = results, streamed, endless
        self.settled = settled
        self._failed: Callable[[BaseException], object] = lambda error: None
        self._asked = False
        self._kept: deque[Any] = deque()
        self._ended = False

    def __iter__(self) -> IteratorResults:
        return self

    def __next__(self) -> Iterable[Any]:
        found = self.outcomes()
        if not found:
            raise StopIteration
        if isinstance(found[0], Raised):
            self.close()
            raise failure.raisable(found[0].error)
        return handed_over(found)

    def outcomes(self) -> list[Any]:
        """The next value, or a `Raised`; an empty list at the end."""
        self._asked = True
        return self._next()

    def _next(self) -> list[Any]:
        if self._kept:
            return [self._kept.popleft()]
        if self._ended:
            return []
        try:
            return [next(self._results)]
        except StopIteration:
            self.close()
            return []
        except Exception as error:
            self._failed(error)
            return [Raised(error)]

    def wait(self, timeout: float | None) -> bool:
        """True: a value is made when it is taken."""
        return True

    def finish(self, keep: bool) -> None:
        """Have all tasks run. keep: whether somebody will take the outcomes later."""
        if self._endless and not self._asked:
            self.close()
        kept, self._kept = self._kept, deque()
        while found := self._next():
            if keep:
                kept += found
        self._kept = kept

    def leave(self) -> None:
        """Nothing: where there is no farm, a map that nobody reads is run by `finish`."""

    def bound(self) -> None:
        """The program ends: of what was read in part no more is read from the user's iterators."""
        if self._asked and self._streamed:
            self.close()

    def watch(self, failed: Callable[[BaseException], object]) -> None:
        """failed: told of errors of tasks, whether somebody takes them or not."""
        self._failed = failed

    def close(self) -> None:
        """Nobody wants the rest."""
        self._ended = True
        self._kept.clear()
        self._results = iter(())

    def cancel(self) -> None:
        """What has not run is not to run, and the consumer shall get CancelledError."""
        if not self._ended:
            self.close()
            self._kept.append(Raised(CancelledError("the executor has been shut down")))


def _outcomes(part: OutcomeRange) -> list[Any]:
    if part.plain:
        return values(part)[0]
    failed = frozenset(part.failed)
    return [
        opened(frame, place in failed, part.start + place)
        for place, frame in enumerate(part.outcomes)
    ]
