"""Locks of files between runs: a run that was just killed gets a moment to let go of them.

Not all file systems have locks, and these say so in several ways. Which kind of lock is taken, and
what it is for, is the business of whoever has the file.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable

from ..concurrency.periods import FILE_FREE_SECONDS

NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL}
"""How file systems, and kernels, say that they have no locks."""
TAKEN = {errno.EACCES, errno.EAGAIN}
"""How they say that another process has it."""
_PAUSE = 0.05


class InUse(Exception):
    """Another process has locked the file."""


def locked(lock: Callable[[], object]) -> bool:
    """Lock a file as soon as it is free; return False where its file system has no locks.

    lock: locks it without waiting, as `fcntl.flock` does with LOCK_NB. Raises InUse where another
    process has it, also after some seconds, and any other OSError of `lock`.
    """
    deadline = time.monotonic() + FILE_FREE_SECONDS
    while True:
        try:
            lock()
            return True
        except OSError as problem:
            if problem.errno in NO_LOCKS:
                return False
            if problem.errno not in TAKEN:
                raise
            if time.monotonic() > deadline:
                raise InUse from None
        time.sleep(_PAUSE)
