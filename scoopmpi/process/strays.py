"""Processes that outlive the rank that started them: found, given a moment, ended (Linux).

A launcher waits for the end of a rank's stdout and stderr, which its children hold too; so one
that is forgotten would keep the whole job. What has been started to outlive the rank may: in a
session of its own, with none of the rank's pipes in hand. Elsewhere than on Linux nothing is found.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import signal
import stat
import sys
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..concurrency.periods import END_SECONDS, TERM_SECONDS

LOOK_SECONDS = 0.02
_SHOWN, _WORDS = 4, 120
"""Processes that are named, and how much of their commands."""
_PR_SET_CHILD_SUBREAPER = 36
_TRACKER = re.compile(r"resource_tracker import main")
"""Of multiprocessing and loky: it cleans up when the last of the others has ended, this one too."""


class _Process(NamedTuple):
    pid: int
    parent: int
    group: int
    session: int


def adopt() -> None:
    """Become the parent of this process's descendants when their own parents die."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end(patience: float, own_group: bool = False) -> list[str]:
    """End the descendants of this process; return those that did not so within `patience` seconds.

    own_group: orphans count too that are in a group of processes which this one leads.
    """
    left = _wait(patience, own_group)
    named = [_described(pid) for pid in left]
    if left:
        _signal(left, signal.SIGTERM)
        left = _wait(TERM_SECONDS, own_group)
    until = time.monotonic() + TERM_SECONDS
    while left and time.monotonic() < until:  # again and again: they may be starting others
        _signal(left, signal.SIGKILL)
        left = _wait(LOOK_SECONDS, own_group)
    return named


def ended(named: list[str]) -> str:
    """Return what to say of processes that have been ended: `1234 (sleep 60)` and so on."""
    more = len(named) - _SHOWN
    shown = ", ".join(named[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
    return f"what was still running {END_SECONDS:g} s after the end was ended: {shown}"


def _wait(seconds: float, own_group: bool) -> list[int]:
    """Return who is left after so many seconds, or as soon as nobody is."""
    until = time.monotonic() + seconds
    while (left := _left(own_group)) and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)
    return left


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(OSError):
            os.kill(pid, number)


def _left(own_group: bool) -> list[int]:
    if sys.platform != "linux":
        return []
    own = os.getpid()
    if not own_group and _childless():
        return []
    running = list(_running())
    found = _descendants({own}, running)
    if own_group and os.getpgrp() == own:
        orphans = _orphans(running)
        found |= orphans | _descendants(orphans, running)
    session, pipes = os.getsid(0), _pipes()
    return [
        each.pid for each in running
        if each.pid in found and each.pid != own
        and (each.session == session or _holds(each.pid, pipes))
        and not _TRACKER.search(_command(each.pid))
    ]  # fmt: skip


def _descendants(of: set[int], running: Sequence[_Process]) -> set[int]:
    found, parents = set[int](), of
    while parents:
        children = {each.pid for each in running if each.parent in parents} - found
        found |= children
        parents = children
    return found


def _orphans(running: Sequence[_Process]) -> set[int]:
    """Find those of the group that this process leads; with srun other ranks are in it too."""
    members = [each for each in running if each.group == os.getpid()]
    alive = {os.getppid(), *(each.pid for each in members)}
    return {each.pid for each in members if each.parent not in alive}


def _childless() -> bool:
    """True without any child, which costs one call to find out."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return True
    return False


def _running() -> Iterator[_Process]:
    for name in filter(str.isdecimal, os.listdir("/proc")):
        with contextlib.suppress(OSError, ValueError), open(f"/proc/{name}/stat", "rb") as file:
            state, parent, group, session = file.read().rpartition(b")")[2].split()[:4]
            if state not in (b"Z", b"X"):
                yield _Process(int(name), int(parent), int(group), int(session))


def _pipes() -> set[tuple[int, int]]:
    """Return what a launcher may wait for the end of: this process's stdout and stderr."""
    found = set()
    for fd in (1, 2):
        with contextlib.suppress(OSError):
            status = os.fstat(fd)
            if stat.S_ISFIFO(status.st_mode) or stat.S_ISSOCK(status.st_mode):
                found.add((status.st_dev, status.st_ino))
    return found


def _holds(pid: int, pipes: set[tuple[int, int]]) -> bool:
    with contextlib.suppress(OSError):
        for name in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                status = os.stat(f"/proc/{pid}/fd/{name}")
                if (status.st_dev, status.st_ino) in pipes:
                    return True
    return False


def _command(pid: int) -> str:
    words = b""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
        words = file.read(4096)
    return words.replace(b"\0", b" ").decode(errors="replace").strip()


def _described(pid: int) -> str:
    text = _command(pid)
    return f"{pid} ({text[:_WORDS]})" if text else str(pid)
