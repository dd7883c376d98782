"""What one line of the display says, as numbers: a `Row`. Data only."""

from __future__ import annotations

from typing import NamedTuple


class Busy(NamedTuple):
    """Says how many workers have something to do, of how many, and how many are lost."""

    busy: int
    workers: int
    lost: int = 0


class Row(NamedTuple):
    """Says how far the tasks of a function are, or of all jobs.

    title: the function's name, or what the program calls it. note: which map of it, for example.
    done, size: tasks that are finished, recalled or given up, of how many; None: nobody knows.
    rate: tasks a second. left: seconds until the last is done. None: not known.
    failed, retried, recalled: tasks that have raised, were tried again, came from a checkpoint.
    busy: of all workers, in one row only.
    took: seconds that it has taken, where it is over.
    """

    title: str
    done: int
    size: int | None = None
    note: str = ""
    rate: float | None = None
    left: float | None = None
    failed: int = 0
    retried: int = 0
    recalled: int = 0
    busy: Busy | None = None
    took: float | None = None
