"""Writes to a terminal that never wait for it: what it does not take stays here, and comes first.

A terminal that nobody reads (a stalled ssh, a program that drives ours) takes some 20 kB, and that
there is room now does not say for how much. Whether a write waits belongs to the open file, which
the program and all that it starts share: so the terminal is opened once more, for each write, as a
program may close descriptors that it has not opened.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ...concurrency.signal_scopes import came_of_signal


class Nonblocking:
    """A way to the terminal that a descriptor leads to."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self.rest = b""
        """What the terminal has not taken: nothing may be written there before it."""

    def write(self, data: bytes, seconds: float = 0.0) -> None:
        """Write the rest and this, as much as the terminal takes; nothing where it is gone.

        seconds: how long it may take. Where it may not be opened again (that of another user,
        behind `su`) it is waited for.
        """
        self.rest += data
        deadline = time.monotonic() + seconds
        try:
            with _opened(self._fd) as own:
                while self.rest:
                    try:
                        self.rest = self.rest[os.write(own, self.rest) :]
                    except BlockingIOError:
                        if (left := deadline - time.monotonic()) <= 0:
                            return
                        select.select((), (self._fd,), (), left)
        except OSError as problem:
            if came_of_signal(problem):  # a TimeoutError of the program's
                raise
            self.rest = b""  # the program will hear of it itself


@contextmanager
def _opened(fd: int) -> Iterator[int]:
    """Open a terminal for a moment; it is the descriptor itself where that is not possible."""
    own = None
    for named in (os.ttyname, "/proc/self/fd/{}".format):  # in a container it may have no name
        with suppress(OSError):
            if os.isatty(fd):  # else it has been hung up, and its name may lead to another's
                own = os.open(named(fd), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
                break
    try:
        yield fd if own is None else own
    finally:
        if own is not None:
            os.close(own)
