"""Two floors, simulated: rank 0 hands bundles of tasks to foremen, who hand them to their workers.

What it would take to feed ten times the workers that one rank 0 can: the same scheduler on both
floors. To rank 0 a foreman is a worker, and a bundle its task: as many tasks as it has workers.
Nothing of this is built for real. Not modelled: bundles that go back, pauses, foremen that die.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from math import ceil, inf
from typing import Any, NamedTuple

from .batching import Policy
from .events import Events
from .ranges import Batch
from .scheduler import Assignment, Scheduler
from .simulator import Costs, Report, VirtualFarm


def simulate_floors(
    durations: Sequence[float],
    foremen: int,
    workers: int,
    policy: Policy = Policy(),
    *,
    costs: Costs = Costs(),
) -> Report:
    """Run a job of tasks that take `durations` seconds on so many foremen of `workers` each.

    Messages and busy seconds in the report are those of rank 0.
    """
    events, offsets = Events(), list(accumulate(durations, initial=0.0))
    below = [_Foreman(events, offsets, workers, policy, costs) for _ in range(foremen)]
    # A foreman's workers do not all end at once: a second bundle always waits behind the first.
    top = _Rank0(events, offsets, policy._replace(prefetch=inf), costs, below)
    top.begin(1, ceil(len(durations) / workers))
    events.run(lambda: top.running == 0)
    share = offsets[-1] / (foremen * workers * top.free or 1.0)
    return Report(top.free, top.messages, top.messages * costs.message / 2, share)


class _Given(NamedTuple):
    """Bundles that a foreman was given: when, how many tasks they are, and who is told the end."""

    at: float
    bundles: Batch
    tasks: int
    answer: Callable[[float, Batch, float], None]


class _Foreman(VirtualFarm):
    """A farm below rank 0: all that it is given at once is a job."""

    def __init__(
        self,
        events: Events,
        offsets: Sequence[float],
        workers: int,
        policy: Policy,
        costs: Costs,
    ) -> None:
        super().__init__(events, offsets, workers, policy, costs, None)
        self._given: dict[int, _Given] = {}
        self._latest = 0  # job, whose pace the next one begins with
        self._ended = 0.0

    def takes(
        self, now: float, bundles: Batch, answer: Callable[[float, Batch, float], None]
    ) -> None:
        """Take bundles that have just come; `answer` is told when they end, and their seconds."""
        self._spend(now)
        workers, all_tasks = len(self._workers), len(self._offsets) - 1
        first, job = bundles.start * workers, bundles.stop
        tasks = min(bundles.stop * workers, all_tasks) - first
        self._given[job] = _Given(now, bundles, tasks, answer)
        self.begin(job, tasks, self._begins_job, first)

    def _begins_job(self, scheduler: Scheduler, job: int, tasks: int) -> list[Assignment]:
        pace, self._latest = scheduler.remembered(self._latest), job
        return scheduler.submitted(job, tasks, pace=pace)

    def _answered(self, now: float, worker: int, batch: Batch, *facts: Any) -> None:
        super()._answered(now, worker, batch, *facts)
        at, bundles, tasks, answer = self._given[batch.job]
        if self._scheduler.finished_of(batch.job) == tasks:
            self._spend(self.free)
            answer(self.free, bundles, self.free - max(at, self._ended))
            self._ended = self.free


class _Rank0(VirtualFarm):
    """The farm above, whose workers are foremen."""

    def __init__(
        self,
        events: Events,
        offsets: Sequence[float],
        policy: Policy,
        costs: Costs,
        foremen: Sequence[_Foreman],
    ) -> None:
        super().__init__(events, offsets, len(foremen), policy, costs, None)
        self._foremen = foremen

    def _gets(self, now: float, worker: int, assignment: Assignment) -> None:
        self._foremen[worker - 1].takes(now, assignment.batch, self._told(worker))

    def _told(self, worker: int) -> Callable[[float, Batch, float], None]:
        return lambda now, bundles, seconds: self._answer(now, worker, bundles, seconds)
