"""Assignments to messages: the tasks of a batch are packed and sent to its worker.

Calls and offers came packed and are sent at once, with the farm's lock held. Packing the tasks of
a map runs the user's code, so those wait here until a thread drives that may do so without it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import TypeAlias

from .calls import CallStream
from .functions import Functions
from .job import MapJob, Tasks
from .messages import Run
from .nests.offers import Offer
from .ranges import Batch
from .scheduler import Assignment, Scheduler
from .section import Section
from .transport import Transport

Job: TypeAlias = MapJob | CallStream | Offer


class Dispatch:
    """Sends the batches of one farm.

    jobs: those that are open, by number.
    constants: says how many have been set; a batch waits at the worker until it has as many.
    """

    def __init__(
        self,
        transport: Transport,
        scheduler: Scheduler,
        section: Section,
        jobs: Mapping[int, Job],
        constants: Callable[[], int],
    ) -> None:
        self.functions = Functions()
        self.stopping = False
        """Stop must stay the last message to a worker."""
        self._transport = transport
        self._scheduler = scheduler
        self._section = section
        self._jobs = jobs
        self._constants = constants
        self._outbox: deque[Assignment] = deque()

    def assigned(self, assignments: list[Assignment]) -> None:
        """The scheduler has decided; with the farm's lock held."""
        for assignment in assignments:
            if self.stopping:
                return
            number, start, stop, _ = assignment.batch
            job = self._jobs.get(number)
            if isinstance(job, MapJob):
                self._outbox.append(assignment)
            else:
                self._send(assignment, job, None if job is None else job.packed(start, stop))

    def pack_and_send(self) -> None:
        """What waits; without the lock."""
        with self._section.uninterrupted():
            while self._outbox:
                try:
                    assignment = self._outbox.popleft()
                except IndexError:
                    return  # another thread was faster
                batch = assignment.batch
                job = self._jobs.get(batch.job)
                tasks = None if job is None else job.packed(batch.start, batch.stop)
                with self._section:
                    self._send(assignment, job, tasks)

    def __len__(self) -> int:
        return len(self._outbox)

    def _send(self, assignment: Assignment, job: Job | None, tasks: Tasks | None) -> None:
        worker, batch, budget = assignment
        number, start, stop = batch.job, batch.start, batch.stop
        if self.stopping:
            return
        if job is None or tasks is None or number not in self._jobs:  # cancelled meanwhile
            nothing = Batch(number, start, start)
            self.assigned(self._scheduler.finished(worker, nothing, -1.0, batch))
            return
        key, code = self.functions.sent(number, worker)
        constants = self._constants()
        run = Run(number, start, stop, budget, constants, key, code, tasks.plain, tasks.frames)
        self._transport.send(worker, run)
