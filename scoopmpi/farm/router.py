"""Messages of workers to whom they concern: a table by the message's class.

The first step of an outcome's way back. Facts go to the scheduler, outcomes to their job, and first
of all the worker that has become free gets its next batch. Called with the farm's lock held, so
nothing of the user's runs here: what does is added to the callback queue. No decisions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from ..constants.sharing import FarmSharing
from ..scheduling.batching import surely
from ..scheduling.ranges import Batch
from ..scheduling.scheduler import Scheduler
from ..scheduling.weights import LIGHT
from ..tasks.outcomes import OutcomeRange
from ..watching.door import Door
from ..wire import constants_messages, messages, payload
from ..wire.errors import FarmError
from ..wire.messages import Finished
from .callback_queue import CallbackQueue
from .dispatch import Dispatch
from .due import Due
from .failures import Failures
from .finishing import Rounds
from .jobs import Job, Jobs
from .last_worker import LastWorker
from .members import Members
from .put_off import PutOff, without
from .relay import Relay
from .silences import Silences


class Router:
    """The receiving end of one farm."""

    def __init__(
        self,
        scheduler: Scheduler,
        jobs: Jobs,
        dispatch: Dispatch,
        relay: Relay,
        members: Members,
        failures: Failures,
        last_worker: LastWorker,
        silences: Silences,
        sharing: FarmSharing,
        callbacks: CallbackQueue,
        rounds: Rounds,
        put_off: PutOff,
        due: Due,
        door: Door,
        joined: Sequence[Callable[[int], None]],
    ) -> None:
        self._scheduler, self._jobs, self._dispatch = scheduler, jobs, dispatch
        self._relay, self._members, self._failures = relay, members, failures
        self._last_worker = last_worker
        self._silences, self._sharing, self._callbacks = silences, sharing, callbacks
        self._put_off, self._due, self._door = put_off, due, door
        self._joined_too = joined
        self._handlers: Mapping[Any, Callable[[int, Any], None]] = {
            Finished: self._finished,
            messages.Waiting: self._waiting,
            messages.Resumed: self._resumed,
            messages.Offered: relay.offered,
            messages.Revoked: relay.revoked,
            messages.Joined: self._joined,
            constants_messages.SetConstants: sharing.set_for_task,
            constants_messages.BufferRequest: sharing.send_buffers,
            constants_messages.LentRequest: lambda sender, message: sharing.lending.send_buffers(
                sender, message
            ),
            constants_messages.Forgot: lambda sender, message: sharing.lending.forgot(
                sender, message.lent
            ),
            messages.Printed: lambda _, message: callbacks.printed(*message),
            messages.ImportFailed: self._import_failed,
            messages.Rest: rounds.heard,
            messages.Left: lambda sender, _: members.left(sender),
            messages.Lost: self._lost,
        }

    def handle(self, sender: int, message: Any) -> None:
        """Take in one message; they are given in the order in which they come."""
        if sender in self._members.lost:
            return  # it came too late: what it says has been given to others
        if self._silences.watching:
            self._silences.heard(sender, message)
        handler = self._handlers.get(type(message))
        if handler is not None:
            handler(sender, message)

    def tell_of_finished(
        self, before: Callable[[Finished], None], after: Callable[[Finished], None] | None = None
    ) -> None:
        """Have functions hear of tasks that have run, before anything follows from it, and after.

        Outcomes may be on their way to their job still.
        """
        inner = self._handlers[Finished]

        def heard(sender: int, message: Finished) -> None:
            before(message)
            inner(sender, message)
            if after is not None:
                after(message)

        self._handlers = {**self._handlers, Finished: heard}

    def _finished(self, sender: int, message: Finished) -> None:
        """Have the worker get its next batch first, then the caller the outcomes."""
        number, start, stop = message.job, message.start, message.stop
        batch, unstarted = Batch(number, start, stop), None
        if message.unstarted < message.end:
            unstarted = Batch(number, message.unstarted, message.end)
        if message.goes_on:
            self._expect_part(sender, batch)
        else:
            self._due.answered(sender, time.monotonic())
        put_off = self._to_try_again(sender, batch, message.again) if message.again else ()
        frames = message.outcomes
        heard = type(frames) is not bytes or len(frames) >= LIGHT or number in self._scheduler.heavy
        if heard and start < stop:
            each = payload.weight(message.plain, frames) / (stop - start)
            self._scheduler.weighed(number, result=each)
        if assignments := self._scheduler.finished(
            sender, batch, message.seconds, unstarted, put_off, message.goes_on
        ):
            self._dispatch.assigned(assignments)
        if self._door.open:  # before its job may end with these outcomes
            self._tell_finished(sender, message, put_off)
        if start < stop and (job := self._jobs.open.get(number)) is not None:
            part = OutcomeRange(start, stop, message.plain, frames, message.failed)
            for final in without(part, put_off) if put_off else (part,):
                self._answer(job, final)

    def _expect_part(self, sender: int, batch: Batch) -> None:
        """Have the next part of a batch be looked for that goes on, like the one that has come."""
        pace = self._scheduler.pace(batch.job)
        seconds = 0.0 if pace is None else surely(pace, batch.tasks)
        self._due.goes_on(sender, batch.job, seconds, time.monotonic())

    def _to_try_again(self, sender: int, batch: Batch, places: Iterable[int]) -> Sequence[Batch]:
        """Return the tasks that have raised and are run again later."""
        job = self._jobs.open.get(batch.job)
        if job is None:
            return ()
        held = self._scheduler.as_held(sender, batch)
        return self._put_off.taken(job, held, (batch.start + place for place in places))

    def _answer(self, job: Job, part: OutcomeRange) -> None:
        if job.delivery_runs_code:
            self._callbacks.add(partial(job.delivered, part))
        else:
            job.delivered(part)

    def _waiting(self, sender: int, message: messages.Waiting) -> None:
        task = Batch.single(message.job, message.task)
        if self._door.open:
            self._door.task_waits(message.job, sender, message.task)
        self._dispatch.assigned(self._scheduler.waiting(sender, task))

    def _resumed(self, sender: int, message: messages.Resumed) -> None:
        task = Batch.single(message.job, message.task)
        if self._door.open:
            self._door.task_goes_on(message.job, sender, message.task)
        self._dispatch.assigned(self._scheduler.resumed(sender, task))

    def _joined(self, sender: int, message: messages.Joined) -> None:
        self._members.joined(sender, message)
        self._sharing.joined(sender, message.domain)
        if self._door.open:
            self._door.worker_joined(sender, message.host, message.pid)
            if self._door.asks_workers:
                self._dispatch.observe(sender)
        self._dispatch.assigned(self._scheduler.joined(sender))
        for told in self._joined_too:
            told(sender)

    def _import_failed(self, sender: int, message: messages.ImportFailed) -> None:
        if problem := self._members.import_failed(sender, message):
            self._callbacks.add(partial(self._jobs.fail, FarmError(problem)))

    def _lost(self, worker: int, _: messages.Lost) -> None:
        """Have what it held run elsewhere; what its tasks had made comes again with them."""
        self._members.died(worker)
        self._relay.lost(worker)
        self._dispatch.lost(worker)
        self._due.lost(worker)
        self._sharing.lost(worker)
        stopping = self._dispatch.stopping
        successor = None if stopping else self._last_worker.successor(worker)
        expired = self._silences.expired(worker)
        given_up = self._scheduler.given_up(worker, self._failures.retries, expired)
        if not stopping:
            self._failures.tell(worker, given_up, successor)
        if self._door.open:
            self._tell_lost(worker, given_up, expired)
        if self._scheduler.knows(worker):
            self._dispatch.assigned(self._scheduler.lost(worker, given_up))
        for batch in given_up:
            if (job := self._jobs.open.get(batch.job)) is not None:
                self._give_up(job, worker, batch, batch == expired)
        if self._members.none_left:
            self._callbacks.add(partial(self._jobs.fail, self._failures.of_all()))

    def _give_up(self, job: Job, worker: int, batch: Batch, expired: bool) -> None:
        """Give the caller of a task its failure, whose words may run the user's code."""

        def deliver() -> None:
            job.delivered(self._failures.outcome(worker, batch, job, expired))

        if job.delivery_runs_code:
            self._callbacks.add(deliver)
        else:
            deliver()

    # Events, where somebody reads them.

    def _tell_finished(self, worker: int, message: Finished, put_off: Sequence[Batch]) -> None:
        door, number, start = self._door, message.job, message.start
        again = sum(each.tasks for each in put_off)
        tasks, seconds, seen = message.stop - start - again, message.seconds, message.seen
        if again:
            alone = (seconds, seen) if not tasks else (-1.0, None)
            door.tasks_put_off(number, worker, start, again, *alone)
        if tasks:
            failed = len(message.failed) - again
            door.tasks_finished(number, worker, start, tasks, failed, seconds, seen)
        if start < message.stop:
            door.tasks_ran(number, worker, start, message.stop - start, message.log)
        if message.unstarted < message.end:
            back = message.unstarted
            door.tasks_handed_back(number, worker, back, message.end - back)

    def _tell_lost(self, worker: int, given_up: Sequence[Batch], expired: Batch | None) -> None:
        door, blamed = self._door, self._scheduler.blamed(worker)
        for batch in self._scheduler.held(worker) if self._scheduler.knows(worker) else ():
            job, start, tasks = batch.job, batch.start, batch.tasks
            door.tasks_lost(job, worker, start, tasks, batch.attempt, batch == expired)
            if batch in given_up:
                door.tasks_given_up(job, worker, start, tasks)
            elif batch in blamed:
                door.tasks_retried(job, worker, start, tasks)
        door.worker_lost(worker, self._members.host(worker))
