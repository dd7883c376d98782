"""The wait of a rank for a message, and of a thread for others. Nothing here knows what comes.

Where nobody knows when, it sleeps, never longer than a twentieth of the time that nothing has come
already: so a wait grows by 5 % at most, and an idle rank costs 200 wake-ups a second, 1 % of a
core. Before, it may only offer its core for a while. Where the time is known it sleeps until then,
but no longer than half of the time so far.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable

YIELD_SECONDS = 0.0003
"""Yielding this long after a message keeps round trips short when ranks outnumber cores."""
CROWDED_YIELD_SECONDS = 0.00005
"""The same where all cores may be in use: at 0.3 ms rank 0 took half of the core of a worker that
had not ended yet, and generations of 32 tasks of 100 us on MPICH had 0.77 instead of 0.85."""
SHORTEST, LONGEST = 0.00002, 0.005
"""Seconds. With 0.2 ms as the shortest, 5000 submits on two cores came at two thirds of the speed;
above the longest nothing is saved."""

EARLY_SECONDS = 0.0001
"""The first sleep until a time at which something is expected; what is not known better takes so
long by itself: a batch that goes out, and its answer."""

_PR_SET_TIMERSLACK = 29  # linux/prctl.h; the number of nanoseconds follows


def seconds(idle: float) -> float:
    """Return how long to sleep after `idle` seconds without a message."""
    return min(max(idle / 20, SHORTEST), LONGEST)


def pause(idle: float, yields: float = 0.0, until: float | None = None) -> None:
    """Wait a moment after `idle` seconds without a message, not beyond the time `until`.

    yields: seconds for which it only yields; none where that takes a core from others.
    """
    if idle < yields:
        offer_core()
        return
    length = seconds(idle)
    if until is not None:
        length = min(length, max(0.0, until - time.monotonic()))
    time.sleep(length)


def pause_while_sending(idle: float) -> None:
    """Wait a moment after `idle` seconds in which a send has not ended.

    Short, as this rank may have to move it piece by piece (TCP, or hosts without CMA): the pieces
    that a library takes at a time fill a socket or a queue of some hundred KiB.
    """
    if idle < YIELD_SECONDS:
        offer_core()
    else:
        time.sleep(min(max(idle / 1000, SHORTEST), LONGEST / 5))


def offer_core() -> None:
    """Let another rank on this core run first: whoever was sent something and shares the core.

    Where rank 0 did the rest of its work before, the worker beside it began 55 us later, and lost
    85 us more while it ran: generations of 32 tasks of 10 us had 0.41 instead of 0.55, and 10,000
    squares took 1.29 ms instead of 1.03.
    """
    os.sched_yield()


def sleep_until(due: float, idle: float) -> None:
    """Sleep until a time at which something is expected, LONGEST at most.

    idle: seconds without a message so far; half of them is the longest sleep too, as the pace
    may be that of a dearer map: 32 tasks of 10 us that followed 32 of 1 ms took 30 times their
    ideal time, with it 4 to 5 times, and 7 where no pace is remembered.
    """
    early = max(idle / 2, EARLY_SECONDS)
    time.sleep(min(max(due - time.monotonic(), 0.0), early, LONGEST))


def sleep_exactly() -> None:
    """Have this thread's sleeps end when they should, on Linux: they are 50 us longer by default.

    With it generations of 8 tasks of 1 ms on two workers have an efficiency of 0.95 instead of
    0.94, 4 of 10 ms 0.99 instead of 0.98. Only for a thread that knows what it waits for: one that
    looks again and again would look more often, on a core that others need. Threads and processes
    that it starts later inherit it, which costs them no more than a wake-up that is on time.
    """
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):  # another C library may lack it
            ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1000, 0, 0, 0)


def poll(done: Callable[[], bool], timeout: float | None = None) -> bool:
    """Wait for what other threads bring about; return False after `timeout` seconds."""
    started = time.monotonic()
    while not done():
        idle = time.monotonic() - started
        if timeout is not None and idle >= timeout:
            return False
        pause(idle)
    return True
