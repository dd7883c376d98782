"""Outcomes that arrive in any order, for a consumer who wants them in that of the tasks, or as they
come: the same for the maps of rank 0 and for nested ones.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class Range(Protocol):
    """Outcomes of the tasks `start` to `stop - 1`."""

    @property
    def start(self) -> int:
        """The first task."""

    @property
    def stop(self) -> int:
        """The task behind the last."""


R = TypeVar("R", bound=Range)


class ReorderBuffer(Generic[R]):
    """Ranges of outcomes that have arrived and were not taken.

    One thread adds, another may take at the same time.

    ordered: whether ranges are given in the order of the tasks, or in that of their arrival.
    """

    def __init__(self, ordered: bool) -> None:
        self.taken = 0
        """Tasks whose outcomes the consumer has got; where ordered, the next one's index."""
        self.touched = False
        """True where anything has ever arrived."""
        self.ordered = ordered
        self._waiting: dict[int, R] = {}
        self._arrivals: deque[R] = deque()

    def add(self, arrived: R) -> None:
        """Put in outcomes that have come."""
        self.touched = True
        if self.ordered:
            self._waiting[arrived.start] = arrived
        else:
            self._arrivals.append(arrived)

    @property
    def ready(self) -> bool:
        """True where `take` has something to give."""
        return self.taken in self._waiting if self.ordered else bool(self._arrivals)

    def take(self) -> R | None:
        """Take out the next outcomes; None where they have not arrived."""
        if self.ordered:
            found = self._waiting.pop(self.taken, None)
        else:
            found = self._arrivals.popleft() if self._arrivals else None
        if found is not None:
            self.taken += found.stop - found.start
        return found

    def discard(self, look: Callable[[R], object] = bool) -> None:
        """Throw away what has arrived, as if it had been taken; others may come meanwhile.

        look: is shown each.
        """
        while self._waiting or self._arrivals:
            found = self._waiting.popitem()[1] if self._waiting else self._arrivals.popleft()
            look(found)
            self.taken += found.stop - found.start
