"""The log of a sweep, written while it runs, by rank 0 alone.

What has ended is on disk within a second, and at the latest when the log is closed. Whoever calls
never waits for the disk. Lines of former runs stay as they are.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import BinaryIO

from ...process.file_locks import InUse
from ..items.ended import Ended
from . import about, line_file, lines, one_writer, reading
from .known import Known
from .line_file import LineFile

logger = logging.getLogger("scoopmpi")


class LogProblem(Exception):
    """The file cannot be used: which one, what is wrong, the remedy. It was left as it was."""


_OTHER = "give another file"


class SweepLog:
    """Writes a log, behind what former runs have written.

    path: its name. told: what is said of this run at its beginning, for later ones (`wresume`):
        "words", its command line; the rest is known here.
    Raises LogProblem.
    """

    def __init__(self, path: str, told: Mapping[str, object]) -> None:
        try:
            fd = line_file.opened(path)
        except OSError as problem:
            raise _refused(path, problem.strerror or str(problem), _OTHER) from None
        try:
            self.known = _read(path, fd)
            """What former runs have left."""
            _begin(path, fd, lines.run(about.of_this_run(told)))
        except BaseException:
            os.close(fd)
            raise
        self._path, self._own = path, os.dup(fd)
        self._file = LineFile(path, "log", fd)
        self._running: set[int] = set()

    def items(self, count: int, done: int = 0, failed: int = 0) -> None:
        """Note how many items there are.

        done, failed: of them, by former runs, and not to be run again.
        """
        self._file.add(lines.items(count, done, failed))

    def started(self, number: int, worker: int, at: float) -> None:
        """Note that an item runs; told of those that take long, and never after `ended`.

        at: when it began, in seconds since 1970. Any thread may call, here and in `ended`.
        """
        self._running.add(number)
        self._file.add(lines.started(number, worker, at))

    def ended(self, ended: Ended) -> None:
        """Note how an item has ended, and before that its start, unless that was told."""
        text = lines.ended(ended)
        if ended.number in self._running:
            self._running.discard(ended.number)
        else:
            text = lines.started(ended.number, ended.worker, ended.started) + text
        self._file.add(text)

    def close(self) -> int:
        """Write what waits; return how many lines could not be written: their items run again."""
        self._file.add(lines.over(time.time()))
        missing = self._file.close()
        removed = not os.fstat(self._own).st_nlink
        os.close(self._own)
        if removed:
            text = "log %s was removed while the sweep ran: a later run knows nothing of it"
            logger.warning(text, self._path)
        return missing or int(removed)


def _refused(path: str, problem: str, remedy: str) -> LogProblem:
    return LogProblem(f"log {path}: {problem}; {remedy}")


def _read(path: str, fd: int) -> Known:
    """Return what a log knows; make sure that it is one, and that nobody else writes it."""
    with open(fd, "rb", buffering=0, closefd=False) as file:
        try:
            reading.check(path, os.pread(fd, reading.LOOKED_AT, 0))
            locked = one_writer.lock(fd)
            known = _known(file)
            if not locked:
                one_writer.ask(path, known.last_run, known.is_over)
            return known
        except reading.NoLog as problem:
            raise LogProblem(f"{problem}; {_OTHER}") from None
        except InUse:
            last = _known(file).last_run
            who = "another run" if last is None else f"another run ({about.where(last)})"
            remedy = f"wait for its end, end it, or {_OTHER}"
            raise _refused(path, f"{who} is using it", remedy) from None
        except OSError as problem:
            raise _refused(path, f"it cannot be read: {problem.strerror}", _OTHER) from None


def _known(file: BinaryIO) -> Known:
    file.seek(0)
    return Known(file)


def _begin(path: str, fd: int, text: bytes) -> None:
    """Write the first line of this run behind those of others, of which the last may be torn."""
    size = os.fstat(fd).st_size
    if size and os.pread(fd, 1, size - 1) != b"\n":
        text = b"\n" + text
    try:
        while text:
            text = text[os.write(fd, text) :]
        os.fsync(fd)
    except OSError as problem:
        with suppress(OSError):
            os.ftruncate(fd, size)
        remedy = f"make room there, or {_OTHER}"
        raise _refused(path, f"it cannot be written: {problem.strerror}", remedy) from None
