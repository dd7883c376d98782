"""The standard streams of a process as descriptors: closed ones are held, others take their place.

What text becomes on its way through them is in `output`.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import sys
import termios
from collections.abc import Mapping
from typing import TextIO

from ..concurrency.periods import UNREAD_SECONDS

NAMES = ("stdin", "stdout", "stderr")
TAKEN_AT_ONCE = select.PIPE_BUF
"""Bytes that a pipe takes at once which takes any."""


def closed() -> frozenset[int]:
    """Return the numbers of those that whoever started this process had closed (`>&-`)."""
    return frozenset(number for number, name in enumerate(NAMES) if getattr(sys, name) is None)


def flush() -> None:
    """Have what was written be on its way, where a stream is open and somebody reads."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()


def is_read(stream: TextIO | None) -> bool:
    """Return whether a stream takes something now, or within a moment: a pipe may not be read.

    As much as `TAKEN_AT_ONCE` may be written then without having to wait.
    """
    try:
        number = -1 if stream is None else stream.fileno()
    except (AttributeError, OSError, ValueError):  # whatever a program has put there
        number = -1
    poll = select.poll()
    if number >= 0:
        poll.register(number, select.POLLOUT)
    return number < 0 or bool(poll.poll(1000 * UNREAD_SECONDS))


def hold_closed() -> None:
    """Keep the numbers of the closed ones: the next file or socket would get them, and the output.

    For Python they stay closed.
    """
    for number in closed():
        _nothing(number)


def put_in_place(given: Mapping[int, int]) -> None:
    """Have the standard streams be these descriptors, which are closed; the others are closed."""
    for number, name in enumerate(NAMES):
        if number in given:
            os.dup2(given[number], number)
            os.close(given[number])
            continue
        _nothing(number)
        setattr(sys, name, None)
        setattr(sys, f"__{name}__", None)
    if sys.stdout is not None and os.isatty(1):
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    _leave_terminal()


def _leave_terminal() -> None:
    """Leave the terminal: who reads or sets it here (getpass) would be stopped for ever.

    Its foreground is the command. Without it such programs read stdin, and writing to it is free.
    """
    if os.getsid(0) == os.getpid():
        return  # a launcher has done so
    with contextlib.suppress(OSError):
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
        try:
            fcntl.ioctl(terminal, termios.TIOCNOTTY)
        finally:
            os.close(terminal)


def into_file(path: str) -> None:
    """Have stdout and stderr be a file, behind what is in it; raises OSError if that cannot be."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
    flush()
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)


def no_stdin() -> None:
    """Have nothing to read: only rank 0 has a stdin, and some launchers let the others wait."""
    _nothing(0)


def _nothing(number: int) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    if nothing != number:
        os.dup2(nothing, number)
        os.close(nothing)
