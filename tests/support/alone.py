"""Tests marked `alone` measure seconds: while one of them runs, no other process runs a test.

A room that others share and such a test has for itself. Who wants in passes the door, one at a
time, so that a test that waits to be alone lets nobody in before itself. Locks of files: they end
with the process that holds them, however it ends.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path, how: int) -> Iterator[None]:
    """Hold a file's lock: `fcntl.LOCK_SH` beside others who share it, `LOCK_EX` alone."""
    number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(number, how)
        yield
    finally:
        fcntl.flock(number, fcntl.LOCK_UN)  # a fork of the test may hold the file for longer
        os.close(number)


@contextmanager
def admitted(directory: Path, alone: bool) -> Iterator[None]:
    """Run one test; the directory is where all processes of this run meet."""
    with ExitStack() as inside:
        with locked(directory / "door", fcntl.LOCK_EX):
            inside.enter_context(
                locked(directory / "room", fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
            )
        yield
