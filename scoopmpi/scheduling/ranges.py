"""Ranges of tasks: a batch, and the queue of one job, with its gate. No workers, no decisions."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from .batching import Measured, Pace
from .weights import Weight


class Batch(NamedTuple):
    """The tasks `start` to `stop - 1` of one job, all with the same past.

    attempts: how many workers died with them before.
    raised: how often they have raised before, and are tried again.
    avoids: the worker on which they have raised last; 0: none.
    """

    job: int
    start: int
    stop: int
    attempts: int = 0
    raised: int = 0
    avoids: int = 0

    @classmethod
    def single(cls, job: int, task: int) -> Batch:
        """Return one task as a batch."""
        return cls(job, task, task + 1)

    @property
    def tasks(self) -> int:
        """Return how many tasks these are."""
        return self.stop - self.start

    @property
    def attempt(self) -> int:
        """Return which attempt this is of its tasks, 1 for the first."""
        return 1 + self.attempts + self.raised

    @property
    def suspect(self) -> bool:
        """True where its tasks may have killed a worker: they are run alone, see `retries`."""
        return self.attempts > 0


class JobQueue:
    """The queued tasks of one job, in order of index, and how long its tasks take.

    Those from the gate on are held back: their values would have to wait, for a slow consumer.
    None is handed out while the job is paused.
    """

    __slots__ = (
        "cancelled", "early", "finished", "gate", "handed", "held_back", "late", "number", "pace",
        "paused", "put_off", "queue", "queued", "submitted", "weight",
    )  # fmt: skip

    def __init__(self, number: int, pace: Pace | None = None, weight: float = 0.0) -> None:
        self.number = number
        self.queue: deque[Batch] = deque()  # what may be handed out
        self.queued = 0
        self.gate: int | None = None  # tasks from this one on are held back
        self.held_back: list[Batch] = []
        self.paused = False
        self.submitted = 0
        self.finished = 0
        self.handed = 0  # batches that workers hold
        self.put_off: set[Batch] = set()  # that have raised, and are queued again later
        self.early, self.late = Measured(), Measured()  # of its first half, and of its second
        self.pace = pace  # None until a batch was measured, where none is remembered
        self.weight = Weight(weight)
        self.cancelled = False

    @property
    def ready(self) -> bool:
        """True where a batch may be handed out."""
        return bool(self.queue) and not self.paused

    @property
    def stands(self) -> bool:
        """True where it is paused, and tasks of it wait for that to end."""
        return self.paused and bool(self.queue or self.put_off)

    def grow(self, count: int) -> None:
        """Queue more tasks, behind all others; those beyond the gate are held back."""
        start, stop = self.submitted, self.submitted + count
        self.submitted = stop
        if self.gate is not None and stop > self.gate:
            self.held_back.append(Batch(self.number, max(start, self.gate), stop))
            stop = self.gate
        if start < stop:
            self._append(Batch(self.number, start, stop))

    def skip(self, count: int) -> None:
        """Count the next tasks as finished: they need not be run."""
        self.submitted += count
        self.finished += count

    def put_back(self, batch: Batch) -> None:
        """Queue a batch again, ahead of all that was never handed out; not beyond the gate."""
        if self.gate is None or batch.stop <= self.gate:
            self.queue.appendleft(batch)
            self.queued += batch.tasks
            return
        if batch.start < self.gate:
            self.queue.appendleft(batch._replace(stop=self.gate))
            self.queued += self.gate - batch.start
        self.held_back.append(batch._replace(start=max(batch.start, self.gate)))

    def move_gate(self, gate: int | None) -> None:
        """Hold back the tasks from this one on, and no others; None: no task."""
        again = [*self.queue, *sorted(self.held_back)]
        self.gate, self.queued = gate, 0
        self.queue.clear()
        self.held_back.clear()
        for each in again:
            stop = each.stop if gate is None else min(gate, each.stop)
            if each.start < stop:
                self._append(each._replace(stop=stop))
            if stop < each.stop:
                self.held_back.append(each._replace(start=max(each.start, stop)))

    def _append(self, batch: Batch) -> None:
        self.queued += batch.stop - batch.start
        if self.queue:
            last = self.queue[-1]
            if last.stop == batch.start and last[3:] == batch[3:]:
                batch = self.queue.pop()._replace(stop=batch.stop)
        self.queue.append(batch)

    def measure(self, batch: Batch, seconds: float) -> None:
        """Note how long the tasks of a batch took."""
        early = 2 * batch.start < self.submitted
        known = self.early if early else self.late
        known = Measured(known.tasks + batch.stop - batch.start, known.seconds + seconds)
        if early:
            self.early = known
        else:
            self.late = known

    def take(self, tasks: int) -> Batch:
        """Hand out the next batch, of so many tasks at most; a single one of suspects."""
        first = self.queue[0]
        if first.suspect:
            tasks = 1  # alone, so that innocent neighbours are not blamed for a death
        if tasks >= first.tasks:
            batch = self.queue.popleft()
        else:
            middle = first.start + tasks
            past = first[3:]
            batch = Batch(first.job, first.start, middle, *past)
            self.queue[0] = Batch(first.job, middle, first.stop, *past)
        self.queued -= batch.tasks
        self.handed += 1
        return batch
