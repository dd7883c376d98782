"""Turns of the farm's loop: taken by a caller that waits, or by the progress thread.

A caller that waits drives, so that no result changes threads on its way to it. While nobody waits a
thread of ours drives, so that submits make progress and callbacks run while the program computes.
Knows the loop as a function `step`, no more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ..concurrency.backoff import (
    CROWDED_YIELD_SECONDS,
    YIELD_SECONDS,
    offer_core,
    pause,
    sleep_exactly,
    sleep_until,
)
from ..concurrency.progress_thread import ProgressThread
from ..concurrency.signal_lock import SignalLock
from ..concurrency.signal_scopes import scopes
from ..scheduling.scheduler import Scheduler
from .due import Due

PATIENCE = 0.001
"""Seconds without a driver after which the progress thread takes over."""
LINGER = 0.05
"""Seconds that the progress thread looks on after the last task: waking it for each single call of
a series would cost two context switches a call."""


class Driver:
    """Drives `step`, which returns whether it found something to do.

    lock: the farm's. scheduler: asked whether cores are likely to be free.
    due: asked when an answer is expected.
    busy: whether anything is under way at all.
    progress_thread: False for tests that drive by themselves.
    rest: called in the lock while nothing is under way; returns when that is due again, in seconds.
    """

    def __init__(
        self,
        step: Callable[[], bool],
        lock: SignalLock,
        scheduler: Scheduler,
        due: Due,
        busy: Callable[[], bool],
        progress_thread: bool,
        rest: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._driven = 0.0  # when somebody has driven last
        self._step = step
        self._lock, self._scheduler, self._due = lock, scheduler, due
        self._busy, self._at_rest = busy, rest
        self._callers: set[int] = set()  # threads that drive while they wait
        self._main, self._waits = threading.main_thread().ident, 0
        self._progress_thread = (
            ProgressThread("scoopmpi farm", self._turn, self._rest) if progress_thread else None
        )
        if progress_thread:
            sleep_exactly()  # the program's own thread, which is the one that waits

    def wait_until(self, done: Callable[[], bool], timeout: float | None = None) -> bool:
        """Drive until `done()`; return False where `timeout` seconds have passed before."""
        now = last = time.monotonic()
        deadline = None if timeout is None else now + timeout
        caller = threading.get_ident()
        outermost = caller not in self._callers
        self._callers.add(caller)
        if caller == self._main:
            self._waits += 1
        try:
            if not done():
                offer_core()
            while not done():
                if scopes.kept and caller == self._main:
                    scopes.raise_in_callback()
                self._driven = now
                progress = self._step()
                now = self._driven = time.monotonic()
                if progress:
                    last = now
                    if deadline is None or now < deadline:
                        continue
                if deadline is not None and now >= deadline:
                    return False
                self._pause(now, last, deadline)
            return True
        finally:
            if outermost:
                self._callers.discard(caller)

    def _pause(self, now: float, last: float, deadline: float | None) -> None:
        """Wait a moment. last: when there was something to do."""
        with self._lock:
            since, due, awaited = self._due.look(now)
            idle, sleeper = self._scheduler.idle, self._due.idle_before(now - YIELD_SECONDS)
        # Where somebody is idle, what running tasks hand in may come at any moment.
        if due is not None and not awaited and not idle:
            sleep_until(due if deadline is None else min(due, deadline), now - last)
            return
        until = min((each for each in (due, deadline) if each is not None), default=None)
        # A worker that sleeps leaves a core free; one that has just become idle still yields on it.
        crowded = CROWDED_YIELD_SECONDS if idle else 0.0
        pause(now - max(last, since), YIELD_SECONDS if sleeper else crowded, until)

    @property
    def programs_wait(self) -> int:
        """Return which wait it is, from 1, in which the program's own thread takes a turn.

        0 where it is another thread that takes it, or nobody waits.
        """
        own = threading.get_ident() == self._main and self._main in self._callers
        return self._waits if own else 0

    def drove(self, now: float) -> None:
        """Note that a caller has done all there was at that time, on its way."""
        self._driven = now

    def wake(self) -> None:
        """Tell the progress thread that there is something to do, if nobody else does it."""
        if self._progress_thread is not None:
            self._progress_thread.wake()

    def stop(self) -> None:
        """End the progress thread: it takes no further turn."""
        if self._progress_thread is not None:
            self._progress_thread.stop()

    def _turn(self) -> float | None:
        """Take a turn of the progress thread.

        Returns the seconds until it looks again, None to sleep until woken.
        """
        undriven = time.monotonic() - self._driven
        if not self._busy():
            return LINGER / 2 if undriven < LINGER else None
        if self._callers and undriven < 20 * PATIENCE:  # beyond, the caller is inside a callback
            return 20 * PATIENCE
        if undriven > PATIENCE:
            while self._step():
                pass
            self._driven = time.monotonic()
        return PATIENCE

    def _rest(self) -> float | None:
        """Have done what there is to do while the progress thread sleeps."""
        with self._lock:
            return self._at_rest()
