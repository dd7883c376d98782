"""Assignments to messages: the tasks of a batch are packed and sent to its worker.

The last step of a task's way out. Where packing runs the user's code, as for maps, a batch waits
here until a thread drives that may pack without the farm's lock; all else is packed and sent at
once, as that runs nobody's code. Which worker gets what is not decided here (`scheduling`).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from ..concurrency.signal_lock import SignalLock
from ..concurrency.signal_scopes import uninterrupted
from ..constants.sharing import FarmSharing
from ..scheduling.ranges import Batch
from ..scheduling.scheduler import Assignment, Scheduler
from ..scheduling.weights import LIGHT
from ..tasks.packed import Tasks
from ..watching.door import Door
from ..wire import payload
from ..wire.messages import Forget, Observe, Reconfigured, Run, Stop, ToWorker
from ..wire.transport import Transport
from .calls import CallStream
from .due import Due
from .functions import Functions
from .jobs import Job, Jobs
from .members import Members
from .paces import Paces
from .silences import Silences


class Dispatch:
    """Sends the batches of one farm.

    lock: the farm's. sharing: a batch waits at the worker until it has as many constants as these,
        and what was lent to it.
    """

    def __init__(
        self,
        transport: Transport,
        scheduler: Scheduler,
        lock: SignalLock,
        jobs: Jobs,
        members: Members,
        silences: Silences,
        sharing: FarmSharing,
        paces: Paces,
        due: Due,
        door: Door,
    ) -> None:
        self._transport, self._scheduler, self._lock = transport, scheduler, lock
        self._jobs, self._members, self._silences = jobs, members, silences
        self._sharing, self._door = sharing, door
        self._paces, self._due = paces, due
        self._functions = Functions()
        self.within: Callable[[Batch], float | None] | None = None
        """Says within how many seconds tasks may begin, where the time is looked at."""
        self.stopping = False
        """True when Stop was sent, which must stay the last message to a worker."""
        self.outbox: deque[Assignment] = deque()
        """Batches that wait for a thread that may pack them."""

    def assigned(self, assignments: Sequence[Assignment]) -> None:
        """Send what the scheduler has decided, or have it wait; with the farm's lock held."""
        for assignment in assignments:
            if self.stopping:
                return
            batch = assignment.batch
            job = self._jobs.open.get(batch.job)
            if self._door.open:
                self._tell(assignment, job)
            if job is None:
                self._send(assignment, None, None)
            elif job.packing_runs_code:
                self.outbox.append(assignment)
            else:
                self._send(assignment, job, job.packed(batch.start, batch.stop))

    def _tell(self, assignment: Assignment, job: Job | None) -> None:
        batch, worker = assignment.batch, assignment.worker
        self._door.tasks_assigned(batch.job, worker, batch.start, batch.tasks, batch.attempt)
        if isinstance(job, CallStream) and (name := job.called(batch.start, batch.stop)):
            self._door.tasks_named(batch.job, worker, batch.start, name)

    def pack_and_send(self) -> None:
        """Pack and send what waits; without the lock."""
        with uninterrupted:
            while self.outbox:
                try:
                    assignment = self.outbox.popleft()
                except IndexError:
                    return  # another thread was faster
                batch = assignment.batch
                job = self._jobs.open.get(batch.job)
                tasks = None if job is None else job.packed(batch.start, batch.stop)
                with self._lock:
                    self._send(assignment, job, tasks)
                    if tasks is not None and tasks.lent:
                        self._sharing.lending.give_back(tasks.lent)
                        self.forget_lent()

    def _send(self, assignment: Assignment, job: Job | None, tasks: Tasks | None) -> None:
        worker, batch = assignment.worker, assignment.batch
        number = batch.job
        if self.stopping or worker in self._members.lost:
            return
        if job is None or tasks is None or number not in self._jobs.open:  # cancelled meanwhile
            nothing = batch._replace(stop=batch.start)
            if self._door.open:
                self._door.tasks_handed_back(number, worker, batch.start, batch.tasks)
            self.assigned(self._scheduler.finished(worker, nothing, -1.0, batch))
            return
        frames = tasks.frames
        if type(frames) is not bytes or len(frames) >= LIGHT or number in self._scheduler.heavy:
            each = payload.weight(tasks.plain, frames) / (batch.stop - batch.start)
            self._scheduler.weighed(number, arguments=each)
        limit, key, code = job.limit(batch.start), 0, None
        lent = tasks.lent
        if (function := job.function) is not None:
            key, code = self._functions.sent(number, function, worker)
            lent = (*lent, *function.lent) if function.lent else lent
        if lent:
            self._sharing.lending.send_to(worker, lent)
        run = Run(
            number, batch.start, batch.stop, assignment.budget, self._sharing.store.count,
            key, code, tasks.plain, frames, batch.attempt, job.origin, lent,
            None if self.within is None else self.within(batch),
        )  # fmt: skip
        self._transport.send(worker, run)
        self._due.given(assignment, time.monotonic())
        if limit is not None or self._silences.watching:
            self._silences.given(worker, limit)

    def closed(self, number: int) -> None:
        """Forget a job, if that was not done before; workers forget its function."""
        self._paces.closed(number)
        job = self._jobs.close(number)
        if job is None:
            return
        self._scheduler.cancelled(number)
        key, holders = self._functions.closed(number)
        for worker in () if self.stopping else holders:
            self._transport.send(worker, Forget(key))
        job.closed()
        self.forget_lent()

    def forget_lent(self) -> None:
        """Have workers forget what was lent to tasks, and no task refers to any more."""
        if self.stopping:  # they leave, and forget all
            self._sharing.retired.clear()
        elif self._sharing.retired:
            self._sharing.lending.forget_retired()

    def lost(self, worker: int) -> None:
        """Note that a worker has died, and what it knew with it."""
        self._functions.lost(worker)

    def reconfigured(self, stream: int, settings: dict[str, Any]) -> None:
        """Have text of tasks on stdout (1) or stderr (2) become bytes as it does here."""
        with self._lock:
            self.send_all(Reconfigured(stream, settings))

    def send_all(self, message: ToWorker) -> None:
        """Send a message to all workers; with the farm's lock held."""
        for worker in range(1, self._transport.size):
            self.send(worker, message)

    def send(self, worker: int, message: ToWorker) -> None:
        """Send a message to a worker that is there; with the farm's lock held."""
        if not self.stopping and worker not in self._members.lost:
            self._transport.send(worker, message)

    def observe(self, worker: int) -> None:
        """Have a worker say more of its batches from now on, for those who read events."""
        self.send(worker, Observe())

    def stop(self) -> None:
        """Tell all workers to leave, whatever they do; with the farm's lock held."""
        self.stopping = True
        for worker in range(1, self._transport.size):
            self._transport.send(worker, Stop())

    def __len__(self) -> int:
        return len(self.outbox)
