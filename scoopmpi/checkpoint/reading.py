"""A checkpoint as it lies there, read beside a run that writes it too. Nothing here writes it.

What is read counts only where nobody has written meanwhile; a file that is written to all the
time is copied first. What is read, is the caller's business.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from typing import TypeVar

from ..concurrency.periods import CHECKPOINT_READ_SECONDS
from . import database, file_checks
from .file_checks import CheckpointError, refused
from .tables import Tables

T = TypeVar("T")


def read(path: str | os.PathLike[str], look: Callable[[Tables], T]) -> T:
    """Return what `look` finds in the tables of a file, at a moment at which nobody writes.

    Raises CheckpointError where the file is none, is damaged, or is not the user's alone.
    """
    shown = os.fspath(path)
    real, _ = file_checks.admitted(shown, create=False)
    deadline = time.monotonic() + CHECKPOINT_READ_SECONDS
    while True:
        before = _state(real)
        try:
            with closing(_reader(real)) as connection:
                found = _looked(connection, shown, real, look)
            if before is not None and _state(real) == before:
                return found
        except database.PROBLEMS as problem:
            failure: CheckpointError = refused(shown, f"it cannot be read ({problem})", "try again")
        except CheckpointError as problem:
            failure = problem
        else:
            failure = refused(shown, "a run writes to it all the time", "try again")
        if before is not None and _state(real) == before:
            raise failure  # nobody has written meanwhile: it is as it is
        if time.monotonic() > deadline:
            return _in_a_copy(shown, real, look)
        time.sleep(0.05)


def _looked(connection: sqlite3.Connection, path: str, real: str, look: Callable[[Tables], T]) -> T:
    if not os.path.getsize(real):
        raise refused(path, "it is empty, nothing was saved in it yet", "run the program with it")
    database.checked(connection, path, real)
    return look(Tables(connection))


def _reader(real: str) -> sqlite3.Connection:
    """Open it without a lock, which is a running program's: what is read counts if it stays."""
    return database.connect(real, "ro&immutable=1")


def _in_a_copy(path: str, real: str, look: Callable[[Tables], T]) -> T:
    """Look at a copy that was made between two moments of writing, or of one that was broken off.

    The latter is undone in the copy, never in its place: from another host even a running program
    may look as if it had been killed.
    """
    whole = False
    try:
        with tempfile.TemporaryDirectory() as place:
            copy = os.path.join(place, "copy")
            whole = _copied(real, copy)
            with closing(database.connect(copy, "rw")) as connection:
                return _looked(connection, path, copy, look)
    except OSError as problem:  # the disk is full, say, or the file was moved away meanwhile
        raise refused(path, f"it cannot be copied to be read ({problem})", "try again") from None
    except (CheckpointError, *database.PROBLEMS) as problem:
        reason = f"it is damaged ({problem})" if whole else "a run writes to it all the time"
        raise refused(path, reason, "try again") from None


def _copied(real: str, copy: str) -> bool:
    """Copy a file while nobody writes to it; with its journal, and False, where somebody does."""
    for _ in range(5):
        before = _state(real)
        shutil.copyfile(real, copy)
        if before is not None and _state(real) == before:
            return True
        time.sleep(0.1)
    shutil.copyfile(f"{real}-journal", f"{copy}-journal")
    return False


def _state(real: str) -> tuple[int, int] | None:
    """Return the state of the file as it lies there; None while it is written to."""
    try:
        with open(f"{real}-journal", "rb") as journal:
            if any(journal.read(28)):  # its header; zeros once all is committed
                return None
    except OSError:
        pass
    found = os.stat(real)
    return found.st_mtime_ns, found.st_size
