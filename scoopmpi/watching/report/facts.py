"""All that is computed of a run for its report, once: what rules of advice and tables ask for."""

from __future__ import annotations

from dataclasses import dataclass

from .by_function import Function, functions
from .by_host import Host, hosts
from .curves import Curves, curves
from .run import TracedRun
from .shares import Shares, shares


@dataclass(slots=True)
class Facts:
    """A run, and what follows from it."""

    run: TracedRun
    shares: Shares
    functions: list[Function]
    hosts: list[Host]
    curves: Curves

    @property
    def tasks(self) -> int:
        """Return how many tasks have run, of maps and calls."""
        return int(self.run.spans.tasks[self.run.spans.job >= 0].sum())

    @property
    def inner_tasks(self) -> int:
        """Return how many tasks of tasks have run, on the workers of these or elsewhere."""
        spans = self.run.spans
        return int(spans.tasks[spans.job < 0].sum() + spans.inner.sum())

    @property
    def failed(self) -> int:
        """Return how many of them have raised."""
        return sum(function.failed for function in self.functions)

    def job_name(self, number: int) -> str:
        """Return what a job is called: `map 1 of square`."""
        job = self.run.jobs.get(number)
        if job is not None:
            return job.name
        return "tasks of a task" if number < 0 else f"job {number}"


def facts(run: TracedRun) -> Facts:
    """Return what there is to say of a run."""
    found = shares(run)
    lines = curves(run, found.periods)
    return Facts(run, found, functions(run), hosts(run, found), lines)
