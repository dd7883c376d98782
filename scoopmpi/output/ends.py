"""The lower ends of rank 0's text streams: bytes of the program, of its threads, of `buffer`.

The thread that made the console may gather text in C buffers; another may move that on, so that
what it writes comes behind. All other threads give a line when it ends. How a file is written is
said in `outlet`, what a stream is to the program in `console`.
"""

from __future__ import annotations

import io
import os
import sys
import threading
from collections import deque
from typing import Any, Protocol

from .lines import LONGEST_LINE, Lines
from .outlet import Outlet

BUFFERED = 8192
"""Bytes that wait for more where nobody looks on: Python's own figure."""

REMEMBERED = 1 << 16
"""Bytes of stderr: what a program says while it is imported."""


class Above(Protocol):
    """Says what its ends know of a console."""

    shown: str
    fd: int
    outlet: Outlet
    owner: int
    through: bool

    @property
    def at_once(self) -> bool:
        """True where somebody looks on: nothing waits for more then."""

    def put(self, data: bytes, me: Any) -> None:
        """Have bytes written, in their order."""

    def write_bytes(self, data: bytes) -> None:
        """Take bytes of the program."""

    def flush(self) -> None:
        """Have everything written."""


class End:
    """Is the binary end of a text stream, as `io.TextIOWrapper` wants one."""

    mode = "wb"

    def __init__(self, console: Above) -> None:
        self.closed = False
        self.name = console.shown
        self.console = console

    def flush(self) -> None:
        """Do nothing: the console's own `flush` says what is written when."""

    close = flush

    def readable(self) -> bool:
        """False: nothing can be read."""
        return False

    seekable = readable

    def writable(self) -> bool:
        """True: it takes bytes."""
        return True

    def fileno(self) -> int:
        """Return the descriptor of the stream."""
        return self.console.fd

    def isatty(self) -> bool:
        """True where it is a terminal."""
        return os.isatty(self.console.fd)


class Own(End):
    """Takes the text of the thread that made the console, the program's own, which may gather."""

    def __init__(self, console: Above) -> None:
        super().__init__(console)
        self._outlet, self._fd, self._owner = console.outlet, console.fd, console.owner
        self._pieces: deque[bytes] = deque()
        self._length = 0
        self._rest = b""
        self._mover: int | None = None

    def write(self, data: bytes) -> int:
        """Take what has gathered in the C buffer, or a single write where nothing gathers."""
        if self._mover == threading.get_ident():
            self._pieces.append(data)  # of its unfinished line nothing is to be shown
            return len(data)
        outlet, at_once = self._outlet, self.console.at_once
        with outlet.lock:  # what another thread has taken out of that buffer is older
            alone = at_once and data and not self._pieces and not self._rest
            if alone and outlet.quick(self._fd, data, self._owner):
                return len(data)
            self._pieces.append(data)
        self.move(at_once)
        return len(data)

    def add(self, data: bytes) -> None:
        """Take bytes that may gather."""
        self._pieces.append(data)
        self._length += len(data)
        if self.console.through or self._length >= BUFFERED:
            self.move(self.console.through)

    def move(self, everything: bool = False) -> None:
        """Write the lines that are whole. everything: the unfinished one too."""
        with self._outlet.lock:
            self._outlet.turn()
            self._move(everything)

    def _move(self, everything: bool) -> None:
        data = self._rest
        while self._pieces:
            data += self._pieces.popleft()
        end = len(data) if everything or len(data) > LONGEST_LINE else data.rfind(b"\n") + 1
        self._rest = data[end:]
        self._length = len(self._rest)
        if end:
            self._outlet.put(self._fd, data[:end], self._owner)

    def move_for_others(self, text: io.TextIOWrapper) -> None:
        """Write the lines that are whole, as somebody else writes next; with the lock held."""
        self._mover = threading.get_ident()
        try:
            text.flush()
        finally:
            self._mover = None
        if self._pieces:
            self._move(everything=False)


class OwnErrors(Own):
    """Does the same for stderr, and remembers its first part, as workers may say the same."""

    def __init__(self, console: Above) -> None:
        super().__init__(console)
        self.first = b""

    def write(self, data: bytes) -> int:
        """Take what has gathered, or a single write."""
        if len(self.first) < REMEMBERED:
            self.first += data
        return super().write(data)


class Others(End):
    """Takes the text of all other threads: each line goes out when it ends."""

    def __init__(self, console: Above) -> None:
        super().__init__(console)
        self.lines = Lines()

    def write(self, data: bytes) -> int:
        """Take a single write of a thread."""
        me = threading.get_ident()
        whole = self.lines.text(me, data)
        if self.console.through:
            whole += self.lines.rest(me)
        if whole:
            self.console.put(whole, me)
        return len(data)

    def of_the_dead(self) -> bytes:
        """Return what threads that are no more have begun, and will not end."""
        living = sys._current_frames() if self.lines else {}
        return b"".join(
            self.lines.rest(owner) for owner in self.lines.owners() if owner not in living
        )


class Buffer(io.BufferedIOBase):
    """Is `sys.stdout.buffer`: what it takes comes after the text that was written before."""

    mode = "wb"

    def __init__(self, console: Above) -> None:
        self.name = console.shown
        self._console = console

    @property
    def raw(self) -> Buffer:
        """This one itself: what lies below is the console's."""
        return self

    def write(self, data: Any) -> int:
        """Take bytes; they may wait for more."""
        with memoryview(data) as view:
            self._console.write_bytes(view.tobytes())
            return view.nbytes

    def flush(self) -> None:
        """Write what waits."""
        self._console.flush()

    def close(self) -> None:
        """Write what waits, and stay open: a wrapper of the user's would close it unawares."""
        self.flush()

    def detach(self) -> Any:
        """Return this one itself, see `raw`."""
        return self

    def writable(self) -> bool:
        """True: it takes bytes."""
        return True

    def fileno(self) -> int:
        """Return the descriptor of the stream."""
        return self._console.fd

    def isatty(self) -> bool:
        """True where it is a terminal."""
        return os.isatty(self._console.fd)
