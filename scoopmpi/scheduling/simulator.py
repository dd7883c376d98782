"""The scheduler's other driver: virtual workers, virtual time.

What farm and worker do with messages and clocks is done here with a heap of events, so that
10,000 workers fit into a test. Rank 0 is a server that handles one message after the other:
without its cost every prediction is nonsense. Virtual workers keep the promises of the real ones:
inside a task that outlives its batch's budget they answer with what is done and hand back what is
not started, a waiting batch too; large results leave before their batch ends. When somebody who
sleeps finds a message is said in `pollers`.
Not modelled: what payloads cost, and that ranks share cores.
No clock, no randomness: same input, same report. Imports nothing but this room.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, NamedTuple

from .batching import Policy
from .events import Events
from .pollers import Pauses, Rank0Looks, WorkerLooks
from .ranges import Batch
from .scheduler import Assignment, Scheduler


class Costs(NamedTuple):
    """What the farm itself takes, in seconds.

    message: of rank 0 for a batch, half when it is sent and half for each answer.
    worker: of its worker for a batch, half before its first task and half for each answer.
    latency: from the end of a send until the receiver can find the message.
    map: of rank 0 between the last value of a map and the first batch of the next one.
    """

    message: float = Policy().message
    worker: float = 0.0
    latency: float = 100e-6
    map: float = 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """Virtual seconds until rank 0 had handled the last outcome; what it sent and received; its
    seconds for that; and all durations, each counted once, as a share of workers x makespan."""

    makespan: float
    messages: int
    busy: float
    utilisation: float


Submits = Callable[[Scheduler, int, int], list[Assignment]]
"""Begins a job: tells the scheduler its number, its tasks, and perhaps what is remembered."""


def simulate(
    durations: Sequence[float],
    workers: int,
    policy: Policy = Policy(),
    *,
    costs: Costs = Costs(),
    pauses: Pauses | None = None,
    generations: int = 1,
    submits: Submits = Scheduler.submitted,
    losses: Mapping[float, int] = {},
    leaves: int | None = None,
) -> Report:
    """Run maps of tasks that take `durations` seconds on the workers 1 to `workers`.

    pauses: how ranks wait; None where each finds a message when it comes.
    generations: so many such maps, each made when rank 0 has the last value of the one before.
    losses: when which worker dies; some must survive.
    leaves: how many tasks' results are large enough to leave before their batch ends; None: never.
    """
    if not set(losses.values()) < {*range(1, workers + 1)} or min(durations, default=0) < 0:
        raise ValueError(f"{workers} workers, losses {losses}, or a negative duration")
    offsets = list(accumulate(durations, initial=0.0))
    farm = VirtualFarm(Events(), offsets, workers, policy, costs, pauses, leaves)
    farm.lose(losses)
    for job in range(1, generations + 1):
        farm.free += costs.map if job > 1 else 0.0
        farm.begin(job, len(durations), submits)
        farm.events.run(lambda: farm.running == 0)
    share = generations * offsets[-1] / (workers * farm.free or 1.0)
    return Report(farm.free, farm.messages, farm.messages * costs.message / 2, share)


@dataclass(slots=True)
class _Worker:
    """A virtual worker: True where it runs a batch, or only a task that outlives its budget."""

    running: bool = False
    overdue: bool = False
    idle_since: float = 0.0
    waiting: deque[Assignment] = field(default_factory=deque)


class VirtualFarm:
    """A rank 0 and its workers.

    events: what happens, here and elsewhere. offsets: when each task would start on one worker.
    """

    def __init__(
        self,
        events: Events,
        offsets: Sequence[float],
        workers: int,
        policy: Policy,
        costs: Costs,
        pauses: Pauses | None,
        leaves: int | None = None,
    ) -> None:
        self.events, self._offsets = events, offsets
        self._scheduler = Scheduler(policy)
        self._workers = {number: _Worker() for number in range(1, workers + 1)}
        self._costs, self._pauses, self._leaves = costs, pauses, leaves
        if pauses is not None:
            self._rank0 = Rank0Looks(pauses, self._scheduler)
            self._looks = WorkerLooks(pauses.worker, pauses.looks)
        self._first: dict[int, int] = {}  # of each job's tasks among all
        self.running = 0
        """Tasks that have begun and have no outcome yet, or wait for a worker."""
        self.messages = 0
        self.free = 0.0
        """When rank 0 will have handled all that it knows of."""
        for worker in self._workers:
            self._scheduler.joined(worker)

    def begin(
        self, job: int, tasks: int, submits: Submits = Scheduler.submitted, first: int = 0
    ) -> None:
        """Have rank 0 begin a job of so many tasks; `first` of them among all."""
        self._first[job] = first
        self.running += tasks
        self._send(submits(self._scheduler, job, tasks))

    def lose(self, losses: Mapping[float, int]) -> None:
        """Have workers die at these times."""
        for time, worker in losses.items():
            self._at(time, self._dies, worker)

    def _at(self, time: float, happens: Callable[..., None], worker: int, *facts: Any) -> None:
        self.events.at(time, self._happens, happens, worker, facts)

    def _happens(
        self, now: float, happens: Callable[..., None], worker: int, facts: Sequence[Any]
    ) -> None:
        if worker in self._workers:  # the dead do nothing, and what they sent is dropped
            happens(now, worker, *facts)

    # Rank 0.

    def _spend(self, now: float) -> None:
        if now > self.free:
            self.free = now if self._pauses is None else self._rank0.found(self.free, now)
        self.free += self._costs.message / 2
        self.messages += 1

    def _send(self, assignments: list[Assignment]) -> None:
        for assignment in assignments:
            if self._pauses is not None:
                self._pauses.given(assignment, self.free)
            self._spend(self.free)
            arrives = self.free + self._costs.latency
            self._at(arrives, self._gets, assignment.worker, assignment)

    def _answered(
        self,
        now: float,
        worker: int,
        batch: Batch,
        seconds: float,
        unstarted: Batch | None = None,
        goes_on: bool = False,
    ) -> None:
        self._spend(now)
        if self._pauses is not None and not goes_on:
            self._pauses.answered(worker, self.free)
        self.running -= batch.tasks
        self._send(self._scheduler.finished(worker, batch, seconds, unstarted, goes_on=goes_on))

    def _dies(self, now: float, worker: int) -> None:
        del self._workers[worker]
        self._spend(now)
        self._send(self._scheduler.lost(worker))

    # Workers.

    def _gets(self, now: float, worker: int, assignment: Assignment) -> None:
        state, (_, batch, budget, *_) = self._workers[worker], assignment
        if state.overdue:
            self._answer(now, worker, batch._replace(stop=batch.start), -1.0, batch)
        elif state.running:
            state.waiting.append(assignment)
        else:
            if self._pauses is not None:
                now = self._looks.found(state.idle_since, now)
            else:  # it may still be busy with its last answer
                now = max(now, state.idle_since)
            self._begins(now, worker, batch, budget)

    def _begins(self, now: float, worker: int, batch: Batch, budget: float) -> None:
        self._workers[worker].running = True
        self._runs(now + self._costs.worker / 2, worker, batch, budget)

    def _runs(self, now: float, worker: int, batch: Batch, budget: float) -> None:
        """Have it run a batch, or the rest of one, as far as something happens."""
        tasks = batch.tasks if self._leaves is None else min(batch.tasks, self._leaves)
        first = self._first[batch.job] + batch.start
        seconds = self._offsets[first + tasks] - self._offsets[first]
        if seconds > budget:
            self._at(now + budget, self._passes_budget, worker, batch, budget)
        elif tasks < batch.tasks:
            self._at(now + seconds, self._goes_on, worker, batch, tasks, seconds, budget)
        else:
            self._at(now + seconds, self._ends, worker, batch, seconds)

    def _goes_on(
        self, now: float, worker: int, batch: Batch, tasks: int, seconds: float, budget: float
    ) -> None:
        middle = batch.start + tasks
        self._answer(now, worker, batch._replace(stop=middle), seconds, None, True)
        self._runs(now, worker, batch._replace(start=middle), budget - seconds)

    def _passes_budget(self, now: float, worker: int, batch: Batch, budget: float) -> None:
        state, offsets, first = self._workers[worker], self._offsets, self._first[batch.job]
        start, stop = first + batch.start, first + batch.stop
        task = bisect_right(offsets, offsets[start] + budget, start, stop) - 1 - first
        front, rest = batch._replace(stop=task), batch._replace(start=task + 1)
        kept = batch._replace(start=task, stop=task + 1)
        # As the real worker counts: since the batch began, though a part is answered before.
        seconds = offsets[first + task + 1] - offsets[start]
        self._at(now + max(0.0, seconds - budget), self._ends, worker, kept, seconds)
        if kept != batch:
            self._answer(now, worker, front, -1.0, rest if rest.tasks else None)
        state.overdue = True
        while state.waiting:
            self._gets(now, worker, state.waiting.popleft())  # and hands back at once

    def _ends(self, now: float, worker: int, batch: Batch, seconds: float) -> None:
        state = self._workers[worker]
        state.running = state.overdue = False
        now += self._costs.worker / 2
        state.idle_since = now
        self._answer(now, worker, batch, seconds)
        if state.waiting:
            _, waited, budget, *_ = state.waiting.popleft()
            self._begins(now, worker, waited, budget)

    def _answer(self, now: float, worker: int, *facts: Any) -> None:
        self._at(now + self._costs.latency, self._answered, worker, *facts)
