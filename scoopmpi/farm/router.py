"""What rank 0 does with each message of a worker: a table by the message's class.

Facts go to the scheduler, outcomes to whoever waits for them, and first of all the worker that has
become free gets its next batch. Called with the farm's lock held, so nothing of the user's runs
here: what does is added to the deliveries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ..constants.sharing import FarmSharing
from ..scheduling.ranges import Batch
from ..scheduling.scheduler import Scheduler
from ..tasks.outcomes import OutcomeRange
from ..wire import messages
from ..wire.errors import FarmError
from ..wire.messages import Finished
from .callback_queue import CallbackQueue
from .calls import CallStream
from .dispatch import Dispatch, Job
from .failures import Failures
from .map_job import MapJob
from .members import Members
from .offers import Offer
from .relay import Relay
from .resting import Resting


class Router:
    """The receiving end of one farm.

    deliver: hands outcomes to a job of rank 0's own. fail: nothing can go on.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        dispatch: Dispatch,
        relay: Relay,
        members: Members,
        failures: Failures,
        sharing: FarmSharing,
        callbacks: CallbackQueue,
        resting: Resting,
        deliver: Callable[[int, MapJob | CallStream, OutcomeRange], None],
        fail: Callable[[BaseException], None],
    ) -> None:
        self._scheduler, self._dispatch, self._relay = scheduler, dispatch, relay
        self._members, self._failures, self._sharing = members, failures, sharing
        self._callbacks, self._deliver, self._fail = callbacks, deliver, fail
        self._handlers: Mapping[Any, Callable[[int, Any], None]] = {
            Finished: self._finished,
            messages.Waiting: self._waiting,
            messages.Resumed: self._resumed,
            messages.Offered: relay.offered,
            messages.Revoked: lambda sender, message: relay.revoked(sender, message.job),
            messages.Joined: self._joined,
            messages.SetConstants: sharing.set_for_task,
            messages.BufferRequest: sharing.send_buffers,
            messages.Printed: lambda _, message: callbacks.printed(*message),
            messages.ImportFailed: self._import_failed,
            messages.Rest: resting.heard,
            messages.Left: lambda sender, _: members.left(sender),
            messages.Lost: self._lost,
        }

    def handle(self, sender: int, message: Any) -> None:
        """One message, in the order in which they come."""
        if sender in self._members.lost:
            return  # it came too late: what it says has been given to others
        self._dispatch.heard(sender, message)
        handler = self._handlers.get(type(message))
        if handler is not None:
            handler(sender, message)

    def _finished(self, sender: int, message: Finished) -> None:
        """First the next batch for the worker, then the outcomes for the caller."""
        number, start, stop = message.job, message.start, message.stop
        back = None
        if message.unstarted < message.end:
            back = Batch(number, message.unstarted, message.end)
        batch = Batch(number, start, stop)
        self._dispatch.assigned(self._scheduler.finished(sender, batch, message.seconds, back))
        job = self._dispatch.jobs.get(number)
        if job is not None and start < stop:
            part = OutcomeRange(start, stop, message.plain, message.outcomes, message.failed)
            self._answer(number, job, part)

    def _answer(self, number: int, job: Job, part: OutcomeRange) -> None:
        if isinstance(job, Offer):
            self._relay.returned(number, job, part)
        else:
            self._callbacks.add(partial(self._deliver, number, job, part))

    def _waiting(self, sender: int, message: messages.Waiting) -> None:
        self._dispatch.assigned(self._scheduler.waiting(sender, Batch.single(*message)))

    def _resumed(self, sender: int, message: messages.Resumed) -> None:
        self._dispatch.assigned(self._scheduler.resumed(sender, Batch.single(*message)))

    def _joined(self, sender: int, message: messages.Joined) -> None:
        self._members.joined(sender, message)
        self._sharing.joined(sender, message.domain)
        self._dispatch.assigned(self._scheduler.joined(sender))

    def _import_failed(self, sender: int, message: messages.ImportFailed) -> None:
        if problem := self._members.import_failed(sender, message):
            self._callbacks.add(partial(self._fail, FarmError(problem)))

    def _lost(self, worker: int, _: messages.Lost) -> None:
        """What it held runs elsewhere, what its tasks had made comes again with them."""
        self._relay.lost(worker)
        overdue = self._dispatch.lost(worker)
        self._sharing.lost(worker)
        self._members.died(worker)
        given_up = self._failures.given_up(self._scheduler.blamed(worker), overdue)
        if not self._dispatch.stopping:
            self._failures.tell(worker, given_up)
        if self._scheduler.knows(worker):
            self._dispatch.assigned(self._scheduler.lost(worker, given_up))
        jobs = self._dispatch.jobs
        for number, job, part in self._failures.outcomes(worker, given_up, jobs, overdue):
            self._answer(number, job, part)
        if self._members.none_left:
            self._callbacks.add(partial(self._fail, self._failures.of_all()))
