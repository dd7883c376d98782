"""Workers that die: whose task is given up, and what the user is told. Decisions, no messages."""

from __future__ import annotations

from collections.abc import Sequence

from . import failure
from .job import Function, Part
from .members import Members
from .ranges import Batch


class Losses:
    """What follows from the deaths of workers.

    retries: how often a task is tried again that was running where a worker died.
    """

    def __init__(self, members: Members, retries: int) -> None:
        self._members = members
        self._retries = retries

    def given_up(self, blamed: Sequence[Batch]) -> list[Batch]:
        """Those single tasks with which too many workers have died."""
        return [b for b in blamed if b.tasks == 1 and b.attempts >= self._retries]

    def outcome(self, worker: int, batch: Batch, function: Function | None) -> Part:
        """The failure of a task that is given up."""
        deaths = batch.attempts + 1
        name = "a submitted call" if function is None else function.name
        host = self._members.host(worker)
        error = failure.WorkerLost(
            f"{deaths} workers died while they ran task {batch.start} of {name}, the last was "
            f"worker {worker} on {host}. Does it need more memory, or crash in C code? "
            "--retries says how often a task is tried again."
        )
        error.rank, error.host, error.function, error.index = worker, host, name, batch.start
        return Part(batch.start, batch.stop, False, (failure.pack_lost(error, deaths),), (0,))

    def sentence(self, worker: int, given_up: Sequence[Batch]) -> str:
        """One line for each loss."""
        left = self._members.size - len(self._members.lost)
        what = "what it ran is given up" if given_up else "what it held runs elsewhere"
        return f"worker {worker} on {self._members.host(worker)} died; {what}; {left} workers left"

    def of_all(self) -> failure.WorkerLost:
        """Why nothing can go on."""
        return failure.WorkerLost(
            "no worker is left: " + ", ".join(
                f"{worker} on {host}" for worker, host in sorted(self._members.lost.items())
            ) + " died"
        )  # fmt: skip

    @property
    def summary(self) -> str | None:
        """What to say at the end, None where nobody died."""
        lost = sorted(self._members.lost.items())
        if not lost:
            return None
        return "workers were lost: " + ", ".join(f"{worker} on {host}" for worker, host in lost)
