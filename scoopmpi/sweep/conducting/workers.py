"""What a sweep asks of the farm behind it; without one its items run in place, one by one."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext

from ...concurrency.periods import ITEM_GRACE_SECONDS, OTHER_HOSTS_SECONDS
from ...concurrency.signal_scopes import uninterrupted
from ...executors.farm_executor import FarmExecutor
from ...process.time_kept_free import auto
from ...tasks import current_executor
from ...watching.observer import Observer

AHEAD, LEAST, MOST = 64, 1 << 10, 1 << 17
"""Items that may be out, for each worker, and in all: a worker has two batches of 0.03 s, and a
process takes 1 ms. Each takes rank 0 a kilobyte."""


class Workers:
    """The workers of this program."""

    def __init__(self) -> None:
        self.executor = current_executor.usable()
        executor = self.executor
        self._on_farm = executor if isinstance(executor, FarmExecutor) else None
        self._patience = OTHER_HOSTS_SECONDS

    @property
    def count(self) -> int:
        """How many there are."""
        return self.executor.workers

    @property
    def window(self) -> int:
        """How many items may be out at once."""
        return min(max(LEAST, AHEAD * self.count), MOST)

    @property
    def checkpoint(self) -> bool:
        """True where outcomes are kept in a checkpoint."""
        return self._on_farm is not None and self._on_farm.checkpoint is not None

    @property
    def uninterrupted(self) -> AbstractContextManager[None]:
        """Keeps signals waiting for as long as a block lasts; not those that end an item here."""
        return nullcontext() if self._on_farm is None else uninterrupted

    def tells_what_is_left(self) -> None:
        """Note that the sweep says itself what is left of it when it is stopped."""
        if self._on_farm is not None:
            self._on_farm.tells_what_is_left = True

    def end_of_items(self) -> float | None:
        """Return when items have to have ended, in seconds since 1970, as the batch job ends soon.

        None where nobody says when it does. They are asked to end when the time begins that is kept
        free: none begins that would not end by then, where the farm holds back (--stop-before),
        however little is kept free. Else they are asked at least their grace before the end.
        """
        if self._on_farm is None or self._on_farm.job_end is None:
            return None
        watch, holding_back = self._on_farm.job_end(), self._on_farm.farm.holding_back
        if watch.at is None:
            watch.look()
        end, began = watch.at, watch.began
        if end is None:
            return None
        free = None if holding_back is None else holding_back.margin
        if free is None:
            free = auto(end - (began or time.time()))
        asked = end - free
        if holding_back is None:
            asked = min(asked, end - ITEM_GRACE_SECONDS)
        return asked + ITEM_GRACE_SECONDS

    def observe(self, reader: Observer) -> None:
        """Have a reader hear of what happens, where there are events."""
        if self._on_farm is not None:
            self._on_farm.farm.observe(reader)

    def leave_out(self, host: str) -> bool:
        """Have the workers of a host get no items any more; False where it is the last host."""
        return self._on_farm is not None and self._on_farm.farm.left_out.leave_out(host)

    def others(self, host: str) -> bool:
        """Return whether workers of another host take items, or may when they have joined."""
        if self._on_farm is None:
            return False
        return self._on_farm.farm.left_out.others(host) or self._more_may_join

    def wait_for_others(self, host: str, seconds: float) -> None:
        """Wait until a worker of another host takes items, for some seconds at most.

        All such waits together end after a while: then nobody else is expected any more.
        """
        if self._on_farm is None:
            return
        left_out, began = self._on_farm.farm.left_out, time.monotonic()
        self._on_farm.wait_until(
            lambda: left_out.others(host) or not self._more_may_join, min(seconds, self._patience)
        )
        self._patience -= time.monotonic() - began

    @property
    def _more_may_join(self) -> bool:
        if self._on_farm is None or self._patience <= 0:
            return False
        farm = self._on_farm.farm
        return farm.error is None and farm.left_out.importing
