"""How much memory this worker takes, and took at most since it was asked last.

Linux keeps the most that a process has taken (VmHWM in /proc/self/status), and forgets it where it
is told to (5 in /proc/self/clear_refs): so a peak is that of the batches since the last look. Where
it cannot be told to, and on macOS, it is the most so far.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from typing import Any

LOOK = 0.1
"""Seconds between two looks: one takes 15 us."""
_WORTH = 0.0015
"""Seconds of a batch that is looked at in any case, where the last look was at another function's:
a hundred times what that costs."""
_FORGET = b"5"


class Memory:
    """Looks at the memory of this process."""

    def __init__(self) -> None:
        self._next = 0.0
        self._begun: Any = None
        self._seen: Any = self
        self._status = _opened("/proc/self/status", os.O_RDONLY)
        self._forget = _opened("/proc/self/clear_refs", os.O_WRONLY)

    def begins(self, function: Any) -> None:
        """Take note of whose tasks run next: what those of others took is not theirs."""
        if function is not self._begun:
            self._begun = function
            if self._forget is not None:
                with suppress(OSError):
                    os.pwrite(self._forget, _FORGET, 0)

    def look(self, seconds: float) -> tuple[int, int]:
        """Return bytes: now, and at most since the last look; 0 and 0 where that was just now.

        seconds: for which tasks have run.
        """
        now, function = time.monotonic(), self._begun
        if now < self._next and (function is self._seen or seconds < _WORTH):
            return 0, 0
        self._next, self._seen = now + LOOK, function
        if self._status is None:
            return _by_usage()
        try:
            found = _numbers(os.pread(self._status, 4096, 0))
            if self._forget is not None:
                os.pwrite(self._forget, _FORGET, 0)
        except OSError:
            self._forget = None
            return _by_usage()
        return found


def _opened(path: str, flags: int) -> int | None:
    try:
        return os.open(path, flags | os.O_CLOEXEC)
    except OSError:
        return None


def _numbers(status: bytes) -> tuple[int, int]:
    resident = peak = 0
    for line in status.splitlines():
        if line.startswith(b"VmRSS:"):
            resident = int(line.split()[1]) << 10
        elif line.startswith(b"VmHWM:"):
            peak = int(line.split()[1]) << 10
    return resident, max(peak, resident)


def _by_usage() -> tuple[int, int]:
    import resource  # late: few systems need it

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    most *= 1 if sys.platform == "darwin" else 1024
    return most, most
