"""The signals that this process gets while a launcher runs; what is done with them is not here.

Those that are ignored (after nohup, in the background of a script) stay so, for the launcher too.
"""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from ...process.signals import TAKEN

_AT_ONCE = 1 << 12


class Signals:
    """Those that came, in order; a descriptor that can be read after one of them, or SIGCHLD."""

    def __init__(self) -> None:
        self.came: deque[int] = deque()
        self._woken, self.waking = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self.waking, False)

    def fileno(self) -> int:
        """To wait for."""
        return self._woken

    def note(self, number: int, frame: FrameType | None) -> None:
        """A handler."""
        self.came.append(number)

    def drain(self) -> None:
        """Have it unreadable until the next one."""
        try:
            while os.read(self._woken, _AT_ONCE):
                pass
        except BlockingIOError:
            pass

    def close(self) -> None:
        """No more of them."""
        os.close(self._woken)
        os.close(self.waking)


@contextmanager
def taken() -> Iterator[Signals]:
    """Take the signals for a while."""
    signals = Signals()
    before: dict[int, Any] = {}
    earlier = signal.set_wakeup_fd(signals.waking, warn_on_full_buffer=False)
    number: int
    try:
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in TAKEN:
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, signals.note)
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(earlier)
        signals.close()


def in_foreground() -> bool:
    """Whether a terminal sends its Ctrl-C to our process group."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
