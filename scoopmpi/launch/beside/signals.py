"""The signals that this process takes while a launcher runs, and what it does with each of them.

What they mean to all processes of a job is a table in `process.signals`.

Those that are ignored (after nohup, in the background of a script) stay so, for the launcher too.
"""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NamedTuple

from ...process.signals import STOPPING, TAKEN, WARNINGS


class Handling(NamedTuple):
    """What the command does with a signal.

    cleans_up: rank 0 gets it, and the program its time. by_terminal: a terminal sends it to the
    launcher too, which must not get it twice. warns: batch systems send it ahead of a job's end; a
    Hydra dies of the second.
    """

    cleans_up: bool
    by_terminal: bool
    warns: bool


HANDLINGS: dict[int, Handling] = {
    number: Handling(
        cleans_up=number in STOPPING,
        by_terminal=number in (signal.SIGINT, signal.SIGQUIT),
        warns=number in WARNINGS,
    )
    for number in TAKEN
}
"""By the number of the signal. What `job` does then:

| signal | rank 0 of a farm on this host, its program runs | no line to rank 0 |
|---|---|---|
| SIGINT | rank 0 gets it, unless it has got it already | launcher, unless its terminal sent it |
| SIGTERM, SIGHUP | the same | the launcher gets it |
| SIGUSR1, SIGUSR2 | the same | the launcher; with a checkpoint it gets SIGTERM |
| SIGQUIT | all is killed, exit status 128 + 3 | launcher, unless its terminal sent it |

With a line to rank 0 whose program does not run yet, each kills all, with 128 + its number. Where
this process is killed the launcher gets SIGHUP with a line to rank 0, else SIGTERM (`child`).
"""
_AT_ONCE = 1 << 12


class Signals:
    """The signals that came, in order, and a descriptor that can be read after one, or SIGCHLD."""

    def __init__(self) -> None:
        self.came: deque[int] = deque()
        self._woken, self.waking = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self.waking, False)

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._woken

    def note(self, number: int, frame: FrameType | None) -> None:
        """Note a signal; this is its handler."""
        self.came.append(number)

    def drain(self) -> None:
        """Make the descriptor unreadable until the next signal."""
        try:
            while os.read(self._woken, _AT_ONCE):
                pass
        except BlockingIOError:
            pass

    def close(self) -> None:
        """Close the descriptors."""
        os.close(self._woken)
        os.close(self.waking)


@contextmanager
def taken() -> Iterator[Signals]:
    """Take the signals for a while."""
    signals = Signals()
    before: dict[int, Any] = {}
    earlier = signal.set_wakeup_fd(signals.waking, warn_on_full_buffer=False)
    try:
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in HANDLINGS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, signals.note)
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(earlier)
        signals.close()


def in_foreground() -> bool:
    """True where a terminal sends its Ctrl-C to our process group."""
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
