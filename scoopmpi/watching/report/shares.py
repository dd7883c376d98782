"""Where the time of the workers went: every second of each has one name, and they add up.

A worker works, or it has not begun, or it is lost, or the last task of all is over; else it waits:
for rank 0 where tasks are queued, for the last tasks of others where none is, for the program where
no task is anywhere. Numbers only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..trace import form
from .run import LOST_END, Column, Spans, TracedRun

WORKING, STARTING, ALONE, TAIL, RANK_0, ENDING, LOST = range(7)
"""What a second of a worker can be: the columns of `Shares.by_worker`."""


SAMPLING = 0.5
"""How much later a counter of the trace may say what has changed."""


class Periods:
    """Which of some states the whole run is in at each moment.

    times: when it changes, from 0 on, and the end of the run. state: from each time to the next.
    """

    def __init__(self, times: Column, state: Column) -> None:
        new = np.concatenate([[True], state[1:] != state[:-1]])
        self.times: Column = np.concatenate([times[:-1][new], times[-1:]])
        self.state: Column = state[new]
        lengths = np.diff(self.times)
        self._until = {
            number: np.concatenate([[0.0], np.cumsum(np.where(self.state == number, lengths, 0.0))])
            for number in (ALONE, TAIL, RANK_0)
        }

    def within(self, began: Column, ended: Column, state: int) -> Column:
        """Return the seconds of some intervals for which the run is in a state."""
        until = self._until[state]
        both = np.interp(ended, self.times, until) - np.interp(began, self.times, until)
        return np.asarray(both)


@dataclass(slots=True)
class Shares:
    """The seconds of workers by what they were.

    by_worker: a row for each worker, a column for each name above. periods: the states of the run
    while a worker waits. last: when the last task ended.
    """

    by_worker: Column
    periods: Periods
    last: float

    @property
    def total(self) -> Column:
        """Return the seconds of all workers, by name."""
        return np.asarray(self.by_worker.sum(axis=0))

    def share(self, name: int) -> float:
        """Return the share of all worker seconds that has this name, 0 to 1."""
        total = self.total
        return float(total[name] / total.sum()) if total.sum() > 0 else 0.0


def shares(run: TracedRun) -> Shares:
    """Return where the seconds of a run's workers went."""
    last = float(run.spans.ended.max()) if len(run.spans) else 0.0
    periods = _periods(run, last)
    found = np.zeros((len(run.workers), 7))
    bounds = np.searchsorted(run.spans.row, np.arange(len(run.workers) + 1))
    for worker in run.workers:
        mine = run.spans.chosen(np.arange(bounds[worker.row], bounds[worker.row + 1]))
        found[worker.row] = _of_worker(mine, worker.joined, worker.lost is not None, last, periods)
        found[worker.row, ENDING if worker.lost is None else LOST] += run.seconds - last
    return Shares(found, periods, last)


def _of_worker(
    spans: Spans, joined: float | None, lost: bool, last: float, periods: Periods
) -> Column:
    """Return the seconds of one worker until the last task of all, by name."""
    found = np.zeros(7)
    began, ended, busy = united(spans.chosen(spans.end != LOST_END))
    first = float(spans.began[0]) if len(spans) else last
    begins = first if joined is None else min(first, joined)
    stops = (float(ended[-1]) if len(ended) else begins) if lost else last
    found[STARTING], found[WORKING], found[LOST] = begins, busy, last - stops
    gaps = np.concatenate([[begins], ended]), np.concatenate([began, [stops]])
    for state in (ALONE, TAIL, RANK_0):
        found[state] = periods.within(*gaps, state).sum()
    # A span of several batches has gaps in it: they are what the run was meanwhile.
    inside = float((ended - began).sum()) - busy
    if inside > 0:
        parts = np.array([periods.within(began, ended, each).sum() for each in (TAIL, RANK_0)])
        parts = parts / parts.sum() if parts.sum() > 0 else np.array([0.0, 1.0])
        found[[TAIL, RANK_0]] += inside * parts
    return found


def united(spans: Spans) -> tuple[Column, Column, float]:
    """Return when one worker's spans begin and end, those that overlap as one, and busy seconds.

    Overlaps are the clocks' fault. Busy seconds are no more than from beginnings to ends.
    """
    if not len(spans):
        return np.zeros(0), np.zeros(0), 0.0
    until = np.maximum.accumulate(spans.ended)
    new = np.concatenate([[True], spans.began[1:] > until[:-1]])
    began = spans.began[new]
    ended = until[np.concatenate([np.flatnonzero(new)[1:] - 1, [len(spans) - 1]])]
    return began, ended, min(float(spans.busy.sum()), float((ended - began).sum()))


def _periods(run: TracedRun, last: float) -> Periods:
    """Return when tasks were queued, when the last ones ran, and when there was no task at all."""
    busy_times, busy = _steps(run.spans.began, run.spans.ended)
    intervals = np.array(list(unbegun(run).values())).reshape(-1, 2)
    open_times, opened = _steps(intervals[:, 0], intervals[:, 1])
    queue_times, queued = _queue(run)
    end = max(run.seconds, last)
    inner = np.concatenate([busy_times, open_times, queue_times])
    times = np.unique(np.concatenate([[0.0], inner[(inner > 0) & (inner < end)], [end]]))
    begins = times[:-1]
    is_queued = _at(open_times, opened, begins) > 0
    if len(queued):
        is_queued &= _at(queue_times, queued, begins) > 0
    is_busy = _at(busy_times, busy, begins) > 0
    return Periods(times, np.where(is_queued, RANK_0, np.where(is_busy, TAIL, ALONE)))


def unbegun(run: TracedRun) -> dict[int, tuple[float, float]]:
    """Return from when to when each job has tasks that have not begun, for the first time.

    A job whose beginning is not in the trace, as a worker has offered it or it was short, begins
    with its first task.
    """
    first = run.spans.chosen(run.spans.attempt <= 1)
    order = np.argsort(first.began, kind="stable")
    jobs, times = first.job[order].tolist(), first.began[order].tolist()
    earliest = dict(zip(jobs[::-1], times[::-1], strict=True))
    earliest |= {job.number: job.began for job in run.jobs.values() if job.number in earliest}
    latest = dict(zip(jobs, times, strict=True))
    return {job: (earliest[job], latest[job]) for job in latest if latest[job] > earliest[job]}


def _queue(run: TracedRun) -> tuple[Column, Column]:
    """Return the counter of queued tasks, where tasks come as early as they may have come."""
    times, values = run.counters.get(form.QUEUED, (np.zeros(0), np.zeros(0)))
    if not len(times):
        return times, values
    before = np.concatenate([[0.0], times[:-1]])
    rises = (values > 0) & (np.concatenate([[0.0], values[:-1]]) <= 0)
    return np.where(rises, np.maximum(before, times - SAMPLING), times), values


def _steps(begins: Column, stops: Column) -> tuple[Column, Column]:
    """Return when the number of intervals that are open changes, and what it is from then on."""
    times = np.concatenate([begins, stops])
    changes = np.repeat([1, -1], [len(begins), len(stops)])
    order = np.lexsort((changes, times))
    return times[order], np.cumsum(changes[order])


def _at(times: Column, values: Column, wanted: Column) -> Column:
    """Return the last value at each of some times, 0 before the first."""
    place = np.searchsorted(times, wanted, side="right") - 1
    return np.asarray(np.where(place >= 0, values[np.maximum(place, 0)] if len(values) else 0, 0.0))
