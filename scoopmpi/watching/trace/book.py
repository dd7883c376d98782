"""What stands in a trace: made of the farm's events, one after the other, in a thread of its own.

Each event is heard with the time at which it was told. Which batches there are and where is kept
here; what they look like in the file is made in `batches`, and what is counted is counted by a
tally. No files here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ...tasks.seen import Seen
from ..observer import Observer
from ..tally import Tally
from . import form, totals
from .batches import SHOWN, BatchSpans
from .clocks import HostClock
from .counters import Counters
from .jobs import JobLives
from .marks import Marks
from .places import Held, Place
from .rations import MORE_SPANS, SHORTEST, SPANS, Ration
from .spans import Spans


class Book(Observer):
    """The events of one run, as they stand in its trace.

    out: takes them, a line each. began: when the run has begun, in seconds since 1970.
    host: of rank 0. full: spans that are told one by one.
    """

    def __init__(
        self, out: Callable[[str], None], began: float, host: str, full: int = SPANS
    ) -> None:
        self._out, self._began, self.now = out, began, began
        self.tally = Tally(lambda: self.now)
        self.spans = Spans(out, Ration(full, max(1, full * MORE_SPANS // SPANS), SHORTEST))
        self._jobs, self._marks, self._counters = JobLives(out), Marks(out), Counters(out)
        self._batches = BatchSpans(out, self.spans, self._jobs, self._us)
        self._clocks: dict[str, HostClock] = {}
        self._processes: dict[str, int] = {}
        self._places: dict[int, Place] = {}
        self._name(0, None, f"rank 0 on {host}")

    def hear(self, at: float, event: str, facts: tuple[Any, ...]) -> None:
        """Hear an event by its name, that was told at a time."""
        self.now = at
        getattr(self, event)(*facts)
        getattr(self.tally, event)(*facts)
        if self._counters.due(ts := self._us(at)):
            self._count(ts)

    def _us(self, at: float) -> int:
        """Return a time by rank 0's clock as it stands in the file."""
        return round((at - self._began) * 1e6)

    def _name(self, process: int, thread: int | None, name: str) -> None:
        for line in form.named(process, thread, name):
            self._out(line)

    # Workers.

    def worker_joined(self, worker: int, host: str, pid: int) -> None:
        process = self._processes.get(host)
        if process is None:
            process = self._processes[host] = len(self._processes) + 1
            self._clocks[host] = HostClock()
            self._name(process, None, host)
        until = max(self._us(self.now), 0)
        self._places[worker] = Place(process, worker, until, clock=self._clocks[host])
        self._name(process, worker, f"worker {worker} (pid {pid})")
        self._out(form.mark(until, form.RUN, "joined", {"pid": pid}, process, worker))

    def worker_lost(self, worker: int, host: str) -> None:
        place = self._places.get(worker)
        if place is not None:
            place.held.clear()
            self._mark(form.LOSS, f"worker {worker} is lost", place, worker=worker)

    # Jobs.

    def job_begun(
        self, job: int, kind: str, name: str, size: int | None, progress: bool | str | None
    ) -> None:
        self._jobs.begun(self._us(self.now), job, kind, name, size)

    def job_ended(self, job: int) -> None:
        known = self.tally.jobs.get(job)
        args = {} if known is None else totals.of_job(known.counts)
        self._jobs.ended(self._us(self.now), job, args)

    # Tasks.

    def tasks_assigned(self, job: int, worker: int, start: int, tasks: int, attempt: int) -> None:
        if worker in self._places:
            held = Held(job, start, start + tasks, attempt, self.now)
            self._places[worker].held.append(held)
        self._jobs.used(self._us(self.now), job)

    def tasks_named(self, job: int, worker: int, start: int, name: str) -> None:
        held = self._of(job, worker, start)[1]
        if held is not None:
            held.called = name

    def tasks_finished(
        self, job: int, worker: int, start: int, tasks: int, failed: int, seconds: float,
        seen: Seen | None,
    ) -> None:  # fmt: skip
        place, held = self._of(job, worker, start)
        if place is not None:
            held = held or Held(job, start, start + tasks)
            self._batches.ran(self.now, place, held, tasks, failed, seconds, seen)

    def tasks_put_off(
        self, job: int, worker: int, start: int, tasks: int, seconds: float, seen: Seen | None
    ) -> None:
        place, held = self._of(job, worker, start)
        self._mark(
            form.RETRY, f"{self._tasks(job, tasks)} tried again", place,
            worker=worker, job=job, tasks=tasks,
        )  # fmt: skip
        if place is None or held is None:
            return
        held.again += tasks
        held.unmoved += tasks
        if seen is not None or seconds >= 0:  # else others of the batch have finished: it follows
            self._batches.ran(self.now, place, held, 0, 0, seconds, seen)

    def tasks_handed_back(self, job: int, worker: int, start: int, tasks: int) -> None:
        place, held = self._of(job, worker, start)
        if place is not None and held is not None:
            held.stop, held.cut = start, True
            if held.start + held.unmoved >= held.stop:
                place.drop(held)

    def tasks_lost(
        self, job: int, worker: int, start: int, tasks: int, attempt: int, late: bool
    ) -> None:
        place, held = self._of(job, worker, start)
        if place is not None and held is not None:
            if held is place.running():
                self._batches.unended(self.now, place, held, form.LOST)
            for each in place.held:  # those behind it have not begun
                each.waits = True
        self._mark(
            form.LOSS, f"{self._tasks(job, tasks)} lost with worker {worker}", place,
            worker=worker, job=job, start=start, tasks=tasks, attempt=attempt, late=late,
        )  # fmt: skip

    def tasks_retried(self, job: int, worker: int, start: int, tasks: int) -> None:
        self._mark(
            form.RETRY, f"{self._tasks(job, tasks)} tried again", None,
            worker=worker, job=job, start=start, tasks=tasks,
        )  # fmt: skip

    def tasks_given_up(self, job: int, worker: int, start: int, tasks: int) -> None:
        self._mark(
            form.LOSS, f"{self._tasks(job, tasks)} given up", None,
            worker=worker, job=job, start=start, tasks=tasks,
        )  # fmt: skip

    def task_waits(self, job: int, worker: int, task: int) -> None:
        _, held = self._of(job, worker, task)
        if held is not None:
            held.waits = True

    def task_goes_on(self, job: int, worker: int, task: int) -> None:
        _, held = self._of(job, worker, task)
        if held is not None:
            held.waits = False

    def _of(self, job: int, worker: int, task: int) -> tuple[Place | None, Held | None]:
        place = self._places.get(worker)
        return place, None if place is None else place.of(job, task)

    def _tasks(self, job: int, tasks: int) -> str:
        return f"{tasks} {'task' if tasks == 1 else 'tasks'} of {self._jobs[job].function}"

    # Marks.

    def constants_set(self, number: int, size: int) -> None:
        self._mark(form.CONSTANTS, "constants set", None, number=number, bytes=size)

    def outcomes_kept(self, outcomes: int, size: int) -> None:
        kept = self.tally.kept + outcomes
        self._mark(
            form.CHECKPOINT, "checkpoint", None, outcomes=outcomes, bytes=size, outcomes_in_all=kept
        )

    def job_paused(self, job: int, paused: bool) -> None:
        what = "held back" if paused else "goes on"
        self._mark(form.STOP, f"{self._jobs[job].title} {what}", None, job=job, paused=paused)

    def program_stopped(self, left: int, seconds: float) -> None:
        self._mark(form.STOP, "stopped before the end of the job", None, left=left, seconds=seconds)

    def _mark(self, cat: str, name: str, place: Place | None, **args: Any) -> None:
        self._marks.add(self._us(self.now), cat, name, args, place)

    # From time to time.

    def look(self, now: float) -> None:
        """Have that in the file which has waited long enough, and the counters."""
        self.now, ts = now, self._us(now)
        before = self._us(now - max(self.spans.ration.shortest, SHOWN))
        for place in self._places.values():
            self.spans.rest(place, before)
        self._jobs.look(ts)
        if self._counters.due(ts):
            self._count(ts)
        self._counters.load(ts)

    def _count(self, ts: int) -> None:
        total = self.tally.total
        busy = sum(place.running() is not None for place in self._places.values())
        self._counters.tell(ts, busy, max(total.left - total.running, 0))

    def running(self) -> Iterable[str]:
        """Yield the spans of batches that run now, and have for a while."""
        for place in self._places.values():
            line = self._batches.running(self.now, place)
            if line is not None:
                yield line

    def close(self, now: float, status: int, ends: float | None = None) -> None:
        """Have the rest in the file, and the numbers of the whole run.

        status: of the program. ends: when the batch job is ended, where that is known.
        """
        self.look(now)
        ts = self._us(now)
        for place in self._places.values():
            held = place.running()
            if held is not None:
                self._batches.unended(now, place, held, form.RUNNING)
            self.spans.rest(place)
        for job in self._jobs.open():
            self.job_ended(job)
        left_out = dict(self._marks.left_out)
        if self._jobs.left_out:
            left_out[form.JOB] = self._jobs.left_out
        said = {
            "status": status, "coarsened": self.spans.ration.shortest, "left_out": left_out,
            "ends": ends,
        }  # fmt: skip
        self._out(
            form.mark(ts, form.RUN, "end", said | totals.of_run(self.tally, now - self._began))
        )
