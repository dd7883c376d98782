"""A table in a file that grows: a thread of its own writes whole lines, twice a second.

Who gives a row never waits for the disk. Where that is full the file ends with a whole line, what
is missing waits in memory, as far as that is bounded, and is tried again. What rows mean is not
known here.
"""

from __future__ import annotations

import csv
import io
import logging
import os
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from ..concurrency.periods import DISK_SECONDS

logger = logging.getLogger("scoopmpi")

GATHER = 0.5
"""Seconds between two writes: a row is in the file within a second."""
MOST_ROWS = 1 << 19
"""Rows that may wait for a disk that takes none: some 100 MB."""


class RowFile:
    """Writes rows behind what is in a file.

    path: its name. what: what it is, for messages. fd: its descriptor, opened for appending.
    """

    def __init__(self, path: str, what: str, fd: int) -> None:
        self._path, self._what, self._fd = path, what, fd
        self._rows: deque[Sequence[object]] = deque()
        self._dropped = 0
        self._unwritten = b""
        self._warned = False
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=what, daemon=True)
        self._thread.start()

    def add(self, row: Sequence[object]) -> None:
        """Have a row written; any thread may call."""
        if len(self._rows) < MOST_ROWS:
            self._rows.append(row)
        else:
            self._dropped += 1

    def close(self) -> None:
        """Write what waits; return early where the disk does not answer."""
        self._closing.set()
        self._thread.join(DISK_SECONDS)
        missing = self._dropped + len(self._rows) + self._unwritten.count(b"\n")
        if missing:
            logger.warning(
                "%s %s: %d lines are missing at its end", self._what, self._path, missing
            )

    def _run(self) -> None:
        while not self._closing.wait(GATHER):
            self._write()
        self._write()
        os.close(self._fd)

    def _write(self) -> None:
        """Write what has come, each row whole."""
        if self._unwritten and not self._written(self._unwritten):
            return
        self._unwritten = b""
        if self._rows:
            self._written(self._taken())

    def _taken(self) -> bytes:
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        for _ in range(len(self._rows)):
            rows.writerow(self._rows.popleft())
        return text.getvalue().encode("utf-8", "backslashreplace")

    def _written(self, data: bytes) -> bool:
        """Write all and return True, or what whole lines there is room for, and keep the rest."""
        done = 0
        try:
            while done < len(data):
                done += os.write(self._fd, data[done:])
        except OSError as problem:
            whole = data.rfind(b"\n", 0, done) + 1
            with suppress(OSError):
                os.ftruncate(self._fd, os.fstat(self._fd).st_size - (done - whole))
            self._unwritten = data[whole:]
            self._tell(problem)
            return False
        return True

    def _tell(self, problem: OSError) -> None:
        if not self._warned:
            self._warned = True
            logger.warning(
                "%s %s cannot be written: %s; the program goes on, and it is tried again",
                self._what, self._path, problem.strerror,
            )  # fmt: skip
