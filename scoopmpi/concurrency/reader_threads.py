"""Threads that run the users' iterators of maps that nobody reads: as many as are busy at a time.

An iterator may block for as long as it likes, so neither the thread that drives the farm nor one
that waits for something else may run it. A thread that has nothing to do for a while ends.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

logger = logging.getLogger("scoopmpi")

LINGER = 1.0
"""Seconds for which a thread waits for more: an iterator is read every few milliseconds."""


class Readers:
    """Runs work in as many threads as are busy; those without any end after a while.

    threads: False for tests that drive by themselves: then work is done where it is given.
    """

    def __init__(self, threads: bool) -> None:
        self._threads = threads
        self._given: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._guard = threading.Lock()
        self._free = 0  # threads that wait, and to which nothing has been given

    def run(self, work: Callable[[], None]) -> None:
        """Have `work` done at once, beside all else."""
        if not self._threads:
            work()
            return
        with self._guard:
            one_is_free = self._free > 0
            self._free -= one_is_free
        if one_is_free:
            self._given.put(work)
        else:
            threading.Thread(
                target=self._serve, args=(work,), name="scoopmpi reader", daemon=True
            ).start()

    def _serve(self, work: Callable[[], None] | None) -> None:
        while work is not None:
            try:
                work()
            except BaseException:  # of ours: what the user's iterators raise is kept
                logger.exception("error in the thread %s", threading.current_thread().name)
            with self._guard:
                self._free += 1
            work = self._next()

    def _next(self) -> Callable[[], None] | None:
        try:
            return self._given.get(timeout=LINGER)
        except queue.Empty:
            with self._guard:
                if self._free:
                    self._free -= 1
                    return None
        return self._given.get()  # all that wait have been given something
