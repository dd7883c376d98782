"""A table of the items that have ended, as GNU parallel's --joblog has it: a row each.

The columns, and how numbers are written, are those of version 20221122, as seen.
"""

from __future__ import annotations

import os

from ...process.file_locks import InUse
from ..items.ended import Ended
from . import line_file, one_writer
from .line_file import LineFile
from .sweep_log import LogProblem

HEADING = b"Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n"
_ENDED_FROM_OUTSIDE = -1
"""The status of what a time limit has ended."""


class Joblog:
    """Writes a joblog, behind what former runs have written. Raises LogProblem."""

    def __init__(self, path: str) -> None:
        try:
            fd = line_file.opened(path)
        except OSError as problem:
            raise _refused(path, problem.strerror or str(problem)) from None
        try:
            one_writer.lock(fd)
        except InUse:
            os.close(fd)
            raise _refused(path, "another run is using it") from None
        size, begin = os.fstat(fd).st_size, os.pread(fd, len(HEADING), 0)
        if not HEADING.startswith(begin):
            os.close(fd)
            raise _refused(path, f"it begins with {begin[:40]!r}, and is no joblog")
        self._file = LineFile(path, "joblog", fd)
        if size < len(HEADING):
            self._file.add(HEADING[size:])
        elif os.pread(fd, 1, size - 1) != b"\n":
            self._file.add(b"\n")

    def ended(self, ended: Ended, command: str) -> None:
        """Note how an item has ended; command: its words, as a person would write them."""
        self._file.add(row(ended, command))

    def close(self) -> int:
        """Write what waits; return how many lines could not be written."""
        return self._file.close()


def row(ended: Ended, command: str) -> bytes:
    """Return the row of an item. A line break in its command is written as NUL, as parallel does.

    Its Receive is what the item has printed, in bytes, but for what went to a file of its own.
    """
    signal = -ended.status if ended.status < 0 else 0
    status = max(ended.status, 0)
    if ended.why and not status:
        status = _ENDED_FROM_OUTSIDE
    text = command.replace("\n", "\0").encode(errors="surrogateescape")
    host = ended.host.replace("\t", " ").replace("\n", " ").encode(errors="surrogateescape")
    return b"%d\t%b\t%.3f\t%10.3f\t0\t%d\t%d\t%d\t%b\n" % (
        ended.number, host or b":", ended.started, ended.seconds, len(ended.out), status, signal,
        text,
    )  # fmt: skip


def _refused(path: str, problem: str) -> LogProblem:
    return LogProblem(f"joblog {path}: {problem}; give another file")
