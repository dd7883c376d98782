"""The numbers of a whole run, as they stand behind its events: exact, however coarse the spans."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ..counted import Counts, Function
from ..tally import Tally

_ROUND = 6


def of_job(counts: Counts) -> dict[str, Any]:
    """Return what has become of the tasks of a job."""
    return {"tasks": counts.finished, "failed": counts.failed, "recalled": counts.recalled}


def of_run(tally: Tally, seconds: float) -> dict[str, Any]:
    """Return all numbers of a run. seconds: how long it has taken."""
    total = {**asdict(tally.total), "seconds": round(tally.total.seconds, _ROUND)}
    total["workers"] = len(tally.workers)
    total["workers lost"] = sum(worker.lost for worker in tally.workers.values())
    total["constants"], total["kept"] = tally.constants, tally.kept
    functions = tally.functions.values()
    return {
        "seconds": round(seconds, _ROUND),
        "totals": total,
        "functions": {each.name: _function(each) for each in functions if each.counts.finished},
        "failures": [
            [count, each.name, text] for each in functions for text, count in each.errors.items()
        ],
    }


def _function(function: Function) -> dict[str, Any]:
    durations = function.durations
    return {
        "tasks": function.counts.finished,
        "failed": function.counts.failed,
        "seconds": round(function.counts.seconds, _ROUND),
        "max": round(durations.longest, _ROUND),
        "peak": function.peak,
        "histogram": [
            [number, tasks, float(f"{durations.within.get(number, 0.0):.4g}")]
            for number, tasks in sorted(durations.bins.items())
        ],
        "slowest": [
            [round(seconds, _ROUND), *place]
            for seconds, *place in sorted(function.slowest, reverse=True)
        ],
    }
