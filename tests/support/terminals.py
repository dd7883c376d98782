"""A person at a terminal: reads what is shown, and types an answer to each thing in turn."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

Typed = bytes | Callable[[int], object]
"""What is done: keys, or a function that is given the number of the process."""


def at_a_terminal(
    words: Sequence[str],
    env: Mapping[str, str],
    script: Iterable[tuple[bytes, Typed]],
    cwd: str | os.PathLike[str] = ".",
    seconds: float = 40,
    size: tuple[int, int] | None = None,
) -> bytes:
    """Return what a person sees, with the exit status in angle brackets behind it.

    script: what is waited for behind the last such thing, and what is done then.
    size: columns and rows of the terminal, if it says them.
    In the end the terminal must be as it was.
    """
    terminal, theirs = os.openpty()
    before = termios.tcgetattr(theirs)
    if size is not None:
        resize(theirs, *size)
    pid = _started(words, env, cwd, terminal, theirs)
    try:
        seen, waiting = _played(pid, terminal, list(script), seconds)
        after = termios.tcgetattr(theirs)
    finally:
        os.close(terminal)
        os.close(theirs)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert not waiting, (waiting, seen)
    assert after == before, "the terminal is not as it was"
    return seen + b"<%d>" % status


def resize(terminal: int, columns: int, rows: int) -> None:
    """Give a terminal another size, and tell who is in front of it."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def _started(
    words: Sequence[str], env: Mapping[str, str], cwd: Any, terminal: int, theirs: int
) -> int:
    if pid := os.fork():
        return pid
    try:
        os.setsid()
        os.close(terminal)
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
        for number in range(3):
            os.dup2(theirs, number)
        os.chdir(cwd)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.execvpe(words[0], words, env)
    finally:
        os._exit(127)


def _played(
    pid: int, terminal: int, waiting: list[tuple[bytes, Typed]], seconds: float
) -> tuple[bytes, list[tuple[bytes, Typed]]]:
    seen, place, deadline = b"", 0, time.monotonic() + seconds
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.1)[0]:
            seen += os.read(terminal, 4096)
        elif os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return seen, waiting
        while waiting and (found := seen.find(waiting[0][0], place)) >= 0:
            text, typed = waiting.pop(0)
            place = found + len(text)
            if isinstance(typed, bytes):
                os.write(terminal, typed)
            else:
                typed(pid)
    os.killpg(pid, signal.SIGKILL)
    raise AssertionError(f"it does not end: {seen!r}, {waiting}")
