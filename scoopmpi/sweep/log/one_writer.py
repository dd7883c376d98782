"""Whether another run writes a log: by the file system's locks, else by what that run has said.

A run that was killed is in nobody's way: its lock goes with it, and its process is not there.
"""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Mapping
from functools import partial

from ...process.file_locks import InUse, locked
from . import about

logger = logging.getLogger("scoopmpi")


def lock(fd: int) -> bool:
    """Lock a file until its descriptor is closed; return False where its file system has no locks.

    Raises InUse where another process has it, also after some seconds.
    """
    return locked(partial(fcntl.flock, fd, fcntl.LOCK_EX | fcntl.LOCK_NB))


def ask(path: str, last: Mapping[str, object] | None, is_over: bool) -> None:
    """Raise InUse where the last run of a log still writes it, as far as that is seen from here.

    For file systems without locks. last: what that run has said; is_over: whether also its end.
    """
    if last is None or is_over:
        return
    there = about.lives(last)
    if there:
        raise InUse
    if there is None:
        logger.warning(
            "log %s: its last run, %s, has not said that it has ended, and the file system has no"
            " locks: if it still runs, end one of the two", path, about.where(last),
        )  # fmt: skip
