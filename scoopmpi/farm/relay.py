"""Nested tasks on their way through rank 0: offers taken in, outcomes returned, owners told.

Everything here is called with the farm's lock held.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..scheduling.scheduler import Scheduler
from ..tasks.outcomes import OutcomeRange
from ..wire.messages import Ceased, Offered, Revoked, StealRequest
from ..wire.transport import Transport
from .dispatch import Dispatch
from .jobs import Jobs
from .offers import NestedJob, Offer, Offers


class Relay:
    """Passes tasks between workers: the offers of one farm."""

    def __init__(
        self,
        transport: Transport,
        scheduler: Scheduler,
        jobs: Jobs,
        dispatch: Dispatch,
        offers: Offers,
    ) -> None:
        self._transport, self._scheduler = transport, scheduler
        self._jobs, self._dispatch, self._offers = jobs, dispatch, offers
        self._revoked: dict[NestedJob, set[int]] = {}
        self.revoked_jobs: Final[Mapping[NestedJob, set[int]]] = self._revoked
        """Nested jobs that nobody wants, and our numbers of what may still run of each."""

    def offered(self, sender: int, message: Offered) -> None:
        """Take in tasks of a nested job, ahead of all others, as their parents wait for them."""
        number = self._jobs.new_offer()
        offer = Offer(number, sender, message, self._returned, self._offers.closed)
        self._jobs.add(offer)
        self._offers.opened(offer)
        self._dispatch.assigned(self._scheduler.submitted(number, offer.tasks, ahead=True))

    def _returned(self, offer: Offer, part: OutcomeRange) -> None:
        """Pass outcomes on to their owner."""
        if not self._dispatch.stopping:
            self._transport.send(offer.owner, offer.for_owner(part))
        if offer.answered:
            self._dispatch.closed(offer.number)

    def revoked(self, sender: int, message: Revoked) -> None:
        """Close what nobody wants; the owner is told when nothing of it runs any more."""
        nested_job = NestedJob(sender, message.job)
        numbers = self._offers.of(nested_job)
        for number in numbers:
            self._dispatch.closed(number)
        self._revoked[nested_job] = set(numbers)

    def lost(self, owner: int) -> None:
        """Close what a dead worker had offered: it comes again with the tasks that had made it."""
        for number in self._offers.lost(owner):
            self._dispatch.closed(number)
        for nested_job in [*self._revoked]:
            if nested_job.owner == owner:
                del self._revoked[nested_job]

    def look(self) -> None:
        """Ask for more where workers have nothing to do; tell owners what has ceased."""
        if self._dispatch.stopping:
            return
        idle_workers = self._scheduler.idle_workers if self._offers.spent else 0
        for worker in self._offers.to_ask(idle_workers) if idle_workers else ():
            self._transport.send(worker, StealRequest(idle_workers))
        for nested_job, numbers in [*self._revoked.items()]:
            if not any(map(self._scheduler.handed, numbers)):
                del self._revoked[nested_job]
                self._transport.send(nested_job.owner, Ceased(nested_job.number))
