"""Nested tasks on their way through rank 0: offers taken in, outcomes returned, owners told.

Everything here is called with the farm's lock held.
"""

from __future__ import annotations

from ..scheduling.scheduler import Scheduler
from ..tasks.outcomes import OutcomeRange
from ..wire.messages import Ceased, Offered, StealRequest
from ..wire.transport import Transport
from .dispatch import Dispatch
from .offers import Offer, Offers


class Relay:
    """What the farm does with offers."""

    def __init__(
        self, transport: Transport, scheduler: Scheduler, dispatch: Dispatch, offers: Offers
    ) -> None:
        self._transport, self._scheduler = transport, scheduler
        self._dispatch, self._offers = dispatch, offers
        self._revoked: dict[tuple[int, int], set[int]] = {}
        """(owner, its job): our numbers of what still runs of it."""

    def offered(self, sender: int, message: Offered) -> None:
        """Tasks of a nested job, ahead of all others, as their parents wait for them."""
        offer = Offer(sender, message)
        number = self._dispatch.opened(offer, offer.function)
        self._offers.opened(number, offer)
        self._dispatch.assigned(self._scheduler.submitted(number, offer.tasks, ahead=True))

    def returned(self, number: int, offer: Offer, part: OutcomeRange) -> None:
        """Outcomes, for their owner."""
        if not self._dispatch.stopping:
            self._transport.send(offer.owner, offer.returned(part))
        if offer.answered:
            self.closed(number)

    def revoked(self, owner: int, job: int) -> None:
        """Nobody wants the outcomes; the owner is told when nothing of it runs any more."""
        numbers = self._offers.of(owner, job)
        for number in numbers:
            self.closed(number)
        self._revoked[owner, job] = set(numbers)

    def lost(self, owner: int) -> None:
        """A worker has died: what it had offered comes again with the tasks that had made it."""
        for number in self._offers.lost(owner):
            self.closed(number)
        for key in [key for key in self._revoked if key[0] == owner]:
            del self._revoked[key]

    def closed(self, number: int) -> None:
        """Nobody wants more of a job, of whatever kind."""
        job = self._dispatch.closed(number)
        if isinstance(job, Offer):
            self._offers.closed(number, job)

    def look(self) -> None:
        """Ask for more where workers have nothing to do; tell owners what has ceased."""
        if self._dispatch.stopping:
            return
        idle_workers = self._scheduler.idle_workers if self._offers.spent else 0
        for worker in self._offers.asked(idle_workers) if idle_workers else ():
            self._transport.send(worker, StealRequest(idle_workers))
        if self._revoked:
            for key in [*self._revoked]:
                if not any(map(self._scheduler.handed, self._revoked[key])):
                    del self._revoked[key]
                    self._transport.send(key[0], Ceased(key[1]))
