"""The items of a sweep on their way to the farm: those that are to run, in order, as it asks.

Those that a former run has done are passed over. Each that is out is kept here until it has ended
for good: it may have to run again, and a lost one is known by its place alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from ...tasks.arguments import Arriving
from ..items.item import Item


class Supply(Arriving):
    """Gives the items of one sweep to its maps.

    items: all of them, with digests. wanted: says of one whether it is to run. expected: told of
    each that runs, once, in order. there: whether the next of them can be had without waiting.
    """

    def __init__(
        self,
        items: Iterator[Item],
        wanted: Callable[[Item], bool],
        expected: Callable[[Item], None],
        there: Callable[[], bool] | None = None,
    ) -> None:
        self._items, self._wanted, self._expected = items, wanted, expected
        self._there = there
        self._next_ones: deque[Item] = deque()  # that are wanted, and were looked at
        self._problem: BaseException | None = None  # behind these
        self._again: deque[Item] = deque()
        self._at: dict[int, Item] = {}  # those that are out, by their places in the map
        self._places: dict[int, int] = {}  # and those places, by their numbers
        self.to_run = 0
        """How many of the items that were looked at are to run, each counted once."""
        self.seen = 0
        """How many items were looked at, with those that were passed over."""
        self.all_seen = False
        """True where there are no others."""

    def __iter__(self) -> Iterator[Item]:
        """Return the items for a map; those that are to run again first."""
        place = 0
        while (item := self._next()) is not None:
            self._at[place] = item
            self._places[item.number] = place
            place += 1
            yield item

    def here(self, wanted: int) -> int:
        """Return how many of so many items can be given without waiting for who makes them."""
        if self._there is None:
            return wanted
        while not (self.all_seen or self._problem) and self._there():
            if len(self._again) + len(self._next_ones) >= wanted:
                return wanted
            try:
                self._look()
            except Exception as problem:  # it is raised in its turn
                self._problem = problem
        over = self.all_seen or self._problem is not None
        return wanted if over else min(wanted, len(self._again) + len(self._next_ones))

    def _next(self) -> Item | None:
        if self._again:
            return self._again.popleft()
        while not (self._next_ones or self.all_seen or self._problem):
            self._look()
        if self._next_ones:
            item = self._next_ones.popleft()
            self._expected(item)
            return item
        if self._problem is not None:
            raise self._problem
        return None

    def _look(self) -> None:
        """Look at the next item, which may have to be waited for."""
        item = next(self._items, None)
        if item is None:
            self.all_seen = True
            return
        self.seen += 1
        if self._wanted(item):
            self.to_run += 1
            self._next_ones.append(item)

    def at(self, place: int) -> Item | None:
        """Return the item that its map was given as so many-th, from 0, where it is out."""
        return self._at.get(place)

    def ended(self, number: int) -> Item:
        """Let go of an item that has ended for good, and return it."""
        return self._at.pop(self._places.pop(number))

    def again(self, number: int) -> None:
        """Have an item run again."""
        self._again.append(self.ended(number))

    @property
    def waiting(self) -> int:
        """How many items wait to run again."""
        return len(self._again)
