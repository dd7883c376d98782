"""The scheduler's other driver: virtual workers, virtual time.

What farm and worker do with messages and clocks is done here with a heap of events, so that
10,000 workers fit into a test. Rank 0 is a server that handles one message after the other:
without its cost every prediction is nonsense. Virtual workers keep the promises of the real ones:
inside a task that outlives its batch's budget they answer with what is done and hand back what is
not started, a waiting batch too. Not modelled: pauses, payloads, and what pickling costs workers.
No clock, no randomness: same input, same report. Imports scheduler and batching, nothing else.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import accumulate, count
from typing import Any

from .batching import Policy
from .ranges import Batch
from .scheduler import Assignment, Scheduler


@dataclass(frozen=True, slots=True)
class Report:
    """Virtual seconds until rank 0 had handled the last outcome; what it sent and received; its
    seconds for that; and all durations, each counted once, as a share of workers x makespan."""

    makespan: float
    messages: int
    busy: float
    utilisation: float


def simulate(
    durations: Sequence[float],
    workers: int,
    policy: Policy = Policy(),
    *,
    message_seconds: float = Policy().message,
    latency: float = 100e-6,
    losses: Mapping[float, int] = {},
) -> Report:
    """Run one job of tasks that take `durations` seconds on the workers 1 to `workers`.

    message_seconds: what a batch costs rank 0, half when it is sent and half for each answer.
    latency: from the end of a send until the receiver looks: up to a millisecond if it sleeps.
    losses: when which worker dies; some must survive.
    """
    if not set(losses.values()) < {*range(1, workers + 1)} or min(durations, default=0) < 0:
        raise ValueError(f"{workers} workers, losses {losses}, or a negative duration")
    return _Simulation(durations, workers, policy, message_seconds / 2, latency).run(losses)


@dataclass(slots=True)
class _Worker:
    """A virtual worker: True where it runs a batch, or only a task that outlives its budget."""

    running: bool = False
    overdue: bool = False
    waiting: deque[Assignment] = field(default_factory=deque)


class _Simulation:
    def __init__(
        self, durations: Sequence[float], workers: int, policy: Policy, cost: float, latency: float
    ) -> None:
        self._offsets = list(accumulate(durations, initial=0.0))  # when tasks start on one worker
        self._scheduler = Scheduler(policy)
        self._workers = {number: _Worker() for number in range(1, workers + 1)}
        self._cost, self._latency = cost, latency
        # A time, a place among equals, what happens, at which worker, the facts.
        self._events: list[tuple[float, int, Callable[..., None], int, tuple[Any, ...]]] = []
        self._sequence, self._messages, self._done = count(), 0, 0
        self._free = 0.0  # when rank 0 will have handled all that it knows of

    def run(self, losses: Mapping[float, int]) -> Report:
        workers, tasks = len(self._workers), len(self._offsets) - 1
        for time, worker in losses.items():
            self._at(time, self._dies, worker)
        for worker in self._workers:
            self._scheduler.joined(worker)
        self._send(self._scheduler.submitted(1, tasks))
        while self._done < tasks:
            time, _, happens, worker, facts = heappop(self._events)
            if worker in self._workers:  # the dead do nothing, and what they sent is dropped
                happens(time, worker, *facts)
        share = self._offsets[-1] / (workers * self._free or 1.0)
        return Report(self._free, self._messages, self._messages * self._cost, share)

    def _at(self, time: float, happens: Callable[..., None], worker: int, *facts: Any) -> None:
        heappush(self._events, (time, next(self._sequence), happens, worker, facts))

    def _spend(self, now: float) -> None:
        self._free = max(now, self._free) + self._cost
        self._messages += 1

    def _send(self, assignments: list[Assignment]) -> None:
        for assignment in assignments:
            self._spend(self._free)
            self._at(self._free + self._latency, self._gets, assignment.worker, assignment)

    def _answered(self, now: float, worker: int, batch: Batch, *facts: Any) -> None:
        self._spend(now)
        self._done += batch.tasks
        self._send(self._scheduler.finished(worker, batch, *facts))

    def _dies(self, now: float, worker: int) -> None:
        del self._workers[worker]
        self._spend(now)
        self._send(self._scheduler.lost(worker))

    def _gets(self, now: float, worker: int, assignment: Assignment) -> None:
        state, (_, batch, budget) = self._workers[worker], assignment
        seconds = self._offsets[batch.stop] - self._offsets[batch.start]
        if state.overdue:
            self._answer(now, worker, batch._replace(stop=batch.start), -1.0, batch)
        elif state.running:
            state.waiting.append(assignment)
        else:
            state.running = True
            after = min(seconds, budget)
            happens = self._ends if after == seconds else self._passes_budget
            self._at(now + after, happens, worker, batch, after)

    def _passes_budget(self, now: float, worker: int, batch: Batch, budget: float) -> None:
        state, offsets, start = self._workers[worker], self._offsets, batch.start
        task = bisect_right(offsets, offsets[start] + budget, start, batch.stop) - 1
        front, rest = batch._replace(stop=task), batch._replace(start=task + 1)
        kept = batch._replace(start=task, stop=task + 1)
        # As the real worker counts: since the batch began, though a part is answered before.
        seconds = offsets[task + 1] - offsets[start]
        self._at(now + max(0.0, seconds - budget), self._ends, worker, kept, seconds)
        if kept != batch:
            self._answer(now, worker, front, -1.0, rest if rest.tasks else None)
        state.overdue = True
        while state.waiting:
            self._gets(now, worker, state.waiting.popleft())  # and hands back at once

    def _ends(self, now: float, worker: int, batch: Batch, seconds: float) -> None:
        state = self._workers[worker]
        state.running = state.overdue = False
        self._answer(now, worker, batch, seconds)
        if state.waiting:
            self._gets(now, worker, state.waiting.popleft())

    def _answer(self, now: float, worker: int, *facts: Any) -> None:
        self._at(now + self._latency, self._answered, worker, *facts)
