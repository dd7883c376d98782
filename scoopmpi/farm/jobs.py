"""What the farm needs of a job, and the jobs that are open.

A map (`map_job`), the submitted calls (`calls`) and tasks that a worker has offered (`offers`) are
alike to dispatch, router and failures: nobody there asks which kind a job is.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Set
from typing import Final, Protocol

from ..tasks.outcomes import OutcomeRange
from ..tasks.packed import Function, Tasks
from ..tasks.wrapped import Retry
from ..watching.door import Door
from ..watching.observer import Observer
from ..wire.messages import Origin
from .map_job import MapJob


class Job(Protocol):
    """Tasks with numbers from 0 on, which go out packed and whose outcomes come back packed."""

    @property
    def number(self) -> int:
        """Return the number of the job on this farm."""

    @property
    def kind(self) -> str:
        """Return what it is to readers of events: "map", "calls" or "nested"."""

    @property
    def name(self) -> str:
        """Return the name of its function, for messages."""

    @property
    def size(self) -> int | None:
        """Return how many tasks it has, as far as that is known."""

    @property
    def progress(self) -> bool | str | None:
        """Return what the program has said of a bar for it: to show it or not, or its title."""

    @property
    def function(self) -> Function | None:
        """Return the function of all its tasks; None where each brings its own."""

    @property
    def origin(self) -> Origin | None:
        """Return who has made it, for its tasks to know; None where each call has that itself."""

    @property
    def first(self) -> int:
        """Return the index that the user knows its task 0 by."""

    @property
    def packing_runs_code(self) -> bool:
        """True where packing tasks runs the user's code: not with the farm's lock held, then."""

    @property
    def delivery_runs_code(self) -> bool:
        """True where taking outcomes runs the user's code: not with the farm's lock held, then."""

    def limit(self, task: int, /) -> float | None:
        """Return the seconds that a task may take, None where there is no limit."""

    def retry(self, task: int, /) -> Retry | None:
        """Return how a task that raises is tried again, None where it is not."""

    def words(self, task: int, /) -> str:
        """Return a task's function, index and arguments in the words of messages.

        May run the user's code where taking outcomes does.
        """

    def packed(self, start: int, stop: int, /) -> Tasks:
        """Return the tasks `start` to `stop - 1` as they are sent."""

    def delivered(self, part: OutcomeRange, /) -> None:
        """Take outcomes that have come."""

    def failed(self, error: BaseException, /) -> None:
        """Take in that no outcome will come any more."""

    def closed(self) -> None:
        """Take in that the farm has forgotten this job; with the farm's lock held."""


class Jobs:
    """The jobs of one farm that are open.

    door: told of each that begins, grows or ends.
    """

    def __init__(self, door: Door) -> None:
        self._door = door
        self._open: dict[int, Job] = {}
        self._maps: dict[int, MapJob] = {}
        self.open: Final[Mapping[int, Job]] = self._open
        """All of them, by number."""
        self.maps: Final[Mapping[int, MapJob]] = self._maps
        """The maps among them."""
        self._unsized: set[int] = set()
        self.unsized: Final[Set[int]] = self._unsized
        """The maps of which readers do not know how many tasks they have."""
        self.new_number = itertools.count().__next__
        """Gives the number of the next job: 0 for all submitted calls, then one for each map."""
        self.new_offer = itertools.count(-1, -1).__next__
        """Gives that of the next offer, below 0: maps keep the numbers that users count by."""
        self.error: BaseException | None = None
        """Why no job can go on any more."""

    def add(self, job: Job) -> None:
        """Open a job."""
        self._open[job.number] = job
        if self._door.open:
            self._tell_begun(job, self._door)

    def _tell_begun(self, job: Job, reader: Observer) -> None:
        reader.job_begun(job.number, job.kind, job.name, job.size, job.progress)

    def add_map(self, job: MapJob) -> None:
        """Open a map."""
        self._maps[job.number] = job
        if job.size is None:
            self._unsized.add(job.number)
        self.add(job)

    def close(self, number: int) -> Job | None:
        """Forget a job, and return it; None where it was forgotten before."""
        self._maps.pop(number, None)
        self._unsized.discard(number)
        job = self._open.pop(number, None)
        if job is not None and self._door.open:
            self._door.job_ended(number)
        return job

    def recalled(self, number: int, start: int | None, tasks: int) -> None:
        """Tell the readers of tasks from `start` on whose outcomes a checkpoint knows."""
        if self._door.open:
            self._door.tasks_recalled(number, start, tasks)

    def grew(self, number: int, tasks: int) -> None:
        """Tell the readers that a job of unknown size has so many more tasks."""
        if self._door.open and tasks:
            self._door.job_grew(number, tasks)

    def read_further(self, job: MapJob, tasks: int) -> None:
        """Tell the readers that so many more tasks were read from a map's iterators, or no more."""
        if job.number in self._unsized:
            self.grew(job.number, tasks)
            if job.size is not None:
                self._unsized.discard(job.number)
                if self._door.open:
                    self._door.job_sized(job.number, job.size)

    def tell(self, reader: Observer) -> None:
        """Tell a reader who comes late of all jobs that are open."""
        for job in self._open.values():
            self._tell_begun(job, reader)

    def fail(self, error: BaseException) -> None:
        """Give every caller the error, from whatever thread: nothing can go on."""
        self.error = error
        for job in list(self._open.values()):
            job.failed(error)

    def __len__(self) -> int:
        return len(self._open)
