"""Hosts side by side: what each has done, and how fast, so that a slow one stands out.

A host is compared with all others by the same functions only: tasks are not alike. Numbers only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .run import Column, Run, Spans
from .shares import WORKING, Shares

FEWEST = 8
"""Batches of a function that a host must have run, for its median to say anything of the host."""


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


def hosts(run: Run, found: Shares) -> list[Host]:
    """Return the hosts of a run, in the order of the time line."""
    names = run.hosts
    of_row = np.array([names.index(worker.host) for worker in run.workers], np.int64)
    of_span = of_row[run.spans.row] if len(run.spans) else np.zeros(0, np.int64)
    result = []
    for number, name in enumerate(names):
        mine = run.spans.chosen(of_span == number)
        members = [worker for worker in run.workers if worker.host == name]
        seconds = found.by_worker[of_row == number].sum(axis=0)
        pace, compared = _pace(mine, run.spans.chosen(of_span != number))
        result.append(Host(
            name, len(members), sum(worker.lost is not None for worker in members),
            int(mine.tasks.sum()), int(mine.failed.sum()),
            float(seconds[WORKING] / seconds.sum()) if seconds.sum() > 0 else 0.0,
            pace, compared, int(mine.peak.max(initial=0)),
        ))  # fmt: skip
    return result


def _pace(mine: Spans, others: Spans) -> tuple[float | None, int]:
    """Return the median duration relative to others', over all functions, and of how many tasks."""
    ratios, weights, tasks = [], [], 0
    for function in np.unique(mine.function):
        here = mine.chosen((mine.function == function) & (mine.tasks > 0))
        there = others.chosen((others.function == function) & (others.tasks > 0))
        if len(here) < FEWEST or len(there) < FEWEST:
            continue
        usual = median(there.busy / there.tasks, there.tasks)
        if usual > 0:
            ratios.append(median(here.busy / here.tasks, here.tasks) / usual)
            weights.append(float(here.busy.sum()))
            tasks += int(here.tasks.sum())
    if not ratios or sum(weights) <= 0:
        return None, 0
    return float(np.average(ratios, weights=weights)), tasks


def median(values: Column, weights: Column) -> float:
    """Return the value that half of the weight does not exceed."""
    order = np.argsort(values, kind="stable")
    until = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(until, until[-1] / 2)])
