"""A task that blocks, waiting for its own calls in a way of its own, must not hang.

Such a wait cannot be suspended, and what it waits for may need this rank. So another thread does
what there is to do, in place of the blocked one, until that goes on.
"""

from __future__ import annotations

import threading
import time
from contextlib import AbstractContextManager
from typing import Any

from ..concurrency.backoff import pause
from .batches import Batches
from .blocked import ThreadWatch
from .inbox import Inbox
from .nested.hub import Hub
from .running import Interlude, Running


class Rescue:
    """Stands in for the blocked task of one worker, in a thread of its own.

    own_thread: the number of the worker's own thread, which is watched.
    """

    def __init__(
        self,
        lock: AbstractContextManager[Any],
        inbox: Inbox,
        batches: Batches,
        hub: Hub,
        own_thread: int,
    ) -> None:
        self._lock, self._inbox, self._batches, self._hub = lock, inbox, batches, hub
        self._watch = ThreadWatch(own_thread)
        self._thread: threading.Thread | None = None

    @property
    def _blocked(self) -> bool:
        """True where the worker's own thread waits without us, maybe for its task's own calls."""
        return self._watch.waits or (self._watch.asleep and self._hub.waited_for)

    def look_after(self, batch: Running | Interlude) -> None:
        """Have a thread stand in for the batch that runs, if its task blocks."""
        if self._blocked and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(target=self.run_instead, args=(batch,), daemon=True)
            self._thread.start()

    def run_instead(self, batch: Running | Interlude) -> None:
        """Run what there is to run, in place of the blocked thread, until that goes on."""
        batches, suspended = self._batches, self._batches.suspended
        with self._lock:
            if batches.current is not batch:
                return
            batches.hand_back(batch)
            if batch.single:  # else it has just ended, or waits with others of its batch
                suspended.waits(batch)
            suspended.nothing_runs()
        idle_since = time.monotonic()
        while batches.current is batch and self._blocked:
            self._hub.run_calls()
            with self._lock:
                self._inbox.receive()
                run = self._inbox.next_batch()
            if run is not None:
                batches.run_beside(run)
                idle_since = time.monotonic()
            pause(time.monotonic() - idle_since)
        with self._lock:
            if batches.current is batch:
                suspended.goes_on(batch)
