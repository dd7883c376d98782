"""The log of a sweep, written while it runs."""

from __future__ import annotations

import time

from ..items.ended import Ended
from .known import Known


class SweepLog:
    """Writes a log, behind what former runs have written.

    path: its name. about: what is said of this run at its beginning, for later ones (`wresume`).
    """

    def __init__(self, path: str, about: dict[str, object]) -> None:
        self.known = Known()
        self._file = open(path, "a")  # noqa: SIM115

    def started(self, number: int, worker: int, at: float) -> None:
        """Note that an item runs; told once of those that take long, of others by `ended`."""

    def ended(self, ended: Ended) -> None:
        """Note how an item has ended."""
        word = "completed" if ended.well else "failed"
        self._file.write(f"{ended.number} {word} by {ended.worker} at {time.ctime()}\n")

    def close(self) -> None:
        """Write what waits."""
        self._file.close()
