"""The executors, and results for later, that finish before the process ends, though nobody waits.

One such list stands behind each executor below: a farm's, a worker's, the serial one's.
`program_end` says when it is finished.
"""

from __future__ import annotations

import logging
from typing import Protocol

logger = logging.getLogger("scoopmpi")


class Finishing(Protocol):
    """An executor, or a result for later: it may have something under way."""

    takes_values: bool
    """True where it takes values of others in the list: then it is finished before those."""

    def finish(self) -> None:
        """Return when it has nothing more under way."""


class Unfinished:
    """Those on one executor that have something under way."""

    def __init__(self) -> None:
        self._them: set[Finishing] = set()

    def add(self, one: Finishing) -> None:
        """Note that it has something under way."""
        self._them.add(one)

    def discard(self, one: Finishing) -> None:
        """Note that it has nothing more under way."""
        self._them.discard(one)

    def waits(self, maps: bool = True) -> bool:
        """Return whether anything is to finish. maps: makes no difference, there are none here."""
        return bool(self._them)

    def finish(self, maps: bool = True) -> None:
        """Return when all have finished, those too that come meanwhile."""
        while self._them:
            for one in sorted(self._them.copy(), key=lambda one: not one.takes_values):
                one.finish()
                self._them.discard(one)

    def __len__(self) -> int:
        return len(self._them)


def tell_endless(name: str, tasks: int) -> None:
    """Warn of a map that nobody reads and that goes no further, as nothing would end it.

    name: the function's. tasks: how many have been read.
    """
    logger.warning(
        "a map of %s over something without an end, which nobody reads, ends with the %d tasks "
        "that have been read", name, tasks,
    )  # fmt: skip


def tell_failed(name: str, tasks: int, reason: str) -> None:
    """Warn of user's iterators that have raised where nobody is to catch it.

    name: the function's. tasks: how many have been read. reason: what they have raised.
    """
    logger.warning(
        "a map of %s, whose values nobody takes, ends with %d tasks: what it goes over has raised "
        "%s", name, tasks, reason,
    )  # fmt: skip
