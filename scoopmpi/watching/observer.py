"""What the farm says of its work: one method for each kind of event.

Bar, status file, trace, task log and `-v` are readers of this. An event is told with the farm's
lock held, through `door`: a reader is quick, and does its writing in a thread of its own. Nothing
is told for each single task.

Of the tasks of a job that are assigned, each is later finished, put off, handed back or lost; only
where the job ends before they are sent they are not heard of again. Those that are put off, handed
back or lost are assigned again, unless they are given up or the job has ended. So the tasks of a
map that is read to its end are those finished, recalled and given up, all together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..tasks.seen import Seen
    from ..tasks.stretch import Stretch


class Observer:
    """A reader of what happens: it derives from this class, and has the methods that it wants.

    job: the number of a job: of a map, 0 for all submitted calls, below 0 for what workers offer.
    worker: the rank of one.
    start, tasks: the first of some tasks of that job, and how many they are.
    """

    asks_workers = False
    """True where workers have to say more of each batch: when it ran, memory, nested tasks."""

    def worker_joined(self, worker: int, host: str, pid: int) -> None:
        """Hear that a worker has imported the program and takes part."""

    def worker_lost(self, worker: int, host: str) -> None:
        """Hear that a worker has died; what becomes of its tasks has been told before."""

    def job_begun(
        self, job: int, kind: str, name: str, size: int | None, progress: bool | str | None
    ) -> None:
        """Hear of a new job.

        kind: "map"; "calls" for all submitted calls, a task each; "nested" for tasks that a worker
            hands to others. All other tasks of nested jobs run where they were made.
        name: of the function of its tasks.
        size: how many tasks it has, as far as that is known; None of calls and generators.
        progress: what the program has said of a bar for it: to show it or not, or its title.
        """

    def job_grew(self, job: int, tasks: int) -> None:
        """Hear that a job whose size is not known has so many more tasks."""

    def job_sized(self, job: int, size: int) -> None:
        """Hear how many tasks a job has in all: its iterables have come to their end."""

    def job_ended(self, job: int) -> None:
        """Hear that nobody wants more of a job; batches of it may still be told of."""

    def job_paused(self, job: int, paused: bool) -> None:
        """Hear that no more task of a job begins, as it would not end before the batch job does.

        paused: False where they begin again: the batch job ends later than was known.
        """

    def program_stopped(self, left: int, seconds: float) -> None:
        """Hear that the program is ended before its batch job is: nothing more could begin.

        left: how many tasks are left, as far as that is known.
        seconds: to the end of the batch job.
        """

    def tasks_assigned(self, job: int, worker: int, start: int, tasks: int, attempt: int) -> None:
        """Hear that a worker gets a batch, maybe behind one that it has.

        attempt: which one it is of these tasks, 1 for the first.
        """

    def tasks_named(self, job: int, worker: int, start: int, name: str) -> None:
        """Hear of which function tasks are that were assigned just now.

        Told of submitted calls, each of which has a function of its own, where those of a batch are
        of the same.
        """

    def tasks_finished(
        self, job: int, worker: int, start: int, tasks: int, failed: int, seconds: float,
        seen: Seen | None,
    ) -> None:  # fmt: skip
        """Hear that a batch, or the front part of one, has run.

        failed: how many of the tasks have raised.
        seconds: since the batch began; negative for a front part, whose time comes with the rest.
        seen: what the worker says of it, where workers are asked.
        """

    def tasks_ran(
        self, job: int, worker: int, start: int, tasks: int, log: Sequence[Stretch]
    ) -> None:
        """Hear how tasks went that have finished or are put off, which is told before.

        log: all of them; empty where nothing of their batch could be unpacked, so that all have
            failed, and where workers were not asked for it.
        """

    def tasks_put_off(
        self, job: int, worker: int, start: int, tasks: int, seconds: float, seen: Seen | None
    ) -> None:
        """Hear that tasks of a batch have raised, and are tried again after a delay.

        start: of the batch. seconds, seen: as of `tasks_finished`; negative, and None, where others
        of the batch have finished.
        """

    def tasks_handed_back(self, job: int, worker: int, start: int, tasks: int) -> None:
        """Hear that a worker has not begun the end of a batch in time: it is queued again."""

    def tasks_recalled(self, job: int, start: int | None, tasks: int) -> None:
        """Hear that the outcomes of tasks were taken from a checkpoint; calls have no number."""

    def tasks_lost(
        self, job: int, worker: int, start: int, tasks: int, attempt: int, late: bool
    ) -> None:
        """Hear that a worker has died with a batch.

        attempt: which one it was of these tasks. late: the task had outlived its limit.
        """

    def tasks_retried(self, job: int, worker: int, start: int, tasks: int) -> None:
        """Hear that tasks of a lost batch, which may have killed the worker, are tried again."""

    def tasks_given_up(self, job: int, worker: int, start: int, tasks: int) -> None:
        """Hear that a task has failed, as too many workers have died with it."""

    def task_waits(self, job: int, worker: int, task: int) -> None:
        """Hear that a running task waits for tasks of its own, and its worker is free for more."""

    def task_goes_on(self, job: int, worker: int, task: int) -> None:
        """Hear that a task that was waiting runs again."""

    def constants_set(self, number: int, size: int) -> None:
        """Hear that constants are set for all later tasks.

        number: how many calls of setConst there have been. size: bytes of these.
        """

    def outcomes_kept(self, outcomes: int, size: int) -> None:
        """Hear that outcomes are in the checkpoint for good; told by its own thread.

        outcomes: how many more. size: bytes of these.
        """

    def farm_closed(self, status: int) -> None:
        """Hear that all is over: the last event.

        status: what the program has ended with, 128 and a signal's number where that has ended it.
        """
