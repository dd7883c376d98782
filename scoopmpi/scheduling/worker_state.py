"""The batches that one worker holds, as the scheduler knows them. No decisions."""

from __future__ import annotations

from collections.abc import Sequence

from .ranges import Batch


class WorkerState:
    """What one worker holds, the running batch first, and its tasks that wait for others."""

    __slots__ = ("barred", "held", "overdue", "short", "waiting")

    def __init__(self) -> None:
        self.held: list[Batch] = []
        self.waiting: list[Batch] = []
        self.short = True  # the latest batch: a second one may wait behind it
        self.overdue = False  # the running batch has outlived its budget
        self.barred = False  # it gets nothing more, as long as there are others

    @property
    def accepts_more(self) -> bool:
        """True where it is idle, or runs one short batch that keeps its time and is no suspect.

        Never where it is barred.
        """
        held = self.held
        if self.barred:
            return False
        if not held:
            return True
        return self.short and not self.overdue and len(held) == 1 and not held[0].suspect

    def tasks_of(self, job: int) -> int:
        """Return how many tasks of a job it holds."""
        return sum(batch.stop - batch.start for batch in self.held if batch.job == job)

    def place(self, batch: Batch, unstarted: Batch | None) -> int:
        """Return the place of the held batch whose front is `batch`, its end `unstarted`.

        Raises ValueError where none is held that these two are parts of.
        """
        for place, held in enumerate(self.held):
            if held.job == batch.job and held.start == batch.start:
                if not held.start <= batch.stop <= held.stop:
                    break
                if unstarted is None or (
                    unstarted.job == held.job
                    and batch.stop <= unstarted.start <= unstarted.stop == held.stop
                ):
                    return place
        raise ValueError(f"the worker holds {self.held}, not {batch} and {unstarted}")


def single(batches: Sequence[Batch], task: Batch) -> int:
    """Return the place of a single task among batches. Raises ValueError where it is none."""
    for place, held in enumerate(batches):
        same = held.job == task.job and held.start == task.start and held.stop == task.stop
        if task.tasks == 1 and same:
            return place
    raise ValueError(f"the worker has {batches}, not the single task {task}")
