"""The open jobs, and assignments to messages: a batch's tasks are packed and sent to its worker.

Calls and offers came packed and are sent at once, with the farm's lock held. Packing the tasks of
a map runs the user's code, so those wait here until a thread drives that may do so without it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias

from ..concurrency.periods import GRACE_SECONDS
from ..concurrency.signal_lock import SignalLock
from ..scheduling.ranges import Batch
from ..scheduling.scheduler import Assignment, Scheduler
from ..tasks.packed import Function, Tasks
from ..wire.messages import Forget, Lost, Printed, Reconfigured, Run
from ..wire.transport import Transport
from .calls import CallStream
from .functions import Functions
from .map_job import MapJob
from .offers import Offer

SLACK = 1.0
"""Seconds that a worker may have been heard of after its task began: a batch's budget, at most."""
Job: TypeAlias = MapJob | CallStream | Offer


class Dispatch:
    """Sends the batches of one farm.

    constants: says how many have been set; a batch waits at the worker until it has as many.
    """

    def __init__(
        self,
        transport: Transport,
        scheduler: Scheduler,
        lock: SignalLock,
        constants: Callable[[], int],
    ) -> None:
        self.functions = Functions()
        self.stopping = False
        """Stop must stay the last message to a worker."""
        self._transport = transport
        self._scheduler = scheduler
        self._lock = lock
        self.jobs: dict[int, Job] = {}
        """Those that are open, by number."""
        self._latest = 0
        self._constants = constants
        self._outbox: deque[Assignment] = deque()
        self._lost: set[int] = set()
        self.silent: dict[int, float] | None = None
        """Since when each worker has had a batch and said nothing; None until a task has a limit.
        """

    def opened(self, job: Job, function: Function | None = None) -> int:
        """A job begins, with no tasks yet: its number."""
        self._latest += 1
        self.jobs[self._latest] = job
        if function is not None:
            self.functions.opened(self._latest, function)
        self._scheduler.submitted(self._latest, 0)
        return self._latest

    def offered(self, offer: Offer) -> int:
        """Tasks of a nested job, ahead of all others, as their parents wait for them."""
        number = self.opened(offer, offer.function)
        self.assigned(self._scheduler.submitted(number, offer.tasks, ahead=True))
        return number

    def heard(self, worker: int, message: Any) -> None:
        """A message has come; a print comes while a task goes on, a loss is no sign of life."""
        if self.silent is not None and not isinstance(message, Printed | Lost):
            self.silent[worker] = time.monotonic()

    def _overdue(self, worker: int) -> Batch | None:
        """The single task that a worker ran when it died, if that was for want of a sign of life.

        One that reacts to its limit has answered long before.
        """
        batch = self._scheduler.running(worker) if self._scheduler.knows(worker) else None
        if batch is None or batch.tasks > 1 or self.silent is None or batch.job not in self.jobs:
            return None
        limit = self.jobs[batch.job].limit(batch.start)
        since = self.silent.get(worker)
        if limit is None or since is None:
            return None
        late = time.monotonic() - since >= limit + GRACE_SECONDS - SLACK
        return batch if late else None

    def closed(self, number: int) -> Job | None:
        """Nobody wants more of a job, which may be known already; workers forget its function."""
        job = self.jobs.pop(number, None)
        if job is not None:
            self._scheduler.cancelled(number)
            key, holders = self.functions.closed(number)
            for worker in () if self.stopping else holders:
                self._transport.send(worker, Forget(key))
        return job

    def assigned(self, assignments: list[Assignment]) -> None:
        """The scheduler has decided; with the farm's lock held."""
        for assignment in assignments:
            if self.stopping:
                return
            number, start, stop, _ = assignment.batch
            job = self.jobs.get(number)
            if isinstance(job, MapJob):
                self._outbox.append(assignment)
            else:
                self._send(assignment, job, None if job is None else job.packed(start, stop))

    def lost(self, worker: int) -> Batch | None:
        """A worker has died: nothing is sent to it any more. The task that outlived its limit."""
        self._lost.add(worker)
        self.functions.lost(worker)
        return self._overdue(worker)

    def reconfigured(self, stream: int, settings: dict[str, Any]) -> None:
        """Text of tasks on stdout (1) or stderr (2) is to become bytes as it does here."""
        with self._lock:
            for worker in () if self.stopping else range(1, self._transport.size):
                if worker not in self._lost:
                    self._transport.send(worker, Reconfigured(stream, settings))

    def pack_and_send(self) -> None:
        """What waits; without the lock."""
        with self._lock.uninterrupted():
            while self._outbox:
                try:
                    assignment = self._outbox.popleft()
                except IndexError:
                    return  # another thread was faster
                batch = assignment.batch
                job = self.jobs.get(batch.job)
                tasks = None if job is None else job.packed(batch.start, batch.stop)
                with self._lock:
                    self._send(assignment, job, tasks)

    def __len__(self) -> int:
        return len(self._outbox)

    def _send(self, assignment: Assignment, job: Job | None, tasks: Tasks | None) -> None:
        worker, batch, budget = assignment
        number, start, stop = batch.job, batch.start, batch.stop
        if self.stopping or worker in self._lost:
            return
        if job is None or tasks is None or number not in self.jobs:  # cancelled meanwhile
            nothing = Batch(number, start, start)
            self.assigned(self._scheduler.finished(worker, nothing, -1.0, batch))
            return
        key, code = self.functions.sent(number, worker)
        constants = self._constants()
        run = Run(number, start, stop, budget, constants, key, code, tasks.plain, tasks.frames)
        self._transport.send(worker, run)
        if self.silent is None and job.limit(start) is not None:
            self.silent = {}
        if self.silent is not None and len(self._scheduler.held(worker)) == 1:
            self.silent[worker] = time.monotonic()
