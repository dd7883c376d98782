"""Who takes part: which workers have joined, cannot, or have left. Facts only, no messages sent."""

from __future__ import annotations

import logging

from .messages import Joined

logger = logging.getLogger("scoopmpi")


class Members:
    """The workers of a farm, `size` of them when all have joined."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.names: frozenset[str] | None = None
        """The functions of the program that every worker has; None before the first joined."""
        self._hosts: dict[int, str] = {}
        self._unfit: dict[int, str] = {}
        self._left: set[int] = set()
        self.lost: dict[int, str] = {}
        """Workers that have died, and their hosts."""

    def joined(self, worker: int, message: Joined) -> None:
        """The worker has imported the program."""
        self.names = message.names if self.names is None else self.names & message.names
        self._hosts[worker] = message.host
        logger.debug("worker %d joined: pid %d on %s", worker, message.pid, message.host)

    def unfit(self, worker: int, reason: str) -> bool:
        """The worker cannot import the program; says whether that was the last hope."""
        self._unfit[worker] = reason
        if not self.none_left:
            logger.warning("worker %d does not take part: %s", worker, reason)
        return self.none_left

    def died(self, worker: int) -> None:
        """The worker is no more."""
        self.lost[worker] = self.host(worker)

    def left(self, worker: int) -> None:
        """The worker has followed Stop."""
        self._left.add(worker)

    def host(self, worker: int) -> str:
        """The name of a worker's host."""
        return self._hosts.get(worker, "a host that is not known yet")

    @property
    def present(self) -> list[int]:
        """Those that have joined, and neither left nor died."""
        return [worker for worker in self.missing if worker in self._hosts]

    @property
    def importing(self) -> bool:
        """Whether some worker has not said yet if it takes part."""
        return len(self._hosts.keys() | self._unfit.keys() | self.lost.keys()) < self.size

    @property
    def none_left(self) -> bool:
        """Whether nobody can take part any more."""
        return len(self._unfit.keys() | self.lost.keys()) == self.size

    @property
    def missing(self) -> list[int]:
        """Those that have not left."""
        gone = self._left | self.lost.keys()
        return [worker for worker in range(1, self.size + 1) if worker not in gone]
