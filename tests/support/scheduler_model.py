"""What the model of the scheduler knows of jobs and workers: tasks by their numbers, no ranges."""

from __future__ import annotations

from collections import Counter

from scoopmpi.scheduling.ranges import Batch


class ModelJob:
    def __init__(self) -> None:
        self.submitted = 0
        self.queued: set[int] = set()
        self.run: Counter[int] = Counter()
        self.deaths: Counter[int] = Counter()
        self.raised: Counter[int] = Counter()
        self.cancelled = False
        self.gate: int | None = None
        self.paused = False

    @property
    def open(self) -> set[int]:
        """What is queued and not held back."""
        return set() if self.paused else self.below_the_gate

    @property
    def below_the_gate(self) -> set[int]:
        return {task for task in self.queued if self.gate is None or task < self.gate}


class ModelWorker:
    def __init__(self) -> None:
        self.held: list[Batch] = []
        self.waiting: list[Batch] = []
        self.overdue = False
        self.barred = False
        self.expected = 0.0  # seconds of the latest batch


def tasks_of(batch: Batch) -> range:
    return range(batch.start, batch.stop)


def bar(workers: dict[int, ModelWorker], number: int | None = None) -> None:
    """One worker is barred, or one has gone: where only barred ones are left, none is."""
    if number is not None:
        workers[number].barred = True
    if all(state.barred for state in workers.values()):
        for state in workers.values():
            state.barred = False
