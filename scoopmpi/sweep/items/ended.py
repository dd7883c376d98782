"""How an item ended: what its worker answers, and log and outputs keep."""

from __future__ import annotations

from typing import NamedTuple

TIME, JOB, LOST = "time", "job", "lost"
"""Why an item has ended that did not end by itself."""


class Ended(NamedTuple):
    """How the command ended for one item.

    status: its exit status; negative: the signal that has ended it, as in `subprocess`.
    started: when, in seconds since 1970. seconds: how long it ran.
    why: what has ended it where that was not its own doing: TIME for its time limit, JOB for
        the end of the batch job, LOST where its workers have died; else a text that says why
        it could not start; empty where it ended by itself.
    out, err: what it has written; both empty where that went into files of its own.
    """

    number: int
    digest: bytes
    worker: int
    host: str
    status: int
    started: float
    seconds: float
    why: str = ""
    out: bytes = b""
    err: bytes = b""

    @property
    def well(self) -> bool:
        """True where the item is done."""
        return self.status == 0 and not self.why
