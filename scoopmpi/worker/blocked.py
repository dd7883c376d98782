"""Says of a thread that it is blocked, as another thread can see it. Knows no tasks."""

from __future__ import annotations

import selectors
import sys
import threading
import time

ASLEEP_SECONDS = 0.5
"""Without computing for so long, a thread is taken for one that sleeps, polls, or waits in C."""
_WAITING = (threading.__file__, selectors.__file__)


class ThreadWatch:
    """Watches one thread.

    thread: its number, as `threading.get_ident` gives it.
    """

    def __init__(self, thread: int) -> None:
        self._thread = thread
        getclock = getattr(time, "pthread_getcpuclockid", None)  # macOS has none
        self._clock = None if getclock is None else getclock(thread)
        self._awake, self._used = time.monotonic(), 0.0

    @property
    def waits(self) -> bool:
        """True where it waits for another thread, or for events of an asyncio loop."""
        frame = sys._current_frames().get(self._thread)
        try:
            return frame is not None and frame.f_code.co_filename in _WAITING
        finally:
            del frame  # where it is this very call, it would keep all that is below it alive

    @property
    def asleep(self) -> bool:
        """True where it has used next to no processor since this was asked a while ago."""
        if self._clock is None:
            return False
        now, used = time.monotonic(), time.clock_gettime(self._clock)
        if used - self._used > 0.1 * (now - self._awake) + 0.01:
            self._awake, self._used = now, used
        return now - self._awake > ASLEEP_SECONDS
