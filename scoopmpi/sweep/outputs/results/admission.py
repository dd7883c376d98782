"""Whether a file may be written as the results of a sweep, before anything in it is believed.

Here are the file system's answers and the first bytes of the file. One run at a time writes it;
who reads does not wait for the run's end. Nothing here changes a file that exists.
"""

from __future__ import annotations

import fcntl
import os
import stat
import struct
import sys
from functools import partial
from typing import NamedTuple

from ....checkpoint.file_checks import HEADER, MAGIC
from ....process.file_locks import NO_LOCKS, TAKEN, InUse, locked
from ..sink import OutputProblem
from .tables import APPLICATION, VERSION

GUARD = 0x40000000 + 512
"""The byte that a run locks for its time, behind those by which SQLite locks a file for moments
(sqlite.org/lockingv3.html). As SQLite unlocks a whole file at once, by a lock of the descriptor
(F_OFD_SETLK) and not of the process; where there is none, SQLite alone keeps the file whole."""
OTHER = "give another file, or move this one away"


class Admitted(NamedTuple):
    """A file that may be used.

    guard: its descriptor, to be closed when SQLite has closed the file: POSIX takes all locks of a
        process from a file with the first descriptor that it closes.
    locks: False where the file system has none.
    """

    path: str
    real: str
    guard: int
    locks: bool


def refused(path: str, problem: str, remedy: str) -> OutputProblem:
    """Return the error of a file that is left alone."""
    return OutputProblem(f"results {path}: {problem}; {remedy}")


def for_writing(path: str) -> Admitted:
    """Return the file, made where there is none. Raises OutputProblem where it is something else,
    or another run writes it."""
    return _admitted(path, os.O_RDWR | os.O_CREAT)


def for_reading(path: str) -> Admitted:
    """Return the file, though a run may be writing it. Raises OutputProblem where it is none."""
    return _admitted(path, os.O_RDONLY)


def _admitted(path: str, flags: int) -> Admitted:
    try:
        real = os.path.realpath(path)
        # A FIFO that is called so must not hang.
        guard = os.open(real, flags | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY, 0o666)
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise refused(path, f"it cannot be opened: {reason}", "is the path right?") from None
    try:
        if not stat.S_ISREG(os.fstat(guard).st_mode):
            raise refused(path, "it is not a regular file", "give the path of a file")
        header = os.pread(guard, HEADER, 0)
        _is_ours(path, header)
        writes = flags != os.O_RDONLY
        locks = _locked(path, guard) if writes else _knows_locks(guard)
        if writes and not os.path.exists(f"{real}-journal"):  # its size may be undone with one
            _is_whole(path, header, os.fstat(guard).st_size)
        return Admitted(path, real, guard, locks)
    except BaseException:
        os.close(guard)
        raise


def is_results(path: str) -> bool:
    """True where a file begins as results do."""
    try:
        with open(path, "rb") as file:
            header = file.read(HEADER) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else b""
    except (OSError, ValueError):
        return False
    return header[:16] == MAGIC and _number(header, 68) == APPLICATION


def _is_ours(path: str, header: bytes) -> None:
    if not header:
        return
    if header[:16] != MAGIC or _number(header, 68) != APPLICATION:
        raise refused(path, "it is something else than the results of a sweep", OTHER)
    if _number(header, 60) > VERSION:
        remedy = "use that version of scoopmpi, or give another file"
        raise refused(path, "a newer version of scoopmpi wrote it", remedy)


def _is_whole(path: str, header: bytes, size: int) -> None:
    page = int.from_bytes(header[16:18], "big")
    expected = _number(header, 28) * (65536 if page == 1 else page)
    if header and size != expected:
        raise refused(path, f"it has {size} bytes instead of {expected}: cut off or damaged", OTHER)


def _number(header: bytes, start: int) -> int:
    return int.from_bytes(header[start : start + 4], "big")


def _locked(path: str, guard: int) -> bool:
    """Lock it for this run, as soon as one that was just killed lets go; False without locks."""
    try:
        return locked(partial(_lock, guard))
    except InUse:
        remedy = "wait for its end, or give another file"
        raise refused(path, "another run is writing it", remedy) from None
    except OSError as problem:
        raise refused(path, f"it cannot be locked: {problem.strerror}", OTHER) from None


def _lock(guard: int) -> None:
    fcntl.lockf(guard, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, GUARD)
    fcntl.lockf(guard, fcntl.LOCK_UN, 1, GUARD)
    _lock_for_long(guard)


def _lock_for_long(guard: int) -> None:
    if sys.platform == "linux":
        wanted = struct.pack("hhqqi0q", fcntl.F_WRLCK, os.SEEK_SET, GUARD, 1, 0)
        try:
            fcntl.fcntl(guard, fcntl.F_OFD_SETLK, wanted)
        except OSError as problem:
            if problem.errno not in NO_LOCKS:
                raise


def _knows_locks(guard: int) -> bool:
    try:
        fcntl.lockf(guard, fcntl.LOCK_SH | fcntl.LOCK_NB, 1, GUARD)
    except OSError as problem:
        return problem.errno in TAKEN
    fcntl.lockf(guard, fcntl.LOCK_UN, 1, GUARD)
    return True
