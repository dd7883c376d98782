"""The items of a sweep on their way to the farm: those that are to run, in order, as it asks.

Those that a former run has done are passed over. Each that is out is kept here until it has ended
for good: it may have to run again, and a lost one is known by its place alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from ..items.identity import Identity
from ..items.item import Item, Source


class Supply:
    """Gives the items of one sweep.

    source: all of them. identity: gives their digests. wanted: says of an item whether it is to
        run. expected: told of each that runs, once, in order.
    """

    def __init__(
        self,
        source: Source,
        identity: Identity,
        wanted: Callable[[Item], bool],
        expected: Callable[[Item], None],
    ) -> None:
        self._items = self._wanted(source, identity, wanted)
        self._expected = expected
        self._again: deque[Item] = deque()
        self._at: dict[int, Item] = {}  # those that are out, by their places in the map
        self._places: dict[int, int] = {}  # and those places, by their numbers
        self._given = 0
        self.seen = 0
        """How many items were looked at, with those that were passed over."""
        self.all_seen = False
        """True where there are no others."""

    def _wanted(
        self, source: Source, identity: Identity, wanted: Callable[[Item], bool]
    ) -> Iterator[Item]:
        digest = identity.of
        for number, values, _ in source:
            self.seen += 1
            item = Item(number, values, digest(values))
            if wanted(item):
                yield item
        self.all_seen = True

    def __iter__(self) -> Iterator[Item]:
        """Return the items for a map; those that are to run again first."""
        self._given = 0
        while True:
            if self._again:
                item = self._again.popleft()
            else:
                following = next(self._items, None)
                if following is None:
                    return
                item = following
                self._expected(item)
            self._at[self._given] = item
            self._places[item.number] = self._given
            self._given += 1
            yield item

    def at(self, place: int) -> Item | None:
        """Return the item that was given as so many-th, from 0, where it is out."""
        return self._at.get(place)

    def ended(self, number: int) -> Item:
        """Let go of an item that has ended for good, and return it."""
        return self._at.pop(self._places.pop(number))

    def again(self, number: int) -> None:
        """Have an item run again."""
        self._again.append(self.ended(number))

    @property
    def waiting(self) -> bool:
        """True where items wait to run again."""
        return bool(self._again)

    @property
    def out(self) -> int:
        """Return how many items were given and have not ended for good."""
        return len(self._at) + len(self._again)
