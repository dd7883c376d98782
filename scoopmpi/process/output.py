"""stdout and stderr of a worker: whole lines go to rank 0, which prints them.

So that lines of different workers never mix and what a task printed stands before its result.
What writes to the file descriptors themselves (C code, child processes) goes its own way, through
mpirun.
"""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

LONGEST_LINE = 1 << 20
"""Bytes after which a line without an end is sent all the same, so that memory is bounded."""


class Lines(io.RawIOBase):
    """The binary end of a stream: keeps what it is given until a line is whole.

    send: gets one or more whole lines at a time.
    fd: the file descriptor that the stream stands for.
    """

    def __init__(self, send: Callable[[str], None], fd: int) -> None:
        self._send = send
        self._fd = fd
        self._parts: list[bytes] = []
        self._length = 0
        self._guard = threading.RLock()  # a __del__ that prints may come between
        self._pid = os.getpid()

    def write(self, data: Any) -> int:
        """Take bytes; they are sent when their line ends."""
        text = bytes(data)
        if os.getpid() != self._pid:
            return os.write(
                self._fd, text
            )  # a child that a task has forked has no ranks to talk to
        whole = b""
        with self._guard:
            head, newline, tail = text.rpartition(b"\n")
            if newline:
                before, self._parts, self._length = self._parts, [], 0
                whole = b"".join((*before, head, newline))
            if tail:
                self._parts.append(tail)
                self._length += len(tail)
            if self._length > LONGEST_LINE:
                before, self._parts, self._length = self._parts, [], 0
                whole += b"".join(before)
        if whole:
            self._send(whole.decode(errors="replace"))
        return len(text)

    def finish_line(self) -> None:
        """Send what is left of an unfinished line, with an end."""
        if self._parts:
            self.write(b"\n")

    def writable(self) -> bool:
        """Yes."""
        return True

    def fileno(self) -> int:
        """The descriptor that child processes inherit."""
        return self._fd

    def isatty(self) -> bool:
        """No: a pipe to rank 0."""
        return False


class _Stream(io.TextIOWrapper):
    def close(self) -> None:
        """Stay open: a task that closes it must not take it from the tasks after it."""
        self.flush()


def stream(lines: Lines) -> io.TextIOWrapper:
    """A text stream as `sys.stdout` is one, with `buffer` and `reconfigure`."""
    buffer: Any = lines
    return _Stream(buffer, "utf-8", "backslashreplace", line_buffering=True)


def show(fd: int, text: str) -> None:
    """Print, on rank 0, what a task printed to stdout (1) or stderr (2)."""
    file = sys.stdout if fd == 1 else sys.stderr
    try:
        file.write(text)
        file.flush()
    except (OSError, ValueError):
        pass  # nobody reads it any more (`| head`), or the program has closed it
