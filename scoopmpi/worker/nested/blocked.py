"""Whether a thread is blocked: told from outside, by another thread. Knows no tasks."""

from __future__ import annotations

import selectors
import sys
import threading
import time

ASLEEP_SECONDS = 0.5
"""Without computing for so long, a thread is taken for one that sleeps, polls, or waits in C."""
_WAITING = (threading.__file__, selectors.__file__)


class Watch:
    """Watches one thread, which is the one that makes it."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        getclock = getattr(time, "pthread_getcpuclockid", None)  # macOS has none
        self._clock = None if getclock is None else getclock(self._thread)
        self._awake, self._used = time.monotonic(), 0.0

    @property
    def own(self) -> bool:
        """Whether the caller is the watched thread."""
        return threading.get_ident() == self._thread

    @property
    def waits(self) -> bool:
        """Whether it waits for another thread, or for events of an asyncio loop."""
        frame = sys._current_frames().get(self._thread)
        try:
            return frame is not None and frame.f_code.co_filename in _WAITING
        finally:
            del frame  # where it is this very call, it would keep all that is below it alive

    @property
    def asleep(self) -> bool:
        """Whether it has used next to no processor since this was asked a while ago."""
        if self._clock is None:
            return False
        now, used = time.monotonic(), time.clock_gettime(self._clock)
        if used - self._used > 0.1 * (now - self._awake) + 0.01:
            self._awake, self._used = now, used
        return now - self._awake > ASLEEP_SECONDS


def deeper_than(frames: int) -> bool:
    """Whether the caller's stack has more frames."""
    try:
        sys._getframe(frames)
    except ValueError:
        return False
    return True
