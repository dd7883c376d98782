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

    def joined(self, worker: int, message: Joined) -> None:
        """The worker has imported the program."""
        self.names = message.names if self.names is None else self.names & message.names
        self._hosts[worker] = message.host
        logger.debug("worker %d joined: pid %d on %s", worker, message.pid, message.host)

    def unfit(self, worker: int, reason: str) -> bool:
        """The worker cannot import the program; says whether that was the last hope."""
        self._unfit[worker] = reason
        last = len(self._unfit) == self.size
        if not last:
            logger.warning("worker %d does not take part: %s", worker, reason)
        return last

    def left(self, worker: int) -> None:
        """The worker has followed Stop."""
        self._left.add(worker)

    def host(self, worker: int) -> str:
        """The name of a worker's host."""
        return self._hosts.get(worker, "a host that is not known yet")

    @property
    def importing(self) -> bool:
        """Whether some worker has not said yet if it takes part."""
        return len(self._hosts) + len(self._unfit) < self.size

    @property
    def missing(self) -> list[int]:
        """Those that have not left."""
        return [worker for worker in range(1, self.size + 1) if worker not in self._left]
