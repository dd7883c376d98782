"""How long the work will take that is known: one answer for the bar and for the status file. Pure.

Two ways. Where tasks are short, the pace of the last minute says it: it has in it what rank 0 and
the network cost. Where they are long beside that, or few are left, it is played through: which
worker is free when, and how many tasks each can still take, which are whole ones. A generator has
no end; of submitted calls those count that there are. Tasks of tasks are a part of their parents.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from .counted import Held, Job, Worker
from .durations import BINS, Durations
from .tally import Tally

WINDOW = 60.0
"""Seconds of the past that say how fast it goes."""
_EACH = 20
"""Tasks that each worker must have finished in that time, so that these say how fast it goes: with
fewer it jumps whenever a round of equal tasks ends, and chance makes it 10 % wrong."""
_APART = 1.0
"""Seconds between two looks that are kept."""
_FINE, _HALVINGS = 0.02, 60
"""To which part of a task the moment is sought at which equal tasks have ended, and in how many
steps at most."""
_MANY = 50
"""With more workers than so many, and more tasks for each than that, it costs more time than it is
worth to count whole ones."""
_BIN = 10 ** (1 / BINS)
"""By which tasks of one bin of a histogram may differ."""
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


class _Open(NamedTuple):
    """Holds what is known of an open job at a moment.

    left, queued: tasks without an outcome, and those of them that no worker has been given.
    finished, worked: tasks that have run, and the seconds that they took. usual: seconds of one.
    """

    number: int
    begun: float
    sized: bool
    endless: bool
    left: int
    queued: int
    finished: int
    worked: float
    usual: float | None


class _State(NamedTuple):
    """Holds what is known at a moment.

    rests: seconds until each worker has run what it holds. last: by how many the last task to end
    is longer than the usual one. finished: tasks of all jobs.
    """

    jobs: list[_Open]
    rests: list[float | None]
    last: float
    finished: int


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

    def look(self, tally: Tally, now: float) -> Estimate:
        """Return how the work of all open jobs goes on; then `of` knows each of them.

        now: by the tally's clock. Takes the tally's lock for a moment.
        """
        with tally.lock:
            state = _state(tally, now)
        jobs, rests = state.jobs, state.rests
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


# What is known of tasks and workers, with the tally's lock held.


def _state(tally: Tally, now: float) -> _State:
    workers = [worker for worker in tally.workers.values() if not worker.lost]
    usual = _usual_of(tally, now)
    jobs = [_opened(job, usual) for job in tally.jobs.values() if job.kind != "nested"]
    queued = any(job.queued for job in jobs)
    share = None if queued else _share(sum(bool(worker.held) for worker in workers))
    known = _known(tally)
    held = {_name(held, usual) for worker in workers for held in worker.held}
    spreads = {name: _Spread(known[name]) for name in held & usual.keys()}
    rests = [_rest(worker, usual, spreads, now, share) for worker in workers]
    last = max((_last(job, usual, len(workers)) for job in tally.jobs.values()), default=0.0)
    return _State(jobs, rests, last, tally.total.finished - tally.nested.finished)


def _usual_of(tally: Tally, now: float) -> dict[str, float]:
    """Return how many seconds a task of each function usually takes.

    Those that run alone and have taken longer already count too, with what they have taken: else
    the first tasks that end, which are the short ones, would stand for all.
    """
    known = _known(tally)
    seconds = {name: known[name].seconds for name in known}
    tasks = {name: known[name].tasks for name in known}
    usual = {name: seconds[name] / tasks[name] for name in tasks if tasks[name]}
    for worker in tally.workers.values():
        held = worker.running()
        if held is not None and held.stop - held.start == 1:
            spent = now - held.since + held.spent
            for name in {held.function.name, held.job.function.name}:
                if spent > usual.get(name, spent):
                    seconds[name] += spent
                    tasks[name] += 1
    return {name: seconds[name] / tasks[name] for name in usual}


def _known(tally: Tally) -> dict[str, Durations]:
    """Return how long tasks took: of each function, and of submitted calls of all functions."""
    known = {name: each.durations for name, each in tally.functions.items()}
    calls = [job for job in tally.jobs.values() if job.kind == "calls"]
    return known | {job.function.name: job.durations for job in calls}


def _name(held: Held, usual: Mapping[str, float]) -> str:
    """Return by which name it is known how long tasks take that a worker holds."""
    return held.function.name if held.function.name in usual else held.job.function.name


def _opened(job: Job, usual: Mapping[str, float]) -> _Open:
    counts = job.counts
    sized = job.size is not None or (job.kind == "calls" and not counts.known)
    queued = max(counts.left - counts.running, 0)
    return _Open(
        job.number, job.begun, sized, not sized and job.kind == "map", counts.left, queued,
        counts.finished, counts.seconds, usual.get(job.function.name),
    )  # fmt: skip


def _share(tasks: int) -> float:
    """Return which share of tasks do not last as long as the longest of so many."""
    return tasks / (tasks + 1)


def _last(job: Job, usual: Mapping[str, float], workers: int) -> float:
    """Return by how much the last of a job's tasks to end is longer than the usual one."""
    each = usual.get(job.function.name)
    if each is None or job.counts.left <= job.counts.running:
        return 0.0
    return max(job.known.quantile(_share(workers)) - each * _BIN, 0.0)


def _rest(
    worker: Worker, usual: Mapping[str, float], spreads: Mapping[str, _Spread], now: float,
    share: float | None,
) -> float | None:  # fmt: skip
    """Return after how many seconds a worker has run what it holds; None where nothing tells.

    share: as in `_Spread.rest`.
    """
    running, rest = worker.running(), 0.0
    for held in worker.held:
        name, tasks = _name(held, usual), held.stop - held.start
        if held.waits or (name not in usual and held.job.kind == "nested"):
            continue
        if name not in usual:
            return None
        if held is not running:
            rest += tasks * usual[name]
            continue
        spent = max(now - held.since + held.spent, 0.0)
        more = spreads[name].rest(spent, share) if tasks == 1 else tasks * usual[name] - spent
        rest += max(more, 0.0)
    return rest


class _Spread:
    """Says how long tasks of a function go on, from how long others did; made once for a look."""

    def __init__(self, durations: Durations) -> None:
        middles = [(10 ** ((number + 0.5) / BINS), each) for number, each in durations.bins.items()]
        whole = sum(middle * each for middle, each in middles)
        right = durations.seconds / whole if whole else 1.0  # bins are 26 % wide, the sum is exact
        bins = sorted((min(middle * right, durations.longest), each) for middle, each in middles)
        self._longest = durations.longest
        self._seconds = [seconds for seconds, _ in bins]
        self._up_to = list(accumulate(each for _, each in bins))
        self._worked = list(accumulate(seconds * each for seconds, each in bins))

    def rest(self, spent: float, share: float | None) -> float:
        """Return how long a task is expected to go on that has run for so many seconds.

        That is as long as those did which lasted longer: on average, or as this share of them did
        not exceed. Where none did, it is as long again as this one is beyond the longest.
        """
        first = bisect_right(self._seconds, spent)
        if first == len(self._seconds):
            return spent - self._longest
        before, worked = (self._up_to[first - 1], self._worked[first - 1]) if first else (0, 0.0)
        tasks = self._up_to[-1] - before
        if share is None:
            return (self._worked[-1] - worked) / tasks - spent
        return self._seconds[bisect_left(self._up_to, before + share * tasks)] - spent


# From numbers to seconds.


def _since(job: _Open, before: _Look, now: float) -> tuple[int, float, float]:
    """Return how many tasks have run of a job lately, what they took, and within which seconds."""
    tasks, worked = before.jobs.get(job.number, (0, 0.0))
    past = max(now - max(before.at, job.begun), _MOMENT)
    ran = max(job.finished - tasks, 0)
    return ran, max(job.worked - worked, ran * _MOMENT), past


def _telling(ran: int, worked: float, past: float, workers: int) -> bool:
    """True where so many tasks that have run lately say how fast it goes."""
    return ran >= _EACH * max(workers, 1) and _EACH * worked / ran <= past


def _paced(jobs: Sequence[_Open], before: _Look, now: float, workers: int) -> float | None:
    """Return the seconds for all jobs at the pace of the last minute; None where it says little."""
    work = speed = 0.0
    for job in jobs:
        ran, worked, past = _since(job, before, now)
        if job.queued and not _telling(ran, worked, past, workers):
            return None
        speed += worked / past
        work += job.left * (worked / ran if ran else job.usual or 0.0)
    return work / speed if speed and any(job.queued for job in jobs) else None


def _of_job(job: _Open, before: _Look, now: float, seconds: float | None, workers: int) -> Estimate:
    """Return how a job goes on. seconds: until all jobs are done."""
    ran, worked, past = _since(job, before, now)
    if not job.left:
        seconds = 0.0
    elif job.endless:
        seconds = None
    elif job.queued and _telling(ran, worked, past, workers):
        seconds = job.left * past / ran
    return Estimate(seconds, ran / past, not job.sized)


def _played(jobs: Sequence[_Open], rests: Sequence[float | None]) -> float | None:
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
