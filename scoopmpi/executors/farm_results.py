"""The values of a farm's map on their way to the consumer: `Results`, as `tasks.results` has them.

Packed outcomes are taken from a job and unpacked in the consumer's thread. Nothing here packs tasks
or knows workers.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as WaitedTooLong  # the built-in one from 3.11 on
from functools import partial
from typing import TYPE_CHECKING, Any

from ..concurrency.signal_scopes import uninterrupted
from ..farm.map_job import MapJob
from ..tasks.outcomes import OutcomeRange, Raised, all_outcomes, consumed
from ..wire import errors, failure

if TYPE_CHECKING:  # workers come by here without a farm
    from ..farm.farm import Farm


class FarmResults:
    """The values of a map on a farm.

    deadline: when the last value has to be there, as `time.monotonic` counts; None: whenever.
    collect: whether exceptions of tasks are values too.
    """

    _ended = True  # until it is made: a signal may end that half-way

    def __init__(
        self, farm: Farm, job: MapJob, deadline: float | None, collect: bool = False
    ) -> None:
        self._farm, self._job = farm, job
        self.settled = partial(farm.maps.settled, job.number)
        self._deadline, self._collect = deadline, collect
        self._guard = threading.Lock()  # between a consumer and another thread that finishes
        self._kept: deque[OutcomeRange] = deque()  # of `finish`
        self._failure: BaseException | None = None
        self._ended = False

    # What the consumer calls.

    def __iter__(self) -> FarmResults:
        return self

    def __next__(self) -> Iterable[Any]:
        self._job.ask()
        try:
            if (arrived := self._next_range()) is not None:
                with uninterrupted:  # what a signal raises is no failure of unpacking
                    return consumed(arrived, self._collect)
        except BaseException:  # Ctrl-C too: a batch may be lost, so the values end here
            self.close()
            raise
        self.close()
        error, self._failure = self._failure, None
        raise StopIteration if error is None else failure.raisable(error)

    def outcomes(self) -> list[Any]:
        """Return the next values, `Raised` for each task that failed; an empty list at the end."""
        self._job.ask()
        try:
            if (arrived := self._next_range()) is not None:
                with uninterrupted:
                    return all_outcomes(arrived, self._collect)
        except BaseException:
            self.close()
            raise
        self.close()
        error, self._failure = self._failure, None
        return [] if error is None else [Raised(error)]

    def wait(self, timeout: float | None) -> bool:
        """Wait until there is something to give, or nothing will come; False after `timeout`."""
        self._job.ask()
        if self._kept or self._over():
            return True
        self._farm.maps.release(self._job)
        return self._farm.wait_until(self._ready, timeout)

    def _next_range(self) -> OutcomeRange | None:
        """Return the next outcomes, None at the end; raises what has ended the map."""
        job = self._job
        while True:
            if job.more and not self._ended:
                self._farm.maps.release(job)
            with self._guard:
                if self._kept:
                    return self._kept.popleft()
                # First: what comes after that is taken.
                last = job.runs_out and self._farm.maps.ran_out(job)
                arrived = None if self._ended else job.take()
                # Still with the guard, as `finish` may take and keep the last meanwhile.
                if arrived is None and (last or self._ended or (job.exhausted and not job.left)):
                    return None
            if arrived is not None:
                return arrived
            if job.error is not None:
                raise job.error
            if job.left:
                raise errors.FarmError(errors.NOT_TAKEN)
            left = None if self._deadline is None else self._deadline - time.monotonic()
            if not self._farm.wait_until(self._ready, left):
                raise WaitedTooLong("the map's timeout has passed")

    def _ready(self) -> bool:
        return self._job.ready or bool(self._kept) or self._over()

    def _over(self) -> bool:
        """True where no outcome is left to come, or to wait for."""
        return (
            self._ended
            or self._job.over
            or (self._job.runs_out and self._farm.maps.ran_out(self._job))
        )

    def ask_first(self, failures_only: bool) -> None:
        """Have no task begin behind outcomes, or only behind failures, until `decided`."""
        self._farm.maps.ask_first(self._job, failures_only)

    def decided(self) -> None:
        """Let tasks begin again: what follows from the outcomes that were taken is known."""
        self._farm.maps.decided(self._job)

    def run_out(self) -> None:
        """Have no task begin any more; the values of those that workers have come still."""
        self._farm.maps.run_out(self._job)

    # What an executor's end calls.

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
                arrived = None if self._ended else job.take()
                if arrived is not None and keep:
                    self._kept.append(arrived)

    def _finish_unread(self) -> None:
        self.leave()
        self._farm.wait_until(lambda: self.settled() or self._job.stuck)
        self._farm.maps.finish_here(self._job, self._farm.wait_until)

    def bound(self) -> None:
        """Read no more from the user's iterators where values were taken: the program ends."""
        if self._job.asked:
            self._job.cut()

    def watch(self, failed: Callable[[BaseException], object]) -> None:
        """Tell `failed` the first error of each batch whose outcomes nobody takes."""
        self._job.watch(
            lambda unread: (
                unread.failed and failed(failure.unpack(unread.outcomes[unread.failed[0]]))
            )
        )

    def cancel(self) -> None:
        """Have what has not run not run; the consumer gets CancelledError for it."""
        try:
            all_taken = self._ended or self._job.exhausted
        except BaseException as error:  # of the user's iterator, whose turn comes next
            all_taken, self._failure = True, error
        if all_taken:
            self._retire()
        else:
            self._failure = self._failure or CancelledError("the executor has been shut down")
            self.close()

    # What happens when nobody reads.

    def leave(self) -> None:
        """Have the tasks run although nobody takes the values. For the garbage collector."""
        self._farm.maps.leave(self._job.number)

    def close(self) -> None:
        """Let go of the rest: nobody wants it."""
        self._retire()
        self._kept.clear()

    def __del__(self) -> None:
        if self._ended:
            return
        if self._job.asked:
            self.close()
        else:  # made for what its tasks do, not for what they return
            self.leave()

    def _retire(self) -> None:
        """Let the farm forget the map."""
        with uninterrupted:  # else it would never be settled
            if not self._ended:
                self._ended = True
                self._farm.maps.abandon(self._job.number)
