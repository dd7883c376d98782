"""What a log says of the items of a former run."""

from __future__ import annotations

import enum

from ..items.item import Item


class State(enum.Enum):
    """What is known of an item."""

    NEW = enum.auto()
    """Nothing is, or it was started and has not ended."""
    DONE = enum.auto()
    FAILED = enum.auto()
    CHANGED = enum.auto()
    """Another item had its number: the table or the command was edited."""


class Known:
    """Knows nothing."""

    def state(self, item: Item) -> State:
        """Return what is known of an item, which has its digest."""
        return State.NEW
