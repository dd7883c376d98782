"""The reader behind `-v`: a run in lines that a person reads, through the logger `scoopmpi`.

A line for each worker that joins, two for each map, one for tasks that are tried again or given up,
and a summary at the end. Nothing for each batch. Called with the farm's lock held.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from dataclasses import dataclass, field

from ..tasks.seen import Seen
from .observer import Observer

logger = logging.getLogger("scoopmpi")


def reader() -> Observer | None:
    """Return a reader where `-v`, or the program itself, has set the logger to DEBUG; else None."""
    return Verbose() if logger.isEnabledFor(logging.DEBUG) else None


@dataclass(slots=True)
class Counts:
    """What has become of some tasks, and the seconds that workers have spent on them."""

    finished: int = 0
    batches: int = 0
    failed: int = 0
    recalled: int = 0
    retried: int = 0
    given_up: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        text = f"{many(self.finished, 'task')} in {many(self.batches, 'batch', 'batches')}"
        others = (
            (self.failed, "raised an exception"), (self.recalled, "from the checkpoint"),
            (self.retried, "tried again"), (self.given_up, "given up"),
        )  # fmt: skip
        parts = [f"{count} {what}" for count, what in others if count]
        return ", ".join([text, f"{self.seconds:.3g} s of work", *parts])


@dataclass(slots=True)
class Job:
    """One job, as it is called in lines, and what has become of its tasks so far."""

    kind: str
    title: str
    counts: Counts = field(default_factory=Counts)
    begun: float = field(default_factory=time.monotonic)


class Verbose(Observer):
    """Writes the lines of one farm."""

    def __init__(self) -> None:
        self.total = Counts()
        """The tasks of all jobs."""
        self._jobs: dict[int, Job] = {}
        self._maps = 0
        self._tasks: Counter[str] = Counter()  # finished, by the kind of their job
        self._joined = self._lost = 0

    # Workers and jobs.

    def worker_joined(self, worker: int, host: str, pid: int) -> None:
        self._joined += 1
        logger.info("worker %d joined: pid %d on %s", worker, pid, host)

    def worker_lost(self, worker: int, host: str) -> None:
        self._lost += 1  # the line that says so is a warning, and needs no reader

    def job_begun(
        self, job: int, kind: str, name: str, size: int | None, progress: bool | str | None
    ) -> None:
        if kind != "map":
            self._jobs[job] = Job(kind, name)
            return
        self._maps += 1
        title = f"map {self._maps} of {name}"
        self._jobs[job] = Job(kind, title)
        logger.info("%s begins", title)

    def job_ended(self, job: int) -> None:
        ended = self._jobs.pop(job)
        if ended.kind == "map":
            seconds = time.monotonic() - ended.begun
            logger.info("%s ends after %.3g s: %s", ended.title, seconds, ended.counts)

    def job_paused(self, job: int, paused: bool) -> None:
        text = (
            "no more tasks begin, as they would not end in time" if paused else "tasks begin again"
        )
        known = self._jobs.get(job)
        if known is not None and known.kind == "map":
            logger.info("%s: %s", self._title(job), text)

    # Tasks. Those of a job that has ended are in no line but the last.

    def tasks_finished(
        self, job: int, worker: int, start: int, tasks: int, failed: int, seconds: float,
        seen: Seen | None,
    ) -> None:  # fmt: skip
        known = self._jobs.get(job)
        if known is not None:
            self._tasks[known.kind] += tasks
        for counts in self._counts(job):
            counts.finished += tasks
            counts.batches += 1
            counts.failed += failed
            counts.seconds += max(seconds, 0.0)

    def tasks_put_off(
        self, job: int, worker: int, start: int, tasks: int, seconds: float, seen: Seen | None
    ) -> None:
        for counts in self._counts(job):
            counts.retried += tasks
            counts.seconds += max(seconds, 0.0)

    def tasks_recalled(self, job: int, start: int | None, tasks: int) -> None:
        for counts in self._counts(job):
            counts.recalled += tasks

    def tasks_retried(self, job: int, worker: int, start: int, tasks: int) -> None:
        for counts in self._counts(job):
            counts.retried += tasks
        logger.info(
            "%s: %s of worker %d tried again", self._title(job), many(tasks, "task"), worker
        )

    def tasks_given_up(self, job: int, worker: int, start: int, tasks: int) -> None:
        for counts in self._counts(job):
            counts.given_up += tasks
        logger.info("%s: %s of worker %d given up", self._title(job), many(tasks, "task"), worker)

    def farm_closed(self, status: int) -> None:
        calls, nested = self._tasks["calls"], self._tasks["nested"]
        jobs = f"{many(self._maps, 'map')}, {many(calls, 'submitted call')}"
        if nested:
            jobs += f", {many(nested, 'nested task')} handed to other workers"
        workers = many(self._joined, "worker") + (f", {self._lost} lost" if self._lost else "")
        logger.info("in all: %s; %s; %s", workers, jobs, self.total)

    def _counts(self, job: int) -> list[Counts]:
        known = self._jobs.get(job)
        return [self.total] if known is None else [self.total, known.counts]

    def _title(self, job: int) -> str:
        known = self._jobs.get(job)
        return "a job that has ended" if known is None else known.title


def many(count: int, one: str, more: str = "") -> str:
    """Return a number of things in words: `1 task`, `3 tasks`."""
    return f"{count} {one if count == 1 else more or one + 's'}"
