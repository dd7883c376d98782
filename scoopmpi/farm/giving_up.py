"""Groups of the program's work that nobody wants any more: they end here and on the workers.

Their maps and calls end at once for whoever waits for them; what of them has not begun never does.
In what runs the workers raise KeyboardInterrupt (`worker.given_up`), so that they are free again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence, Set
from concurrent.futures import CancelledError
from functools import partial

from ..concurrency.signal_lock import SignalLock
from ..wire.messages import GiveUp
from .callback_queue import CallbackQueue
from .calls import CallStream
from .dispatch import Dispatch
from .driver import Driver
from .jobs import Jobs
from .map_job import MapJob

logger = logging.getLogger("scoopmpi")


class GivingUp:
    """Gives up groups of one farm.

    abandon: has a map forgotten. run_no_further: has it so where the map is one that nobody reads.
    """

    def __init__(
        self,
        lock: SignalLock,
        dispatch: Dispatch,
        jobs: Jobs,
        calls: CallStream,
        callbacks: CallbackQueue,
        driver: Driver,
        abandon: Callable[[int], None],
        run_no_further: Callable[[int], None],
    ) -> None:
        self._lock, self._dispatch, self._jobs, self._calls = lock, dispatch, jobs, calls
        self._callbacks, self._driver, self._abandon = callbacks, driver, abandon
        self._run_no_further = run_no_further
        self._given_up: set[int] = set()

    def give_up(self, groups: Set[int | None]) -> None:
        """Give up all that these groups have made; for any thread, and returns at once.

        groups: None among them stands for what belongs to no group, which workers go on with.
        """
        numbers = {each for each in groups if each is not None}
        with self._lock:
            self._given_up |= numbers
            maps = [job for job in self._jobs.maps.values() if _group(job) in groups]
            self._dispatch.send_all(GiveUp(tuple(sorted(numbers))))
            for job in maps:
                self._abandon(job.number)
            self._callbacks.add(partial(self._end, maps, groups))
        self._driver.wake()

    def joined(self, worker: int) -> None:
        """Tell a worker of them that may have come later; with the farm's lock held."""
        if self._given_up:
            self._dispatch.send(worker, GiveUp(tuple(sorted(self._given_up))))

    def _end(self, maps: Sequence[MapJob], groups: Set[int | None]) -> None:
        """Have whoever waits hear of it; runs callbacks, which are the user's code."""
        for job in maps:
            job.failed(CancelledError(f"the map over {job.name} was given up"))
            self._run_no_further(job.number)
        for call in self._calls.taken_of(groups):
            try:
                if not call.future.cancel() and not call.future.done():
                    call.future.set_exception(CancelledError("the call was given up"))
            except BaseException:
                logger.exception("a callback of a call that was given up has failed")


def _group(job: MapJob) -> int | None:
    return None if job.origin is None else job.origin[4]
