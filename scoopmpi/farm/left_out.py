"""Hosts that are left out: their workers get no tasks any more, as long as there are others.

Who is left out is decided by who asks for it, what becomes of the tasks in `scheduling`.
"""

from __future__ import annotations

from ..concurrency.signal_lock import SignalLock
from ..scheduling.scheduler import Scheduler
from .dispatch import Dispatch
from .members import Members


class LeftOut:
    """The hosts of one farm that are left out."""

    def __init__(
        self, lock: SignalLock, scheduler: Scheduler, members: Members, dispatch: Dispatch
    ) -> None:
        self._lock, self._scheduler = lock, scheduler
        self._members, self._dispatch = members, dispatch
        self._hosts: set[str] = set()

    def leave_out(self, host: str) -> bool:
        """Have the workers of a host get nothing more; False where no other host takes tasks.

        What they hold they end; those that join later are left out too.
        """
        with self._lock:
            if not self.others(host):
                return False
            self._hosts.add(host)
            for worker in self._members.present:
                if self._members.host(worker) == host:
                    self._bar(worker)
        return True

    def others(self, host: str) -> bool:
        """Return whether workers of another host take tasks. Any thread may ask."""
        members = self._members
        return any(
            other != host and other not in self._hosts and worker not in members.lost
            for worker, other in tuple(members.hosts.items())
        )

    @property
    def importing(self) -> bool:
        """True where workers may join yet, of which nobody knows the host. Any thread may ask."""
        with self._lock:
            return self._members.importing

    def joined(self, worker: int) -> None:
        """Leave out a worker that has joined on such a host; with the farm's lock held."""
        if self._members.host(worker) in self._hosts:
            self._bar(worker)

    def _bar(self, worker: int) -> None:
        if self._scheduler.knows(worker):
            self._dispatch.assigned(self._scheduler.barred(worker))
