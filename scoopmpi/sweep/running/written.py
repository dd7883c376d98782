"""Where an item writes: into files, of its own in a directory, or without names.

Files, not pipes: a command that leaves something in the background would last as long as that.
Those without names are in memory, through which what they hold goes to rank 0 anyway, and leave
nothing behind, however their worker ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from typing import NamedTuple

from ..outputs.directory import Files
from .not_started import NotStarted
from .plan import Plan
from .unnamed import unnamed_file

PIECE = 1 << 30
"""Read at once: one read takes less than 2 GiB."""


class Written(NamedTuple):
    """Where an item writes: two descriptors, which are the same where its streams are merged.

    answered: what it has written goes to rank 0.
    """

    out: int
    err: int
    answered: bool

    def content(self) -> tuple[bytes, bytes]:
        """Return what has been written so far to stdout and to stderr, as far as it is answered."""
        if not self.answered:
            return b"", b""
        return _content(self.out), b"" if self.err == self.out else _content(self.err)


@contextlib.contextmanager
def written(plan: Plan, number: int) -> Iterator[Written]:
    """Make files for the item with a number, and let go of them after the block.

    Raises NotStarted where they cannot be made.
    """
    try:
        files = Files(plan.output_dir, number, plan.merged) if plan.output_dir else _Unnamed(plan)
    except OSError as error:
        where = plan.output_dir or tempfile.gettempdir()
        said = f"no file for its output can be made in {where!r}: {error.strerror}"
        raise NotStarted(said) from error
    try:
        yield Written(files.out, files.err, answered=plan.output_dir is None)
    finally:
        files.close()


class _Unnamed:
    """Two files, which are one where the item's streams are merged."""

    def __init__(self, plan: Plan) -> None:
        self.out = self.err = _appended()
        if not plan.merged:
            try:
                self.err = _appended()
            except BaseException:
                os.close(self.out)
                raise

    def close(self) -> None:
        """Let go of them."""
        for fd in {self.out, self.err}:
            os.close(fd)


def _appended() -> int:
    """Make a file at whose end all write that share it, though one of them has cut it."""
    fd = unnamed_file()
    fcntl.fcntl(fd, fcntl.F_SETFL, os.O_APPEND)
    return fd


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
