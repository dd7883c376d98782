"""Hosts side by side: what each has done, and how fast, so that a slow one stands out.

A host is compared with all others by the same functions only: tasks are not alike. Numbers only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .run import WAITS_END, Column, Spans, TracedRun
from .shares import WORKING, Shares

FEWEST = 8
"""Batches of a function that a host must have run, for its median to say anything of the host."""
MANY = 50
"""Hosts of a function, above which a host is compared with all, itself among them."""


@dataclass(slots=True)
class Host:
    """One host.

    busy: share of its workers' time in which they worked. pace: how long its tasks took by the
    median, relative to those of the other hosts: 1.2 is a fifth longer; None where it is alone.
    compared: tasks that this rests upon. peak: bytes, the most of one of its workers.
    """

    name: str
    workers: int
    lost: int
    tasks: int
    failed: int
    busy: float
    pace: float | None
    compared: int
    peak: int


def hosts(run: TracedRun, found: Shares) -> list[Host]:
    """Return the hosts of a run, in the order of the time line."""
    names = run.hosts
    of_row = np.array([names.index(worker.host) for worker in run.workers], np.int64)
    of_span = of_row[run.spans.row] if len(run.spans) else np.zeros(0, np.int64)
    paces = _paces(run.spans, of_span, len(names))
    many = {"minlength": len(names)}
    tasks = np.bincount(of_span, run.spans.tasks, **many)
    failed = np.bincount(of_span, run.spans.failed, **many)
    result = []
    for number, name in enumerate(names):
        members = [worker for worker in run.workers if worker.host == name]
        seconds = found.by_worker[of_row == number].sum(axis=0)
        peaks = run.spans.peak[of_span == number]
        result.append(Host(
            name, len(members), sum(worker.lost is not None for worker in members),
            int(tasks[number]), int(failed[number]),
            float(seconds[WORKING] / seconds.sum()) if seconds.sum() > 0 else 0.0,
            paces[number].ratio, paces[number].tasks, int(peaks.max(initial=0)),
        ))  # fmt: skip
    return result


@dataclass(slots=True)
class _Pace:
    """Sums over functions, for the average of what one host's median is relative to others'."""

    weighted: float = 0.0
    seconds: float = 0.0
    tasks: int = 0

    @property
    def ratio(self) -> float | None:
        return self.weighted / self.seconds if self.seconds > 0 else None


def _paces(spans: Spans, of_span: Column, many: int) -> list[_Pace]:
    """Return the paces of hosts. of_span: the host of each span. many: hosts."""
    result = [_Pace() for _ in range(many)]
    # A task that was set aside has its time in several spans, and its number in the last.
    apart = np.isin(spans.function, spans.function[spans.end == WAITS_END])
    ran = np.flatnonzero((spans.tasks > 0) & (spans.busy > 0) & ~apart)
    for function in np.unique(spans.function[ran]):
        mine = ran[spans.function[ran] == function]
        each = spans.busy[mine] / spans.tasks[mine]
        mine = mine[np.argsort(each, kind="stable")]
        each, weights, host = spans.busy[mine] / spans.tasks[mine], spans.tasks[mine], of_span[mine]
        numbers, counts = np.unique(host, return_counts=True)
        for number in numbers[(counts >= FEWEST) & (len(host) - counts >= FEWEST)]:
            here = host == number
            # Among many hosts one changes nothing: with those that are left out it would take long.
            others = weights if len(numbers) > MANY else np.where(here, 0, weights)
            pace, seconds = result[number], float(spans.busy[mine[here]].sum())
            ratio = _median(each[here], weights[here]) / _median(each, others)
            pace.weighted += ratio * seconds
            pace.seconds += seconds
            pace.tasks += int(weights[here].sum())
    return result


def _median(values: Column, weights: Column) -> float:
    """Return the value that half of the weight does not exceed. values: sorted."""
    until = np.cumsum(weights)
    return float(values[np.searchsorted(until, until[-1] / 2)])
