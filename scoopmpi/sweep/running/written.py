"""What an item writes, while it runs: files without names, so that nothing of it is left behind.

Files, not pipes: a command that leaves something in the background would last as long as that. On
disk rather than in memory, which large outputs need anyway on their way to rank 0.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from typing import NamedTuple

PIECE = 1 << 30
"""Read at once: one read takes less than 2 GiB."""
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC


class Written(NamedTuple):
    """Where an item writes: two descriptors, which are the same where its streams are merged."""

    out: int
    err: int

    def content(self) -> tuple[bytes, bytes]:
        """Return what has been written so far, to stdout and to stderr."""
        return _content(self.out), b"" if self.err == self.out else _content(self.err)


@contextlib.contextmanager
def written(merged: bool) -> Iterator[Written]:
    """Make files for an item, and let go of them after the block."""
    out = _unnamed()
    try:
        err = out if merged else _unnamed()
        try:
            yield Written(out, err)
        finally:
            if err != out:
                os.close(err)
    finally:
        os.close(out)


def _unnamed() -> int:
    """Open a file that has no name; what is written is appended, whoever else writes."""
    folder = tempfile.gettempdir()
    with contextlib.suppress(AttributeError, OSError):  # not everywhere, nor on all file systems
        return os.open(folder, _FLAGS | os.O_TMPFILE, 0o600)
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        return os.dup(file.fileno())


def _content(fd: int) -> bytes:
    """Return what a file holds now: others may still be writing."""
    left = os.fstat(fd).st_size
    parts: list[bytes] = []
    place = 0
    while left and (part := os.pread(fd, min(left, PIECE), place)):
        parts.append(part)
        place += len(part)
        left -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
