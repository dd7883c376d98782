"""How long tasks took, function by function, and which were the slowest.

Counts are the exact ones from the end of the trace; of a killed run they are those of its spans,
where the tasks of a batch count as equally long. Numbers only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..durations import Durations
from .run import TracedRun


@dataclass(slots=True)
class Slow:
    """One of the slowest tasks. began: None where no span of the trace is this task's alone."""

    seconds: float
    function: str
    job: int
    index: int
    worker: int
    began: float | None = None


@dataclass(slots=True)
class Function:
    """All tasks of one function. peak: bytes, 0 where nobody has looked."""

    name: str
    durations: Durations = field(default_factory=Durations)
    failed: int = 0
    peak: int = 0
    slowest: list[Slow] = field(default_factory=list)


def functions(run: TracedRun) -> list[Function]:
    """Return the functions of a run's tasks, that first on which workers spent most time."""
    told = (run.end or {}).get("functions")
    found = _told(run, told) if told is not None else _from_spans(run)
    return sorted(found, key=lambda each: -each.durations.seconds)


def slowest(found: list[Function], most: int = 15) -> list[Slow]:
    """Return the slowest tasks of all functions, the slowest first."""
    tasks = [task for function in found for task in function.slowest]
    return sorted(tasks, key=lambda task: -task.seconds)[:most]


def nested(run: TracedRun) -> list[Function]:
    """Return the functions of tasks of tasks, that ran where they were made, as spans tell."""
    spans = run.nested
    found: dict[str, Function] = {}
    for place in range(len(spans)):
        name = run.functions[spans.function[place]]
        tasks = int(spans.tasks[place])
        function = found.setdefault(name, Function(name))
        if tasks:
            function.durations.add(float(spans.busy[place]) / tasks, tasks)
    return sorted(found.values(), key=lambda each: -each.durations.seconds)


def _told(run: TracedRun, told: Mapping[str, Any]) -> list[Function]:
    began = _beginnings(run)
    found = []
    for name, known in told.items():
        if not known.get("tasks"):
            continue
        function = Function(
            str(name), _durations(known), known.get("failed", 0), known.get("peak", 0)
        )
        for seconds, job, index, worker in known.get("slowest", ()):
            at = began.get((job, index, worker))
            function.slowest.append(Slow(seconds, function.name, job, index, worker, at))
        found.append(function)
    return found


def _durations(known: Mapping[str, Any]) -> Durations:
    durations = Durations()
    durations.tasks = int(known["tasks"])
    durations.seconds = float(known.get("seconds", 0.0))
    durations.longest = float(known.get("max", 0.0))
    for number, tasks, *seconds in known.get("histogram", ()):
        durations.bins[int(number)] += int(tasks)
        if seconds:
            durations.within[int(number)] = float(seconds[0])
    return durations


def _beginnings(run: TracedRun) -> dict[tuple[int, int, int], float]:
    """Return when tasks began that were alone in their batch, by job, index and worker."""
    spans = run.spans
    alone = np.flatnonzero((spans.tasks == 1) & (spans.batches == 1))
    ranks = np.array([worker.rank for worker in run.workers], np.int64)[spans.row[alone]]
    keys = zip(spans.job[alone].tolist(), spans.start[alone].tolist(), ranks.tolist(), strict=True)
    return dict(zip(keys, spans.began[alone].tolist(), strict=True))


def _from_spans(run: TracedRun, most: int = 10) -> list[Function]:
    spans = run.spans
    found = []
    for number in np.unique(spans.function):
        mine = spans.chosen((spans.function == number) & (spans.tasks > 0))
        function = Function(run.functions[number], failed=int(mine.failed.sum()))
        function.peak = int(mine.peak.max(initial=0))
        each = mine.busy / mine.tasks
        for seconds, tasks in zip(each.tolist(), mine.tasks.tolist(), strict=True):
            function.durations.add(seconds, tasks)
        alone = np.flatnonzero((mine.tasks == 1) & (mine.batches == 1))
        for place in alone[np.argsort(-each[alone], kind="stable")][:most]:
            function.slowest.append(Slow(
                float(each[place]), function.name, int(mine.job[place]), int(mine.start[place]),
                run.workers[mine.row[place]].rank, float(mine.began[place]),
            ))  # fmt: skip
        if function.durations.tasks:
            found.append(function)
    return found
