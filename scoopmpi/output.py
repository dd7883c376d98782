"""stdout and stderr of a worker: whole lines go to rank 0, which prints them.

So that lines of different workers never mix and what a task printed stands before its result.
What writes to the file descriptors themselves (C code, child processes) goes its own way, through
mpirun.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable

LONGEST_LINE = 1 << 20
"""Characters after which a line without an end is sent all the same, so that memory is bounded."""


class Lines(io.TextIOBase):
    """A text stream that passes on whole lines.

    send: gets one or more whole lines at a time.
    fd: the file descriptor that the stream stands for.
    """

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, send: Callable[[str], None], fd: int) -> None:
        self._send = send
        self._fd = fd
        self._parts: list[str] = []
        self._length = 0
        self._guard = threading.Lock()

    def write(self, text: str) -> int:
        """Take text; it is sent when its line ends."""
        if not isinstance(text, str):
            raise TypeError(f"write() takes a str, not {type(text).__name__}")
        whole = ""
        with self._guard:
            head, newline, tail = text.rpartition("\n")
            if newline:
                whole = "".join((*self._parts, head, newline))
                self._parts, self._length = [], 0
            if tail:
                self._parts.append(tail)
                self._length += len(tail)
            if self._length > LONGEST_LINE:
                whole += "".join(self._parts)
                self._parts, self._length = [], 0
        if whole:
            self._send(whole)
        return len(text)

    def finish_line(self) -> None:
        """Send what is left of an unfinished line, with an end."""
        if self._parts:
            self.write("\n")

    def writable(self) -> bool:
        """Yes."""
        return True

    def fileno(self) -> int:
        """The descriptor that child processes inherit."""
        return self._fd

    def isatty(self) -> bool:
        """No: a pipe to rank 0."""
        return False
