"""What former runs have left of a sweep, as its log tells: which items are not to run again."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable

from .items.item import Item
from .log.known import Counts, Known, State


class Former:
    """Knows what former runs have done.

    known: what the log says; None without a log. retry: whether what has failed is to run again.
    """

    def __init__(self, known: Known | None, retry: bool) -> None:
        self._state: Callable[[Item], State] | None = None
        if known is not None and len(known):
            self._state = known.state
        self._known = known
        self._retry = retry
        self.counts: Counts | None = None
        """How all items stand, where they were counted."""
        self.passed_over = array("q")
        """The numbers of the items that are not run again though they have failed."""

    @property
    def failed(self) -> int:
        """How many items are not run again though they have failed."""
        return len(self.passed_over)

    @property
    def any(self) -> bool:
        """True where a former run has ended some item."""
        return self._state is not None

    def count(self, items: Iterable[Item]) -> None:
        """Count how all items stand."""
        if self._known is not None and self.any:
            self.counts = self._known.count(items)

    def wanted(self, item: Item) -> bool:
        """Return whether an item is to run; it is asked of each once."""
        if self._state is None:
            return True
        state = self._state(item)
        if state is State.FAILED and not self._retry:
            self.passed_over.append(item.number)
            return False
        return state is not State.DONE

    def to_run(self, items: int | None) -> int | None:
        """Return how many are to run of so many; None where only reading them shows it."""
        if items is None or not self.any:
            return items
        if self.counts is None:
            return None
        return items - self.counts.done - (0 if self._retry else self.counts.failed)
