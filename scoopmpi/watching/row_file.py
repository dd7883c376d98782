"""A table in a file that grows by rows, whoever gives them; what rows mean is not known here."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Sequence

from .grown_file import GrownFile

MOST_ROWS = 1 << 19
"""Rows that may wait for a disk that takes none: some 100 MB."""


class RowFile(GrownFile):
    """Writes rows behind what is in a file. See `GrownFile`; `fd` is opened for appending."""

    def __init__(self, path: str, what: str, fd: int) -> None:
        self._rows: deque[Sequence[object]] = deque()
        self._dropped = 0
        super().__init__(path, what, fd)

    def add(self, row: Sequence[object]) -> None:
        """Have a row written; any thread may call."""
        if len(self._rows) < MOST_ROWS:
            self._rows.append(row)
        else:
            self._dropped += 1

    def _taken(self) -> bytes:
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        for _ in range(len(self._rows)):
            rows.writerow(self._rows.popleft())
        return text.getvalue().encode("utf-8", "backslashreplace")

    def _missing(self) -> int:
        return self._dropped + len(self._rows)
