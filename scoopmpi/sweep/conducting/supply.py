"""The items of a sweep on their way to the farm: those that are to run, in order, as it asks.

Those that a former run has done are passed over. Each that is out is kept here until it has ended
for good: it may have to run again, and a lost one is known by its place alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from ..items.item import Item


class Supply:
    """Gives the items of one sweep to its maps.

    items: all of them, with digests. wanted: says of one whether it is to run. expected: told of
    each that runs, once, in order.
    """

    def __init__(
        self,
        items: Iterator[Item],
        wanted: Callable[[Item], bool],
        expected: Callable[[Item], None],
    ) -> None:
        self._items, self._wanted, self._expected = items, wanted, expected
        self._again: deque[Item] = deque()
        self._at: dict[int, Item] = {}  # those that are out, by their places in the map
        self._places: dict[int, int] = {}  # and those places, by their numbers
        self.given = 0
        """How many items have been given, each counted once."""
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

    def _next(self) -> Item | None:
        if self._again:
            return self._again.popleft()
        for item in self._items:
            self.seen += 1
            if self._wanted(item):
                self._expected(item)
                self.given += 1
                return item
        self.all_seen = True
        return None

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
