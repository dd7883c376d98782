"""Which lines the display has now: of all jobs of a farm those that last, and one for them all.

Reads the counts of the tally, whose lock is held by who calls. Numbers only, clock given.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..counted import Job, Worker
from ..estimate import Estimate, Estimator
from .row import Busy, Row
from .series import SOON, Series, Sum

ALL = "all"
"""The title of the line for all jobs."""
CALLS = "submitted calls"

Key = tuple[str, str]
"""The kind of jobs and their title: what has one line."""


class Overview:
    """The lines of one farm.

    after: seconds after which a line is shown, if it lasts so long; None: only where the program
        asks for it (`progress=True`), and then soon in any case.
    """

    def __init__(self, after: float | None = SOON) -> None:
        self._after = after
        self._all: dict[Key, Series] = {}
        self._of_job: dict[int, Series] = {}
        self._past = Sum()  # of series that are over
        self._several = False  # some that was shown is over

    def begins(self, job: Job, now: float) -> bool:
        """Take in a new job; True where it may have to be shown."""
        asked = job.progress
        after = self._after if asked is None else SOON
        if asked is False or after is None:
            return False
        calls = job.kind == "calls"
        key = (job.kind, asked if isinstance(asked, str) else CALLS if calls else job.function.name)
        each = self._all.get(key)
        if each is None or (each.is_over(now) and not self._keeps(each)):
            self._forget(key)
            each = self._all[key] = Series(key[1], job.kind, now, after)
        each.begins(job, now, after)
        self._of_job[job.number] = each
        return True

    def ends(self, number: int, now: float) -> bool:
        """Take in that nobody wants more of a job; True where a line shall stay now."""
        each = self._of_job.pop(number, None)
        if each is None:
            return False
        each.ends(number, now)
        return each.stays

    def due(self, now: float) -> float | None:
        """Return in how many seconds there may be something to show; None where nothing runs."""
        waiting = []
        for each in self._all.values():
            each.look(now)
            if self._keeps(each) or each.goes_on(now):
                waiting.append(max(each.due(now), 0.0))
            elif not each.is_over(now):  # more may come soon: we need not be woken for it
                waiting.append(SOON)
        return min(waiting, default=None)

    def anew(self) -> Overview:
        """Return another one, which knows of no job yet."""
        return Overview(self._after)

    @property
    def active(self) -> bool:
        """True where tasks are left, or may come."""
        return any(each.active for each in self._all.values())

    def rows(
        self, now: float, workers: Iterable[Worker], estimate: Estimate, estimator: Estimator,
        most: int,
    ) -> list[Row]:  # fmt: skip
        """Return the lines to be shown now, at most so many; they count as shown then.

        estimate: of all jobs. estimator: knows each.
        """
        found = []
        for each in self._current(now):
            each.shown = True
            found.append(each.row(now, estimator))
        if not found:
            return []
        busy = _busy(workers)
        if len(found) == 1 and not self._several:
            return [found[0]._replace(busy=busy)]
        return [*_fewer(found, most - 1), self._total(estimate.seconds, busy)]

    def staying(self, now: float, end: bool = False) -> list[Row]:
        """Return the lines that shall stay, each once. end: of all that were shown."""
        found = []
        for each in self._all.values():
            if self._keeps(each) and (end or each.stays or each.is_over(now)):
                found.append(each.stay(now))
                self._several = True
        return found

    @staticmethod
    def _keeps(each: Series) -> bool:
        """True where a line was shown, and has not been left to stay."""
        return each.shown and not each.told

    def _current(self, now: float) -> list[Series]:
        """Return what is to be shown now; forget what is over."""
        for key, each in list(self._all.items()):
            if each.is_over(now) and not self._keeps(each) and not each.open:
                self._forget(key)
        shown = [each for each in self._all.values() if each.due(now) <= 0 and not each.stays]
        shown = [each for each in shown if self._keeps(each) or each.goes_on(now)]
        return sorted(shown, key=lambda each: (each.kind == "nested", each.begun))

    def _forget(self, key: Key) -> None:
        each = self._all.pop(key, None)
        if each is not None and each.kind != "nested":
            self._past.join(each.total)

    def _total(self, left: float | None, busy: Busy) -> Row:
        """Return the line for all jobs, those included that are over."""
        total = self._past.plus(())
        for each in self._all.values():
            if each.kind != "nested":
                total.join(each.total)
                total.join(each.before)
        return Row(
            ALL, total.done, total.size, "", None, left, total.failed, total.retried,
            total.recalled, busy,
        )  # fmt: skip


def _busy(workers: Iterable[Worker]) -> Busy:
    everybody = list(workers)
    alive = [worker for worker in everybody if not worker.lost]
    busy = sum(worker.running() is not None for worker in alive)
    return Busy(busy, len(alive), len(everybody) - len(alive))


def _fewer(rows: Sequence[Row], most: int) -> list[Row]:
    """Return so many rows at most, the last of which sums up those that have no room."""
    if len(rows) <= most:
        return list(rows)
    if most < 2:
        return list(rows[: max(most, 0)])
    rest = rows[most - 1 :]
    sizes = [row.size for row in rest if row.size is not None]
    counts = {
        name: sum(getattr(row, name) for row in rest)
        for name in ("done", "failed", "retried", "recalled")
    }
    size = sum(sizes) if len(sizes) == len(rest) else None
    return [*rows[: most - 1], Row(f"{len(rest)} more", size=size, **counts)]
