"""The end of a worker's Python, in the order of the interpreter's own but with a time limit.

First come threads that are no daemons, and before them what is registered with `threading`, as
pools do; then `atexit`, then files. What holds it up is ended, where it is a process; a thread is
left behind. Either is named. No MPI here, which a worker leaves after all this (`ranks.leaving`).
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import io
import os
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn

from ..concurrency.periods import END_SECONDS, UNBLOCKED_SECONDS, WORKER_END_SECONDS
from . import strays, supervisor

_FILE: Any = io.IOBase.__base__
_TEXT: Any = io.TextIOBase.__base__
"""The classes in C: `io`'s own ask each class about itself, and a task's may answer anything."""


def in_order(rank: int, then: Callable[[], NoReturn]) -> NoReturn:
    """Do what Python does at its end, then `then`, which ends the process; within the limits.

    rank: of this worker, for messages. then: is called from another thread where this one hangs.
    """
    turn = threading.Lock()
    over = threading.Event()
    until = time.monotonic() + END_SECONDS

    def go_on() -> None:
        if _held_up(rank, over.wait, until) and turn.acquire(blocking=False):
            late = f"exit functions that have not ended after {END_SECONDS:g} s"
            _say(rank, f"{late} are left behind")
            then()

    _end_threads(rank, until)
    _limit()
    threading.Thread(target=go_on, name="scoopmpi end", daemon=True).start()
    atexit._run_exitfuncs()
    _close_files()
    over.set()
    if turn.acquire(blocking=False):
        then()
    threading.Event().wait()  # the other thread ends the process
    raise AssertionError("unreachable")


def _end_threads(rank: int, until: float) -> None:
    """End threads as Python does, in a thread of its own, so that there is one left to go on."""
    _limit()
    shutdown: Callable[[], None] = getattr(threading, "_shutdown")  # noqa: B009 (not in the stubs)
    waiting = threading.Thread(target=shutdown, name="scoopmpi threads", daemon=True)
    waiting.start()

    def ended(seconds: float) -> bool:
        waiting.join(seconds)
        return not waiting.is_alive()

    if _held_up(rank, ended, until):
        own = threading.main_thread(), threading.current_thread()
        left = [each for each in threading.enumerate() if not each.daemon and each not in own]
        names = ", ".join(each.name for each in left)
        _say(rank, f"threads that have not ended after {END_SECONDS:g} s are left behind: {names}")


def _held_up(rank: int, ended: Callable[[float], bool], until: float) -> bool:
    """Wait, end the processes that it may be waiting for, wait a little more; True if in vain."""
    if ended(max(until - time.monotonic(), UNBLOCKED_SECONDS)):
        return False
    named = strays.end(0.0)
    if not named:
        return True
    _say(rank, strays.ended(named))
    return not ended(UNBLOCKED_SECONDS)


def _limit() -> None:
    """Have the supervisor act where this process has come to a stand, and not even says so."""
    supervisor.link.ends(supervisor.ENDING, WORKER_END_SECONDS)


def _close_files() -> None:
    """Close files as the interpreter does at its end, so that what is written gets to the disk."""
    files = [each for each in gc.get_objects() if issubclass(type(each), _FILE)]
    for file in sorted(files, key=lambda each: not issubclass(type(each), _TEXT)):
        with contextlib.suppress(Exception):
            if file.fileno() > 2 and file.writable():
                file.close()


def _say(rank: int, what: str) -> None:
    said = f"scoopmpi: worker {rank} on {socket.gethostname()}: {what}\n"
    with contextlib.suppress(OSError):  # a task may have closed it
        os.write(2, said.encode(errors="replace"))
