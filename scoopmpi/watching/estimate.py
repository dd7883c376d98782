"""How long the work will take that is known: one answer for the bar and for the status file. Pure.

Two ways. Where tasks are short, the pace of the last minute says it: it has in it what rank 0 and
the network cost. Where they are long beside that, or few are left, it is played through: which
worker is free when, and how many tasks each can still take, which are whole ones. A generator has
no end; of submitted calls those count that there are. Tasks of tasks are a part of their parents.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from .outstanding import Open, outstanding
from .tally import Tally

WINDOW = 60.0
"""Seconds of the past that say how fast it goes."""
_EACH = 20
"""Tasks that each worker must have finished in that time, so that these say how fast it goes: with
fewer it jumps whenever a round of equal tasks ends, and chance makes it 10 % wrong."""
_FEWER = 3
"""As many do for a job beside another of which nothing is known yet: nothing else tells then."""
_APART = 1.0
"""Seconds between two looks that are kept."""
_FINE, _HALVINGS = 0.02, 60
"""To which part of a task the moment is sought at which equal tasks have ended, and in how many
steps at most."""
_MANY = 50
"""With more workers than so many, and more tasks for each than that, it costs more time than it is
worth to count whole ones."""
_MARKS = 64
"""Of how far a job was, to find its later half."""
_MOMENT = 1e-9
"""Seconds, in the place of none at all."""


class Estimate(NamedTuple):
    """Says how work goes on.

    seconds: until all tasks that are known have their outcomes; None where nothing tells.
    rate: tasks that finished in each second lately.
    more: True where there may be more tasks than are known.
    """

    seconds: float | None
    rate: float
    more: bool


class _Look(NamedTuple):
    """Holds what was counted at a moment. jobs: tasks that had run, and the seconds they took."""

    at: float
    finished: int
    jobs: dict[int, tuple[int, float]]


class Estimator:
    """Looks at a tally once a second or so, and says when its work ends; one for each reader."""

    def __init__(self, window: float = WINDOW) -> None:
        self._window = window
        self._looks: deque[_Look] = deque()
        self._jobs: dict[int, Estimate] = {}
        self._marks: dict[
            int, list[tuple[int, float]]
        ] = {}  # tasks that had run, and what they took

    def look(self, tally: Tally, now: float) -> Estimate:
        """Return how the work of all open jobs goes on; then `of` knows each of them.

        now: by the tally's clock. Takes the tally's lock for a moment.
        """
        with tally.lock:
            state = outstanding(tally, now)
        self._marks = {each.number: self._marks.get(each.number, [(0, 0.0)]) for each in state.jobs}
        jobs, rests = [self._of_late(each) for each in state.jobs], state.rests
        counted = {each.number: (each.finished, each.worked) for each in jobs}
        before = self._before(_Look(now, state.finished, counted), tally.begun)
        seconds = _played(jobs, rests)
        paced = _paced(jobs, before, now, len(rests))
        if seconds is not None and paced is not None:
            seconds = max(paced, max(filter(None, rests), default=0.0))
        if seconds is not None:
            seconds += state.last
        self._jobs = {each.number: _of_job(each, before, now, seconds, len(rests)) for each in jobs}
        rate = (state.finished - before.finished) / max(now - before.at, _MOMENT)
        endless = any(each.endless for each in jobs)
        return Estimate(None if endless else seconds, rate, any(not each.sized for each in jobs))

    def of(self, job: int) -> Estimate | None:
        """Return how one job goes on, as of the last look; None where it was not open then."""
        return self._jobs.get(job)

    def _of_late(self, job: Open) -> Open:
        """Return a job whose tasks usually take what the later half of those took that have run.

        Programs often begin with what is small.
        """
        marks = self._marks[job.number]
        if job.finished > marks[-1][0]:
            marks.append((job.finished, job.worked))
            if len(marks) > _MARKS:
                del marks[1:-1:2]
        tasks, worked = marks[bisect_right(marks, job.finished // 2, key=_tasks_of) - 1]
        ran = job.finished - tasks
        if ran < _EACH or job.usual is None or job.worked <= worked:
            return job
        whole = job.worked / job.finished
        return job._replace(usual=job.usual * (job.worked - worked) / ran / whole)

    def _before(self, look: _Look, begun: float) -> _Look:
        """Keep a look, and return the one from which the pace counts."""
        looks = self._looks
        if not looks:
            looks.append(_Look(begun, 0, {}))
        while len(looks) > 1 and look.at - looks[1].at >= self._window:
            looks.popleft()
        if look.at - looks[-1].at >= _APART:
            looks.append(look)
        return looks[0]


def _tasks_of(mark: tuple[int, float]) -> int:
    return mark[0]


# From numbers to seconds.


def _since(job: Open, before: _Look, now: float) -> tuple[int, float, float]:
    """Return how many tasks have run of a job lately, what they took, and within which seconds."""
    tasks, worked = before.jobs.get(job.number, (0, 0.0))
    past = max(now - max(before.at, job.begun), _MOMENT)
    ran = max(job.finished - tasks, 0)
    return ran, max(job.worked - worked, ran * _MOMENT), past


def _telling(ran: int, worked: float, past: float, workers: int, each: int = _EACH) -> bool:
    """True where so many tasks that have run lately say how fast it goes: `each` of a worker."""
    return ran >= each * max(workers, 1) and each * worked / ran <= past


def _paced(jobs: Sequence[Open], before: _Look, now: float, workers: int) -> float | None:
    """Return the seconds for all jobs at the pace of the last minute; None where it says little."""
    work = speed = 0.0
    for job in jobs:
        ran, worked, past = _since(job, before, now)
        if job.queued and not _telling(ran, worked, past, workers):
            return None
        speed += worked / past
        work += job.left * (worked / ran if ran else job.usual or 0.0)
    return work / speed if speed and any(job.queued for job in jobs) else None


def _of_job(job: Open, before: _Look, now: float, seconds: float | None, workers: int) -> Estimate:
    """Return how a job goes on. seconds: until all jobs are done."""
    ran, worked, past = _since(job, before, now)
    if not job.left:
        seconds = 0.0
    elif job.endless:
        seconds = None
    elif job.queued and _telling(ran, worked, past, workers, _EACH if seconds else _FEWER):
        seconds = job.left * past / ran
    return Estimate(seconds, ran / past, not job.sized)


def _played(jobs: Sequence[Open], rests: Sequence[float | None]) -> float | None:
    """Return after how many seconds all is done, where each worker takes whole tasks in turn."""
    free = [rest for rest in rests if rest is not None]
    if len(free) < len(rests) or any(job.usual is None for job in jobs if job.queued):
        return None
    if not free:
        return None if any(job.left for job in jobs) else 0.0
    end = max(free)
    for job in jobs:
        if job.queued and job.usual is not None:
            free = _after(free, job.queued, max(job.usual, _MOMENT))
            end = max(end, *free) if len(free) > 1 else max(end, free[0])
    return end


def _after(free: list[float], tasks: int, each: float) -> list[float]:
    """Return when workers are free that share equal tasks. free: when they are so before."""
    cut = (tasks * each + sum(free)) / len(free)  # as if tasks could be cut
    if len(free) > _MANY and tasks > _MANY * len(free):
        return [cut + each / 2] * len(free)
    low, high = min(free), cut + each
    for _ in range(_HALVINGS):
        if high - low <= each * _FINE:
            break
        middle = (low + high) / 2
        if sum(_whole(middle - start, each) for start in free) < tasks:
            low = middle
        else:
            high = middle
    return [start + each * _whole(high - start, each) for start in free]


def _whole(seconds: float, each: float) -> int:
    """Return how many tasks fit."""
    return max(int(seconds / each + 1e-9), 0)
