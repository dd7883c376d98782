"""The wait of a rank for a message, and of a thread for others: pure but for the sleep itself.

At first it only offers its core to others, then it sleeps, never longer than a twentieth of the
time that nothing has come already: so a wait grows by 5 % at most, and an idle rank costs 200
wake-ups a second, 1 % of a core.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

SPIN_SECONDS = 0.0003
"""Yielding this long after a message keeps round trips short when ranks outnumber cores."""
SHORTEST, LONGEST = 0.00002, 0.005
"""Seconds. With 0.2 ms as the shortest, 5000 submits on two cores came at two thirds of the speed;
above the longest nothing is saved."""


def seconds(idle: float) -> float:
    """Return how long to sleep after `idle` seconds without a message."""
    return min(max(idle / 20, SHORTEST), LONGEST)


def pause(
    idle: float, spin: bool, until: float | None = None, due: float | None = None
) -> None:
    """Wait a moment after `idle` seconds without a message, not beyond the time `until`.

    spin: whether a core is likely to be free, so that yielding takes nothing from others.
    due: the time before which nothing is expected.
    """
    if due is None and spin and idle < SPIN_SECONDS:
        os.sched_yield()
        return
    now = time.monotonic()
    length = seconds(idle) if due is None else min(LONGEST, max(seconds(idle),  due - now))
    if until is not None:
        length = min(length, max(0.0, until - now))
    time.sleep(length)


def poll(done: Callable[[], bool], timeout: float | None = None) -> bool:
    """Wait for what other threads bring about; return False after `timeout` seconds."""
    started = time.monotonic()
    while not done():
        idle = time.monotonic() - started
        if timeout is not None and idle >= timeout:
            return False
        pause(idle, spin=False)
    return True
