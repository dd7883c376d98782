"""What is left to do at a moment: open jobs, how long a task usually takes, who is free when. Pure.

Made from the tally, for `estimate`; with the tally's lock held, so it is quick.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from itertools import accumulate
from typing import NamedTuple

from .counted import Held, Job, Worker
from .durations import BINS, Durations
from .tally import Tally

_BIN = 10 ** (1 / BINS)
"""By which tasks of one bin of a histogram may differ."""


class Open(NamedTuple):
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


class Outstanding(NamedTuple):
    """Holds what is known at a moment.

    rests: seconds until each worker has run what it holds. last: by how many the last task to end
    is longer than the usual one. finished: tasks of all jobs.
    """

    jobs: list[Open]
    rests: list[float | None]
    last: float
    finished: int


def outstanding(tally: Tally, now: float) -> Outstanding:
    """Return what is left to do. now: by the tally's clock; its lock is held."""
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
    finished = tally.total.finished - tally.nested.finished
    return Outstanding(jobs, rests, last, finished)


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
    return known | {job.function.name: job.known for job in calls}


def _name(held: Held, usual: Mapping[str, float]) -> str:
    """Return by which name it is known how long tasks take that a worker holds."""
    return held.function.name if held.function.name in usual else held.job.function.name


def _opened(job: Job, usual: Mapping[str, float]) -> Open:
    counts = job.counts
    sized = job.size is not None or (job.kind == "calls" and not counts.known)
    queued = max(counts.left - counts.running, 0)
    return Open(
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
