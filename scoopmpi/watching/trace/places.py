"""The workers of a run, and the batches that each of them has, as far as their spans need it."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

from .clocks import HostClock
from .spans import Line


@dataclass(slots=True)
class Held:
    """A batch that a worker has; what has been heard of is not in it any more.

    assigned: seconds since 1970, by rank 0's clock. waits: its task waits for others. cut: what was
        behind it is for others now.
    tasks, failed, again: those that have ended, have failed, and have raised and are tried again,
        and stand in no span yet. unmoved: those of the last that `start` is to leave behind.
    first: microseconds at which it began. pieces: in how many it has run.
    called: its function, where its job has several.
    """

    job: int
    start: int
    stop: int
    attempt: int = 1
    assigned: float = -inf
    waits: bool = False
    cut: bool = False
    tasks: int = 0
    failed: int = 0
    again: int = 0
    unmoved: int = 0
    first: int | None = None
    pieces: int = 0
    called: str = ""


@dataclass(slots=True)
class Place(Line):
    """A worker: what is in the file of it, and what it holds.

    clock: of its host. guess: the latest span that is known from rank 0 only, in microseconds.
    """

    clock: HostClock = field(default_factory=HostClock)
    guess: tuple[int, int] = (0, 0)
    held: list[Held] = field(default_factory=list)

    def of(self, job: int, task: int) -> Held | None:
        """Return the batch with this task in it."""
        for held in self.held:
            if held.job == job and held.start <= task < held.stop:
                return held
        return None

    def running(self) -> Held | None:
        """Return the batch that runs, as far as is known."""
        for held in self.held:
            if not held.waits:
                return held
        return None

    def beside(self, began: int, ended: int) -> tuple[int, int]:
        """Return a span so that it does not overlap the guess: it ends before it, or begins behind,
        or one is within the other."""
        since, until = self.guess
        if since < began < until < ended:
            return until, ended
        return (began, since) if began < since < ended < until else (began, ended)

    def drop(self, held: Held) -> None:
        """Hold a batch no longer."""
        if held in self.held:
            self.held.remove(held)
