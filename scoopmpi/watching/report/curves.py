"""What changes over the time of a run: workers that work, tasks that are queued, rank 0's load.

Curves have few points, whatever the run: a point stands for a part of the run. Numbers only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..trace import form
from .run import Column, Spans, TracedRun
from .shares import RANK_0, Periods

POINTS = 1200
"""Points of a curve: one for each pixel of a wide window."""


@dataclass(slots=True)
class Curves:
    """Curves over one time axis.

    at: the middle of each part of the run. working: workers at work, on average. queued: tasks,
    the most in each part; load: of rank 0, percent of a core; both None where nobody has looked.
    """

    at: Column
    working: Column
    queued: Column | None
    load: Column | None


def curves(run: TracedRun, periods: Periods, points: int = POINTS) -> Curves:
    """Return the curves of a run. periods: when tasks were queued, more exactly than counters."""
    edges = np.linspace(0.0, run.seconds, points + 1)
    working = np.diff(worked(run.spans, edges)) / np.diff(edges)
    queued = _most(run, form.QUEUED, edges)
    if queued is not None:
        queued[periods.within(edges[:-1], edges[1:], RANK_0) <= 0] = 0.0
    middle = (edges[1:] + edges[:-1]) / 2
    working = np.clip(working, 0.0, len(run.workers))
    return Curves(middle, working, queued, _most(run, form.LOAD, edges))


def worked(spans: Spans, at: Column) -> Column:
    """Return the seconds for which workers had worked at each of some times, all together."""
    length = spans.ended - spans.began
    rate = np.divide(spans.busy, length, out=np.ones(len(spans)), where=length > 0)
    return _since(spans.began, rate, at) - _since(spans.ended, rate, at)


def _since(moments: Column, rates: Column, at: Column) -> Column:
    """Return the sum over all moments before a time of the time since then, times its rate."""
    order = np.argsort(moments, kind="stable")
    sums = np.concatenate([[0.0], np.cumsum(rates[order])])
    products = np.concatenate([[0.0], np.cumsum(rates[order] * moments[order])])
    place = np.searchsorted(moments[order], at, side="right")
    return np.asarray(at * sums[place] - products[place])


def _most(run: TracedRun, name: str, edges: Column) -> Column | None:
    """Return the highest value of a counter between each two edges; it holds until the next."""
    if name not in run.counters:
        return None
    times, values = run.counters[name]
    place = np.searchsorted(times, edges[:-1], side="right") - 1
    result = np.where(place >= 0, values[np.maximum(place, 0)], 0.0)
    within = np.searchsorted(edges, times, side="right") - 1
    inside = (within >= 0) & (within < len(result))
    np.maximum.at(result, within[inside], values[inside])
    return np.asarray(result)
