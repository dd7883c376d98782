"""What takes the outputs of items on rank 0."""

from __future__ import annotations

from typing import Protocol

from ..items.ended import Ended


class Sink(Protocol):
    """Takes the outputs of items as these end, in any order; one thread calls it."""

    def expected(self, number: int) -> None:
        """Hear that an item is about to be run: in the order of the items."""

    def add(self, ended: Ended) -> None:
        """Take what an item has written: each expected item comes once, when it has ended for good.

        It may wait for the disk, but not for other items.
        """

    def close(self) -> None:
        """Write what is left, though items that were expected have not come."""
