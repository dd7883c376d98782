"""Maps of one function, at the same time or one soon after the other: a `Series` has one line.

A program that makes thousands of small maps (generations) has one line, not thousands. Maps that
are open at the same time are a wave: their tasks are counted together. Numbers only, clock given.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..counted import Counts, Job
from ..estimate import Estimator
from .pace import Pace
from .row import Row

SOON = 2.0
"""Seconds: a map that begins later than this after the last one begins a line of its own, and what
is over sooner than this is not shown at all."""
FEW = 8
"""Open maps of which it is looked whether tasks are left, when one more begins: a program may have
thousands open."""


@dataclass(slots=True)
class Sum:
    """Counts of some jobs together. size: None where that of one of them is not known."""

    done: int = 0
    size: int | None = 0
    finished: int = 0
    failed: int = 0
    retried: int = 0
    recalled: int = 0
    seconds: float = 0.0

    def add(self, counts: Counts, size: int | None) -> None:
        """Count a job too."""
        failed = counts.failed + counts.given_up
        self.join(
            Sum(
                counts.done, size, counts.finished, failed, counts.retried, counts.recalled,
                counts.seconds,
            )
        )  # fmt: skip

    def join(self, other: Sum) -> None:
        """Count those of another sum too."""
        self.done += other.done
        self.size = None if other.size is None or self.size is None else self.size + other.size
        self.finished += other.finished
        self.failed += other.failed
        self.retried += other.retried
        self.recalled += other.recalled
        self.seconds += other.seconds

    def less(self, other: Sum) -> None:
        """Count the tasks of another sum, all of them done, no more."""
        self.done -= other.done
        self.size = None if self.size is None else self.size - other.done
        self.finished -= other.finished
        self.failed -= other.failed
        self.retried -= other.retried
        self.recalled -= other.recalled
        self.seconds -= other.seconds

    def plus(self, jobs: Iterable[Job]) -> Sum:
        """Return another sum: this one and some open jobs."""
        found = replace(self)
        for job in jobs:
            found.add(job.counts, size_of(job))
        return found


def size_of(job: Job) -> int | None:
    """Return how many tasks a job has, None where nobody knows yet; of calls those there are."""
    return job.size if job.kind == "map" else max(job.counts.known, job.counts.done)


def over(job: Job) -> bool:
    """True where all tasks of a job have their outcome, whether somebody takes it or not."""
    size = size_of(job)
    return size is not None and job.counts.done >= size


class Series:
    """Maps of one function.

    title: of its line. kind: of its jobs. now: when it begins. after: seconds after which it is
    shown, if it lasts so long.
    """

    def __init__(self, title: str, kind: str, now: float, after: float = SOON) -> None:
        self.title, self.kind, self.begun, self.after = title, kind, now, after
        self.open: dict[int, Job] = {}
        self.shown = False
        """True where somebody has been shown this line."""
        self.told = False
        """True where it has stayed."""
        self._seen = now  # when there was something to do at last
        self._maps = 0
        self._waves, self._wave_begun, self._wave = 0, now, Sum()
        self._past = Sum()  # of all jobs that have ended, those of this wave too
        self._long = False  # the wave before was
        self._pace = Pace()
        self.before = Sum()
        """Of calls that had a line of their own before."""
        self._rest, self._rested = Sum(), kind == "calls"  # when there was nothing to do at last
        self._done = 0
        self.called = ""
        """The function of submitted calls, where all are of one."""

    def begins(self, job: Job, now: float, after: float = SOON) -> None:
        """Take in a new job, which is to be shown after so many seconds."""
        if not self.open or (len(self.open) < FEW and not self.active):
            self._next_wave(now)
        self.after = min(self.after, after)
        self.open[job.number] = job
        self._maps += 1
        self._seen = now
        self.told = False

    def _next_wave(self, now: float) -> None:
        if self._waves:
            self._long = self._seen - self._wave_begun >= SOON
        self._wave, self._wave_begun = Sum(), now
        self._waves += 1

    def ends(self, number: int, now: float) -> None:
        """Take in that nobody wants more of a job."""
        job = self.open[number]
        if not over(job) or (len(self.open) <= FEW and self.total.done != self._done):
            self._seen = now
        del self.open[number]
        size = size_of(job)
        for total in (self._wave, self._past):
            total.add(job.counts, job.counts.done if size is None else size)

    @property
    def active(self) -> bool:
        """True where tasks are left, or may come."""
        return any(not over(job) for job in self.open.values())

    @property
    def stays(self) -> bool:
        """True where the line shall stay as it is now: the only map of its function has run.

        After one of several others may follow at once: that is known a while later.
        """
        ended = self._maps == 1 and self.kind == "map" and not self.active
        return ended and self.shown and not self.told

    def due(self, now: float) -> float:
        """Return in how many seconds it is to be shown."""
        return self.begun + self.after - now

    def look(self, now: float) -> None:
        """Take in how far it is by now."""
        total, before = self.total, self._done
        self._done = total.done
        for job in self.open.values():
            self.called = job.name if len(job.called) == 1 else ""
        if self.active or total.done != before:
            again = self.told or (self._rested and now - self._seen >= SOON)
            if again and self.kind == "calls":
                self._begin_anew(now)
            self._seen, self._rested = now, False
        elif self.kind == "calls":
            self._rest, self._rested = total, True
        self._pace.note(now, self.total.finished)

    def _begin_anew(self, now: float) -> None:
        """Give calls that come long after the others a line of their own: all are one job."""
        self.begun, self.shown, self.told, self._pace = now, False, False, Pace()
        for total in (self._past, self._wave):
            total.less(self._rest)
        self.before.join(replace(self._rest, size=self._rest.done))
        self._rest = Sum()
        self._done = self.total.done

    def goes_on(self, now: float) -> bool:
        """True where tasks are left, or more may follow at once as they have before."""
        several = self._maps > 1 or self.kind == "calls"
        return self.active or (several and not self.told and not self.is_over(now))

    def is_over(self, now: float) -> bool:
        """True where nothing has been to do for a while."""
        return not self.active and now - self._seen >= SOON

    @property
    def total(self) -> Sum:
        """Return the counts of all its jobs."""
        return self._past.plus(self.open.values())

    def row(self, now: float, estimator: Estimator) -> Row:
        """Return its line while it goes on. estimator: has just looked at the tally."""
        total = self.total
        short = self._waves > 1 and not self._long and now - self._wave_begun < SOON
        shown = total if short else self._wave.plus(self.open.values())
        size = None if short else shown.size
        left = None if size is None or shown.done >= size else self._left(estimator)
        return Row(
            self._title(), shown.done, size, self._note(whole=short),
            self._pace.rate(now, total.finished), left,
            shown.failed, shown.retried, shown.recalled,
        )  # fmt: skip

    def _left(self, estimator: Estimator) -> float | None:
        """Return in how many seconds all its open jobs are done, None where that is not known."""
        estimates = [estimator.of(number) for number, job in self.open.items() if not over(job)]
        known = [found.seconds for found in estimates if found is not None]
        times = [seconds for seconds in known if seconds is not None]
        return max(times) if times and len(times) == len(estimates) else None

    def stay(self, now: float) -> Row:
        """Return the line that stays; it has done so then."""
        self.told = True
        if self.kind == "calls" and not self.active:
            self._rest, self._rested = self.total, True
        total, took = self.total, max((now if self.active else self._seen) - self.begun, 1e-3)
        rate = total.finished / took if total.finished else None
        return Row(
            self._title(), total.done, total.size, self._note(whole=True), rate, None, total.failed,
            total.retried, total.recalled, None, took,
        )  # fmt: skip

    def _title(self) -> str:
        """Return the title: of submitted calls that are all of one function, its name."""
        return self.called or self.title

    def _note(self, whole: bool) -> str:
        """Return which map it is, where there are several. whole: all of them are counted."""
        if self.kind != "map":
            return self.kind if self.kind == "nested" or self.called else ""
        if self._maps == 1:
            return ""
        several = whole or len(self.open) > 1
        return f"{self._maps} maps" if several else f"map {self._maps}"
