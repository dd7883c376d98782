"""The way out of rank 0: one writer for each file, whether lines are the program's or of tasks.

Who writes holds the file's lock until it is all written. What is shown without a newline (a prompt,
a bar) stands open: others hold back for a moment then, that its line may end. Knows bytes only;
what text becomes is said in `console`.
"""

from __future__ import annotations

import io
import select
import threading
import time
from collections.abc import Callable
from typing import Protocol

HOLD = 0.1
"""Seconds for which nobody else writes behind a line that has no end yet: between text and newline
of one unbuffered `print` other threads may run, each for the interpreter's 5 ms."""
LOOK = 0.001
"""Seconds after which it is looked again whether the line has ended."""
NEWLINE = 10
MOST_UNWRITTEN = 1 << 16
"""Bytes that are tried again after an error, as Python tries again what is in its buffer."""
MOST_AT_ONCE = select.PIPE_BUF
"""Bytes that a pipe takes whole or not at all: more may be cut by a signal."""


class Below(Protocol):
    """Stands below all that is written to a terminal: a bar."""

    def around(self, data: bytes) -> bytes:
        """Return what to write in the place of some bytes, so that it stands below them."""


class Outlet:
    """Writes one file, by one descriptor or two: stdout and stderr may be the same."""

    def __init__(self) -> None:
        self._files: dict[int, Callable[[bytes], int | None]] = {}
        self.reset()

    def takes(self, fd: int) -> None:
        """Have it write to this descriptor too, which stays open."""
        self._files[fd] = io.FileIO(fd, "w", closefd=False).write  # 0.4 us below os.write

    def reset(self) -> None:
        """Begin anew in a forked child: the thread that holds the lock may not be there."""
        self.lock = threading.RLock()
        self._changed = threading.Condition(self.lock)
        self._open: int | None = None  # the thread whose line has no end yet
        self.below: Below | None = None
        """What stands below on the terminal now. It is set with the lock held."""
        self._since = 0.0
        self._unwritten: dict[int, bytes] = {}

    @property
    def open(self) -> bool:
        """True where a line of the program has no end yet."""
        return self._open is not None

    def held(self) -> bool:
        """True where the calling thread shall leave another a moment to end its line."""
        if self._open is None or self._open == threading.get_ident():
            return False
        return time.monotonic() - self._since < HOLD

    def turn(self) -> bool:
        """Wait until the calling thread may write; with the lock held, which others may get.

        Return True where it stands in the middle of a line of its own.
        """
        while self._open is not None and self.held():
            self._changed.wait(LOOK)  # nobody notifies: that would cost each print
        return self._open is not None and self._open == threading.get_ident()

    def quick(self, fd: int, data: bytes, who: int) -> bool:
        """Write, if that is all there is to do, and return whether it is done; with the lock held.

        fd: the descriptor. who: the calling thread, whose text it is.
        """
        if self._unwritten or self.below is not None:
            return False
        if self._open is not None and self._open != who:
            return False
        if len(data) > MOST_AT_ONCE:
            self._write(fd, data, False)
        elif (written := self._files[fd](data)) != len(data):
            self._unwritten[fd] = data[written or 0 :]
            self.again(fd)
        if data[-1] == NEWLINE:
            self._open = None
        elif self._open is None:
            self._open, self._since = who, time.monotonic()
        return True

    def put(self, fd: int, data: bytes, who: int | None) -> None:
        """Write all of it, with the lock held.

        fd: the descriptor. who: the thread whose text it is, None for tasks.
        """
        if self._unwritten:
            self.again(fd)
        shown = data if self.below is None else self.below.around(data)
        self._write(fd, shown, who is not None)
        if who is None or data.endswith(b"\n"):
            self._open = None
        elif self._open != who:
            self._open, self._since = who, time.monotonic()

    def again(self, fd: int) -> None:
        """Try once more what could not be written; raises OSError where it fails again."""
        if fd in self._unwritten:
            self._write(fd, self._unwritten.pop(fd), True)

    def _write(self, fd: int, data: bytes, again: bool) -> None:
        taken: list[int | None] = []
        rest = data
        try:
            while rest:
                # Noted in C, where no handler of a signal can come between.
                taken.extend(map(self._files[fd], (rest,)))
                if taken[-1] is None:  # another process has made that it does not block
                    select.select((), (fd,), (), 1.0)
                rest = data[sum(filter(None, taken)) :]
        except BaseException as error:
            rest = data[sum(filter(None, taken)) :]
            if isinstance(error, OSError) and not _of_signal(error):
                rest = rest[:MOST_UNWRITTEN] if again else b""
            if rest:  # of a signal all: the line is to be whole all the same
                self._unwritten[fd] = rest
            raise


def _of_signal(error: BaseException) -> bool:
    from ..concurrency.signal_scopes import came_of_signal  # late: a file for each worker

    return came_of_signal(error)
