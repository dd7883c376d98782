"""A file that grows by whole lines: a thread of its own writes them, twice a second.

Who gives something never waits for the disk. Where that is full the file ends with a whole line,
what is missing waits in memory and is tried again. What lines mean is not known here; whoever
derives from this says what has come, and what stands behind it until more comes.
"""

from __future__ import annotations

import logging
import os
import threading
from contextlib import suppress

from ..concurrency.periods import DISK_SECONDS

logger = logging.getLogger("scoopmpi")

GATHER = 0.5
"""Seconds between two writes: what is given is in the file within a second."""


class GrownFile:
    """Writes lines behind what is in a file.

    path: its name. what: what it is, for messages. fd: its descriptor; opened for appending, unless
        something stands behind the lines that is written anew each time.
    """

    end = b""
    """What stands at least behind the lines, for the file to be whole."""

    def __init__(self, path: str, what: str, fd: int) -> None:
        self._path, self._what, self._fd = path, what, fd
        self._unwritten = b""
        self._behind = b""  # what stands behind the lines
        self._place = os.lseek(fd, 0, os.SEEK_END) if self.end else 0  # where that begins
        self._warned = False
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=what, daemon=True)
        self._thread.start()

    def close(self) -> int:
        """Write what waits, however much; return how many lines could not be written.

        Returns early where the disk does not answer.
        """
        self._closing.set()
        before = None
        while self._thread.is_alive() and (now := self._far()) != before:
            before = now
            self._thread.join(DISK_SECONDS)
        missing = self._missing() + self._unwritten.count(b"\n")
        if missing:
            logger.warning(
                "%s %s: %d lines are missing at its end", self._what, self._path, missing
            )
        return missing

    def _far(self) -> tuple[int, ...]:
        """Return numbers that change as long as the thread gets on."""
        return self._place, len(self._unwritten), self._missing()

    # What a file of some kind says; asked by the thread, but for `_missing`.

    def _taken(self) -> bytes:
        """Return what has come since it was asked last, as whole lines."""
        raise NotImplementedError

    def _to_stand_behind(self) -> bytes:
        """Return what stands behind the lines until more come: it ends with `end`."""
        return self.end

    def _refused(self) -> None:
        """Hear that the disk takes nothing now, so that nothing is asked for either."""

    def _missing(self) -> int:
        """Return how many lines were never taken; asked when all is over."""
        return 0

    # The thread.

    def _run(self) -> None:
        while not self._closing.wait(GATHER):
            self._write()
        self._write()
        os.close(self._fd)

    def _write(self) -> None:
        """Write what has come, each line whole."""
        if self._unwritten:
            if not self._written(self._unwritten):
                self._refused()
                return
            self._unwritten = b""
        taken, behind = self._taken(), self._to_stand_behind()
        if taken or behind != self._behind:
            self._unwritten = taken  # until it is there: it is missing where the disk hangs
            if self._written(taken, behind):
                self._unwritten = b""

    def _written(self, data: bytes, behind: bytes | None = None) -> bool:
        """Write all and return True, or what whole lines there is room for, and keep the rest."""
        behind = self.end if behind is None else behind
        text, done = data + behind, 0
        try:
            if self.end:
                os.lseek(self._fd, self._place, os.SEEK_SET)
            while done < len(text):
                done += os.write(self._fd, text[done:])
            if len(text) < len(self._behind):
                os.ftruncate(self._fd, self._place + len(text))
        except OSError as problem:
            self._unwritten = data[self._mended(data, done) :]
            self._tell(problem)
            return False
        self._place, self._behind = self._place + len(data), behind
        return True

    def _mended(self, data: bytes, done: int) -> int:
        """Have the file be whole after so many bytes were written; return how many of them stay."""
        room = max(done, len(self._behind)) - len(self.end)  # what there is needs no new blocks
        whole = data.rfind(b"\n", 0, max(0, min(done, room))) + 1
        with suppress(OSError):
            if self.end:
                self._place += whole
                os.lseek(self._fd, self._place, os.SEEK_SET)
                _write_all(self._fd, self.end)
                os.ftruncate(self._fd, self._place + len(self.end))
            else:
                os.ftruncate(self._fd, os.fstat(self._fd).st_size - (done - whole))
        self._behind = self.end
        return whole

    def _tell(self, problem: OSError) -> None:
        if not self._warned:
            self._warned = True
            logger.warning(
                "%s %s cannot be written: %s; the program goes on, and it is tried again",
                self._what, self._path, problem.strerror,
            )  # fmt: skip


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]
