"""What a run has come to, counted from its events: jobs, functions, workers. Pure, but for a lock.

Events come with the farm's lock held; who reads takes `lock`, in whatever thread, and copies what
it needs. Nothing is shown or written here.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable, Sequence

from ..tasks.seen import Seen
from .counted import Counts, Function, Held, Job, Worker
from .durations import Durations
from .observer import Observer

SLOWEST = 10
"""Tasks of each function that are remembered as its slowest."""
MOST_ERRORS = 50
"""Texts of errors of a function that are told apart."""
MOST_FUNCTIONS = 1000
"""Functions that are told apart; all further ones are one."""


class Tally(Observer):
    """Counts for one farm. clock: seconds, from whatever moment on."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.lock = threading.RLock()
        """Held while anything changes; to be held while one reads. It may be taken twice: in the
        midst of reading a `__del__` may print, and what is printed asks what stands below it."""
        self._clock = clock
        self.begun = clock()
        self.total = Counts()
        """Of all jobs, those included that have ended."""
        self.nested = Counts()
        """Of these the tasks of tasks that were handed to other workers: how many is chance."""
        self.jobs: dict[int, Job] = {}
        """The open ones."""
        self.functions: dict[str, Function] = {}
        self.workers: dict[int, Worker] = {}
        self.constants = 0
        self.kept = 0
        self.ended: float | None = None
        self.status: int | None = None

    # Workers and jobs.

    def worker_joined(self, worker: int, host: str, pid: int) -> None:
        with self.lock:
            self.workers[worker] = Worker(worker, host, pid, self._clock())

    def worker_lost(self, worker: int, host: str) -> None:
        with self.lock:
            if worker in self.workers:
                self.workers[worker].lost = True
                self.workers[worker].held.clear()

    def job_begun(
        self, job: int, kind: str, name: str, size: int | None, progress: bool | str | None
    ) -> None:
        with self.lock:
            function = self._function(name)
            function.jobs += 1
            known = Durations() if kind == "calls" else function.durations
            begun = Job(job, kind, function, size, progress, self._clock(), known)
            self.jobs[job] = begun
            if size:
                for counts in self._all(begun, function):
                    counts.known += size

    def job_grew(self, job: int, tasks: int) -> None:
        with self.lock:
            if job in self.jobs:
                self._known(self.jobs[job], tasks)

    def job_sized(self, job: int, size: int) -> None:
        with self.lock:
            if job in self.jobs:
                self.jobs[job].size = size
                self._known(self.jobs[job], size - self.jobs[job].counts.known)

    def job_ended(self, job: int) -> None:
        with self.lock:
            ended = self.jobs.pop(job, None)
            if ended is not None and (left := ended.counts.left):
                self._count(ended, known=-left, dropped=left)  # it is no work any more

    # Tasks.

    def tasks_assigned(self, job: int, worker: int, start: int, tasks: int, attempt: int) -> None:
        with self.lock:
            known, holder = self.jobs.get(job), self.workers.get(worker)
            if known is not None and holder is not None:
                for counts in self._all(known, known.function):
                    counts.running += tasks
                stop, now = start + tasks, self._clock()
                holder.held.append(Held(known, known.function, start, stop, attempt, now))

    def tasks_named(self, job: int, worker: int, start: int, name: str) -> None:
        with self.lock:
            held = self._of(job, worker, start)
            if held is not None:
                held.function = self._function(name)
                if len(held.job.called) < 2:
                    held.job.called.add(name)

    def tasks_finished(
        self, job: int, worker: int, start: int, tasks: int, failed: int, seconds: float,
        seen: Seen | None,
    ) -> None:  # fmt: skip
        with self.lock:
            held = self._ran(job, worker, start, tasks, seconds, seen)
            if held is None:
                return
            function = self._named(held, tasks, seen)
            for counts in self._all(held.job, function):
                counts.finished += tasks
                counts.failed += failed
                if job not in self.jobs:  # it was taken for given up
                    counts.known += tasks
                    counts.dropped -= tasks

    def tasks_put_off(
        self, job: int, worker: int, start: int, tasks: int, seconds: float, seen: Seen | None
    ) -> None:
        with self.lock:
            if seconds < 0 and seen is None:  # others of the batch have finished: told next
                held = self._of(job, worker, start)
                if held is not None:
                    held.put_off += tasks
                    self._count(held.job, running=-tasks)
            else:
                held = self._ran(job, worker, start, tasks, seconds, seen)
            if held is not None:
                self._count(held.job, retried=tasks)

    def tasks_handed_back(self, job: int, worker: int, start: int, tasks: int) -> None:
        with self.lock:
            held = self._of(job, worker, start)
            if held is not None:
                self._count(held.job, running=-tasks)
                held.stop = start
                if held.start + held.put_off >= held.stop:
                    self.workers[worker].held.remove(held)
                    self._next_begins(self.workers[worker], self._clock())

    def tasks_recalled(self, job: int, start: int | None, tasks: int) -> None:
        with self.lock:
            if job in self.jobs:
                if start is None:  # a call that was never submitted
                    self._count(self.jobs[job], known=tasks)
                self._count(self.jobs[job], recalled=tasks)

    def tasks_lost(
        self, job: int, worker: int, start: int, tasks: int, attempt: int, late: bool
    ) -> None:
        with self.lock:
            held = self._of(job, worker, start)
            if held is not None:
                self._count(held.job, lost=tasks, running=-tasks)

    def tasks_retried(self, job: int, worker: int, start: int, tasks: int) -> None:
        with self.lock:
            if job in self.jobs:
                self._count(self.jobs[job], retried=tasks)

    def tasks_given_up(self, job: int, worker: int, start: int, tasks: int) -> None:
        with self.lock:
            if job in self.jobs:
                self._count(self.jobs[job], given_up=tasks)

    def task_waits(self, job: int, worker: int, task: int) -> None:
        with self.lock:
            held = self._of(job, worker, task)
            if held is not None:
                held.waits = True
                now = self._clock()
                held.spent += max(now - held.since, 0.0)
                self._next_begins(self.workers[worker], now)

    def task_goes_on(self, job: int, worker: int, task: int) -> None:
        with self.lock:
            held = self._of(job, worker, task)
            if held is not None:
                held.waits, held.since = False, self._clock()

    def constants_set(self, number: int, size: int) -> None:
        self.constants = number

    def outcomes_kept(self, outcomes: int, size: int) -> None:
        self.kept += outcomes

    def farm_closed(self, status: int) -> None:
        self.ended, self.status = self._clock(), status

    # Numbers, with the lock held.

    def _function(self, name: str) -> Function:
        found = self.functions.get(name)
        if found is None:
            name = name if len(self.functions) < MOST_FUNCTIONS else "other functions"
            found = self.functions.setdefault(name, Function(name))
        return found

    def _named(self, held: Held, tasks: int, seen: Seen | None) -> Function:
        """Return the function that tasks are of: where it is not their job's, a worker says it."""
        job, named = held.job, held.function
        if seen is not None and seen.function:
            named = self._function(seen.function)
        if named is not job.function and job.number in self.jobs:
            job.function.counts.known -= tasks
            named.counts.known += tasks
        return named

    def _known(self, job: Job, tasks: int) -> None:
        self._count(job, known=tasks)

    def _count(self, job: Job, **changes: float) -> None:
        for counts in self._all(job, job.function):
            for name, change in changes.items():
                setattr(counts, name, getattr(counts, name) + change)

    def _all(self, job: Job, *functions: Function) -> Sequence[Counts]:
        """Return where tasks of a job are counted, and of functions."""
        found = [job.counts, self.total, *(each.counts for each in functions)]
        if job.kind == "nested":
            found.append(self.nested)
        return found

    def _of(self, job: int, worker: int, task: int) -> Held | None:
        """Return what a worker holds with this task in it."""
        holder = self.workers.get(worker)
        for held in () if holder is None else holder.held:
            if held.job.number == job and held.start <= task < held.stop:
                return held
        return None

    def _ran(
        self, job: int, worker: int, start: int, tasks: int, seconds: float, seen: Seen | None
    ) -> Held | None:
        """Take in that the front of what a worker holds has run; return what it was."""
        held = self._of(job, worker, start)
        if held is None:
            return None
        holder, now = self.workers[worker], self._clock()
        held.job.function.counts.running -= tasks
        function = self._named(held, 0, seen)
        function.counts.batches += held.untimed == 0
        for counts in self._all(held.job):
            counts.running -= tasks
            counts.batches += held.untimed == 0
        held.start += tasks + held.put_off
        held.put_off = 0
        holder.tasks += tasks
        if seconds < 0:
            held.untimed += tasks
            held.spent += max(now - held.since, 0.0)
        else:
            self._timed(held, function, worker, tasks, seconds)
        held.since = now
        if held.start >= held.stop:
            holder.held.remove(held)
            self._next_begins(holder, now)
        if seen is not None:
            self._note(holder, function, seen)
        return held

    def _timed(
        self, held: Held, function: Function, worker: int, tasks: int, seconds: float
    ) -> None:
        """Take in how long tasks have taken, those of front parts before them too."""
        for counts in self._all(held.job, function):
            counts.seconds += seconds
        self.workers[worker].seconds += seconds
        held.spent = 0.0
        if held.job.kind == "calls":
            ran = tasks + held.untimed
            held.job.known.add(seconds / ran, ran)
        if held.untimed and tasks == 1:  # what was cut off in front of a long task was short
            usual = function.durations.quantile(0.5) or seconds / (held.untimed + 1)
            usual = min(usual, seconds / (held.untimed + 1))
            function.durations.add(usual, held.untimed)
            seconds -= usual * held.untimed
        else:
            tasks += held.untimed
        held.untimed = 0
        function.durations.add(seconds / tasks, tasks)
        if tasks == 1:
            slow = (seconds, held.job.number, held.start - 1, worker)
            push = heapq.heappush if len(function.slowest) < SLOWEST else heapq.heappushpop
            push(function.slowest, slow)

    def _next_begins(self, holder: Worker, now: float) -> None:
        running = holder.running()
        if running is not None:
            running.since = now

    def _note(self, holder: Worker, function: Function, seen: Seen) -> None:
        if seen.resident:
            holder.resident = seen.resident
            holder.peak = max(holder.peak, seen.peak)
            function.peak = max(function.peak, seen.peak)
        for count, text in seen.errors:
            known = text in function.errors or len(function.errors) < MOST_ERRORS
            function.errors[text if known else "other errors"] += count
