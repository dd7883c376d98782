"""Writes to a terminal that never wait for it: what it does not take stays with the caller.

A terminal that nobody reads (a stalled ssh, a program that drives ours) takes some 20 kB, and that
there is room now does not say for how much. Whether a write waits belongs to the open file, which
the program and all that it starts share: so the terminal is opened once more.
"""

from __future__ import annotations

import os
import select
import time
from contextlib import suppress


class Nonblocking:
    """A second way to the terminal that a descriptor leads to."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._own: int | None = None

    def write(self, data: bytes, seconds: float = 0.0) -> bytes:
        """Return what the terminal has not taken, nothing where it is gone.

        seconds: how long it may take. Where it may not be opened again (that of another user,
        behind `su`) it is waited for.
        """
        if self._own is None:
            self._own = _opened(self._fd)
        fd = self._fd if self._own is None else self._own
        deadline = time.monotonic() + seconds
        while data:
            try:
                data = data[os.write(fd, data) :]
            except BlockingIOError:
                if (left := deadline - time.monotonic()) <= 0:
                    break
                select.select((), (fd,), (), left)
            except OSError:  # the program will hear of it itself
                return b""
        return data

    def close(self) -> None:
        """Give the descriptor back; the next write opens another one."""
        own, self._own = self._own, None
        if own is not None:
            os.close(own)


def _opened(fd: int) -> int | None:
    """Return a descriptor of its own for a terminal, None where there is none."""
    for named in (os.ttyname, "/proc/self/fd/{}".format):  # in a container it may have no name
        with suppress(OSError):
            name = named(fd)
            return os.open(name, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    return None
