"""Whether a file may be used as a checkpoint, before anything in it is believed.

Here are the file system's answers and the first bytes of the file; no database is opened. A
checkpoint holds pickles, which are as good as code: so it, and the journal from which SQLite
restores it, must belong to the user alone. Nothing here changes a file that exists.
"""

from __future__ import annotations

import fcntl
import os
import stat
from functools import partial

from ..process.file_locks import InUse, locked

APPLICATION = 0x5363704B
"""SQLite's application_id of a checkpoint; without a meaning beyond that it is ours."""
VERSION = 2
"""SQLite's user_version: of the tables."""
MAGIC = b"SQLite format 3\0"
HEADER = 100
"""Bytes; the places of its fields are in sqlite.org/fileformat2.html, section 1.3."""

_held: set[tuple[int, int]] = set()
"""Device and inode of the files that this process has open. Of the process, as locks are: to open
and close such a file once more would lose its lock (POSIX)."""


class CheckpointError(Exception):
    """The file cannot be used: which one, what is wrong, the remedy. It was left as it was."""


def refused(path: str, problem: str, remedy: str) -> CheckpointError:
    """Return the error of a file that is left alone."""
    return CheckpointError(f"checkpoint {path}: {problem}; {remedy}")


OTHER = "give another file, or move this one away to begin anew"


def admitted(path: str, create: bool) -> tuple[str, bool]:
    """Return the file's real path, and True where the file system knows locks.

    create: make the file where there is none. An empty file is as good as none.
    Raises CheckpointError where the file is not the user's own, not a checkpoint, or in use.
    """
    try:
        return _admitted(path, create)
    except FileNotFoundError:
        raise refused(path, "there is no such file or directory", "is the path right?") from None
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise refused(path, f"it cannot be opened for writing: {reason}", OTHER) from None
    except ValueError as problem:  # a zero in the path
        raise refused(repr(path), str(problem), "is the path right?") from None


def _admitted(path: str, create: bool) -> tuple[str, bool]:
    if os.path.islink(path) and os.lstat(path).st_uid != os.geteuid():
        raise refused(path, "it is a link that another user has made", OTHER)
    real = os.path.realpath(path)
    if create and not os.path.exists(real):
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            os.close(os.open(real, flags, 0o600))
        except FileExistsError:
            pass  # another run was faster; one of the two will get the lock
    own(path, os.stat(real))
    journal(path, real)
    return real, _looked_at(path, real, os.O_RDWR if create else os.O_RDONLY)


def own(path: str, found: os.stat_result) -> None:
    """Refuse what is not a file that the user alone can write to."""
    if not stat.S_ISREG(found.st_mode):
        raise refused(path, "it is not a regular file", "give the path of a file")
    if found.st_uid != os.geteuid():
        raise refused(path, f"it belongs to another user (uid {found.st_uid})", OTHER)
    if found.st_mode & 0o022:
        mode = stat.S_IMODE(found.st_mode)
        remedy = f"if you trust what is in it: chmod go-w {path}"
        raise refused(path, f"other users may write to it (mode {mode:04o})", remedy)


def journal(path: str, real: str) -> None:
    """Refuse a journal that somebody else may have put there: SQLite would restore from it."""
    if os.path.lexists(f"{real}-wal"):
        raise refused(path, f"{real}-wal lies beside it, and is none of ours", "move that away")
    beside = f"{real}-journal"
    try:
        own(beside, os.lstat(beside))
    except FileNotFoundError:
        pass
    except CheckpointError as problem:
        remedy = "remove the journal, or give another file"
        raise refused(path, f"its journal is not to be trusted ({problem})", remedy) from None


def _looked_at(path: str, real: str, flags: int) -> bool:
    found = os.stat(real)
    if (found.st_dev, found.st_ino) in _held:
        raise in_use(path)
    file = os.open(real, flags | os.O_CLOEXEC | os.O_NONBLOCK)  # a FIFO put there must not hang
    try:
        own(path, os.fstat(file))
        locks = True if flags == os.O_RDONLY else _free(path, file)
        header = os.read(file, HEADER)
        header_is_ours(path, header)
        # With a journal the size may still be undone; who only reads may come in between.
        if flags == os.O_RDWR and not os.path.exists(f"{real}-journal"):
            whole(path, header, os.fstat(file).st_size)
        return locks
    finally:
        os.close(file)


def hold(file: tuple[int, int]) -> None:
    """Note that this process has a file open.

    file: its device and inode.
    """
    _held.add(file)


def let_go(file: tuple[int, int]) -> None:
    """Note that this process has closed a file."""
    _held.discard(file)


def hold_nothing() -> None:
    """Note that this process was forked: all files are its parent's."""
    _held.clear()


def _free(path: str, file: int) -> bool:
    """Wait until no other process holds the file; False where the file system has no locks."""
    try:
        return locked(partial(fcntl.lockf, file, fcntl.LOCK_EX | fcntl.LOCK_NB))
    except InUse:
        raise in_use(path) from None


def in_use(path: str) -> CheckpointError:
    """Return the error of a file that another run holds."""
    return refused(path, "another run is using it", "wait for its end, or give another file")


def header_is_ours(path: str, header: bytes) -> None:
    """Refuse what is not the beginning of a checkpoint; nothing at all is a new one."""
    if not header:
        return
    if header[:16] != MAGIC[: len(header)]:
        raise refused(path, "it is not a checkpoint", OTHER)
    if len(header) < HEADER:
        raise refused(path, "it is cut off within its first bytes", OTHER)
    if int.from_bytes(header[68:72], "big") != APPLICATION:
        raise refused(path, "it is another program's SQLite file, or damaged", OTHER)
    version = int.from_bytes(header[60:64], "big")
    if version > VERSION:
        remedy = "use that version of scoopmpi, or give another file"
        raise refused(path, f"a newer version of scoopmpi wrote it (format {version})", remedy)
    if version == 1:
        remedy = "end the work with that version, or give another file: this one is left as it is"
        raise refused(path, "scoopmpi 0.1 wrote it (format 1), which this one cannot use", remedy)
    if version != VERSION or header[18:20] != b"\1\1":  # no write-ahead log: never made by us
        raise refused(path, "it is damaged in its first bytes", OTHER)


def whole(path: str, header: bytes, size: int) -> None:
    """Refuse a file that is not as long as its first bytes say."""
    page = int.from_bytes(header[16:18], "big")
    expected = int.from_bytes(header[28:32], "big") * (65536 if page == 1 else page)
    if header and size != expected:
        raise refused(path, f"it has {size} bytes instead of {expected}: cut off or damaged", OTHER)
