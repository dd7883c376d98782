"""A program started as fast as the system can: `posix_spawn`, which copies no memory.

It leads a process group, and a session, of its own, and gets nothing of this process but what is
given: MPI's descriptors would stay open in it, and it hears the signals that a worker leaves to
rank 0.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, TypeAlias

Environment: TypeAlias = Mapping[bytes, bytes] | Mapping[str, str]
"""All variables of a program."""
_HEARD = (signal.SIGCHLD, signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ)
"""What Python or a worker ignores, which would be inherited."""
_FIRST, _ALL = 3, 0xFFFF_FFFF
_CLOSE_RANGE_CLOEXEC = 4
_HERE = os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)


def started(words: list[str], env: Environment, cwd: str | None, out: int, err: int) -> int:
    """Start a program, whose stdin is empty, and return its process.

    words: its name, looked for in the PATH of this process, and its arguments. env: all of its
    variables. cwd: its directory; None for this process's own. out, err: descriptors.
    Raises OSError, or ValueError for words that cannot be passed.
    """
    _keep_descriptors()
    _keep_status()
    actions = [(os.POSIX_SPAWN_DUP2, fd, place) for place, fd in enumerate((_nothing(), out, err))]
    how: dict[str, Any] = {
        "file_actions": actions, "setsigmask": (), "setsigdef": _HEARD,
    }  # fmt: skip
    with _inside(cwd):
        try:
            return os.posix_spawnp(words[0], words, env, setsid=True, **how)
        except NotImplementedError:  # a Python that was made for an older C library
            return os.posix_spawnp(words[0], words, env, setpgroup=0, **how)


@cache
def _nothing() -> int:
    return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)


@contextlib.contextmanager
def _inside(cwd: str | None) -> Iterator[None]:
    """Let what is started begin in a directory: `posix_spawn` knows none but this process's."""
    if cwd is None:
        yield
        return
    here = os.open(".", _HERE)
    try:
        os.chdir(cwd)
        yield
    finally:
        os.fchdir(here)
        os.close(here)


def _keep_status() -> None:
    """Have the kernel keep how a program ended, where whoever started us ignores that (SIGCHLD)."""
    if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        with contextlib.suppress(ValueError):  # for the main thread only
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def _keep_descriptors() -> None:
    """Have no descriptor be inherited that a library has opened so."""
    close_range = _close_range()
    if close_range is not None and close_range(_FIRST, _ALL, _CLOSE_RANGE_CLOEXEC) == 0:
        return
    for name in os.listdir("/dev/fd"):
        with contextlib.suppress(OSError):  # that of the list itself
            if int(name) >= _FIRST:
                os.set_inheritable(int(name), False)


@cache
def _close_range() -> Callable[[int, int, int], int] | None:
    """Return that of the C library (glibc 2.34 or newer; the kernel may refuse)."""
    found: Callable[[int, int, int], int] | None = getattr(ctypes.CDLL(None), "close_range", None)
    if found is not None:
        found.argtypes = (ctypes.c_uint, ctypes.c_uint, ctypes.c_int)  # type: ignore[attr-defined]
    return found
