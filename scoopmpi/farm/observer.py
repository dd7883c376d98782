"""What the farm says of its work: one method for each kind of event.

Progress bars, traces, reports and `-v` (`verbose`) are readers of this. Each event is told by one
line of code on rank 0, with the farm's lock held: a reader must be quick, and raise nothing.
Nothing is told for each single task, and without a reader a message costs one test for None.

Of the tasks of a job that are assigned, each is later finished, put off, handed back or lost; only
where the job ends before they are sent they are not heard of again. Those that are put off, handed
back or lost are assigned again, unless they are given up or the job has ended. So the tasks of a
map that is read to its end are those finished, recalled and given up, all together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..tasks.stretch import Stretch


class Observer:
    """A reader of what happens: it derives from this class, and has the methods that it wants.

    job: the number of a job: of a map, 0 for all submitted calls, below 0 for what workers offer.
    worker: the rank of one.
    start, tasks: the first of some tasks of that job, and how many they are.
    """

    def worker_joined(self, worker: int, host: str, pid: int) -> None:
        """Hear that a worker has imported the program and takes part."""

    def worker_lost(self, worker: int, host: str) -> None:
        """Hear that a worker has died; what becomes of its tasks has been told before."""

    def job_begun(self, job: int, kind: str, name: str) -> None:
        """Hear of a new job.

        kind: "map"; "calls" for all submitted calls, a task each; "nested" for tasks that a worker
            hands to others. All other tasks of nested jobs run where they were made, and are not
            heard of.
        name: of the function of its tasks.
        """

    def job_ended(self, job: int) -> None:
        """Hear that nobody wants more of a job; batches of it may still be told of."""

    def tasks_assigned(self, job: int, worker: int, tasks: int) -> None:
        """Hear that a worker gets a batch."""

    def tasks_finished(
        self, job: int, worker: int, tasks: int, failed: int, seconds: float
    ) -> None:
        """Hear that a batch, or the front part of one, has run.

        failed: how many of the tasks have raised.
        seconds: since the batch began; negative for a front part, whose time comes with the rest.
        """

    def tasks_ran(
        self, job: int, worker: int, start: int, tasks: int, log: Sequence[Stretch]
    ) -> None:
        """Hear how tasks went that have finished or are put off, which is told before.

        log: all of them; empty where nothing of their batch could be unpacked, so that all have
            failed, and where workers were not asked for it.
        """

    def tasks_put_off(self, job: int, worker: int, tasks: int, seconds: float) -> None:
        """Hear that tasks of a batch have raised, and are tried again after a delay.

        seconds: as of `tasks_finished`; negative where others of the batch have finished.
        """

    def tasks_handed_back(self, job: int, worker: int, tasks: int) -> None:
        """Hear that a worker has not begun the end of a batch in time: it is queued again."""

    def tasks_recalled(self, job: int, start: int | None, tasks: int) -> None:
        """Hear that the outcomes of tasks were taken from a checkpoint; calls have no number."""

    def tasks_lost(
        self, job: int, worker: int, start: int, tasks: int, attempt: int, late: bool
    ) -> None:
        """Hear that a worker has died with a batch.

        attempt: which one it was of these tasks. late: the task had outlived its limit.
        """

    def tasks_retried(self, job: int, worker: int, tasks: int) -> None:
        """Hear that tasks of a lost batch, which may have killed the worker, are tried again."""

    def tasks_given_up(self, job: int, worker: int, tasks: int) -> None:
        """Hear that a task has failed, as too many workers have died with it."""

    def farm_closed(self) -> None:
        """Hear that all is over: the last event."""


class Several(Observer):
    """Readers that stand in the place of one: each hears everything, in their order."""

    def __init__(self, readers: Sequence[Observer]) -> None:
        for event in filter(str.isidentifier, vars(Observer)):
            if not event.startswith("_"):
                setattr(self, event, partial(_tell, [getattr(reader, event) for reader in readers]))


def joined(*readers: Observer | None) -> Observer | None:
    """Return one reader in the place of those that there are; None where there are none."""
    there = [reader for reader in readers if reader is not None]
    return Several(there) if len(there) > 1 else next(iter(there), None)


def _tell(methods: Sequence[Callable[..., None]], *event: Any) -> None:
    for method in methods:
        method(*event)
