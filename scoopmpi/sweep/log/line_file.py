"""A file of whole lines of which rank 0 is sure that they are on disk: what is left counts on it.

Written by a thread, twice a second; after each write the file system is asked (fsync), as NFS says
only then that a disk is full. What it refuses is taken back, kept, and written again.
"""

from __future__ import annotations

import errno
import os
import stat
from collections import deque
from contextlib import suppress

from ...watching.grown_file import GrownFile

MOST = 1 << 28
"""Bytes that may wait for a disk that takes none: some 1.5 million items. What is beyond is not
written, and counted: items run again for which the file has no line."""
_NO_SYNC = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}


class LineFile(GrownFile):
    """Writes lines behind what is in a file. See `GrownFile`; `fd` is opened for appending."""

    def __init__(self, path: str, what: str, fd: int) -> None:
        self._given: deque[bytes] = deque()
        self._waiting = self._dropped = 0
        self._sure = os.fstat(fd).st_size
        super().__init__(path, what, fd)

    def add(self, lines: bytes) -> None:
        """Have whole lines written, one behind the other; any thread may call."""
        if self._waiting + len(self._unwritten) < MOST:
            self._given.append(lines)
            self._waiting += len(lines)
        else:
            self._dropped += lines.count(b"\n")

    def _taken(self) -> bytes:
        taken = b"".join(self._given.popleft() for _ in range(len(self._given)))
        self._waiting = 0
        return taken

    def _missing(self) -> int:
        return self._dropped + sum(lines.count(b"\n") for lines in list(self._given))

    def _written(self, data: bytes, behind: bytes | None = None) -> bool:
        whole = super()._written(data, behind)
        try:
            os.fsync(self._fd)
        except OSError as problem:
            if problem.errno not in _NO_SYNC:
                with suppress(OSError):
                    os.ftruncate(self._fd, self._sure)
                self._unwritten = data
                self._tell(problem)
                return False
        self._sure = os.fstat(self._fd).st_size
        return whole


def opened(path: str) -> int:
    """Return the descriptor of a file to which lines are added; it is made where there is none.

    Raises OSError, also where it is a pipe or a device.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK, 0o666)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "it is not a regular file")
    return fd
