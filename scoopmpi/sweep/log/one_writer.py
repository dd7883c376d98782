"""Whether another run writes a log: by the file system's locks, else by what that run has said.

A run that was killed is in nobody's way: its lock goes with it, and its process is not there.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import time
from collections.abc import Mapping

from ...concurrency.periods import CHECKPOINT_FREE_SECONDS
from . import about

_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL}
logger = logging.getLogger("scoopmpi")


class InUse(Exception):
    """Another run writes the file."""


def lock(fd: int) -> bool:
    """Lock a file until its descriptor is closed; return False where its file system has no locks.

    Raises InUse where another process has it, also after some seconds.
    """
    deadline = time.monotonic() + CHECKPOINT_FREE_SECONDS
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError as problem:
            if problem.errno in _NO_LOCKS:
                return False
            if problem.errno not in (errno.EACCES, errno.EAGAIN):
                raise
            if time.monotonic() > deadline:
                raise InUse from None
        time.sleep(0.05)


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
