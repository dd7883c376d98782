"""Run the command for one item, on a worker."""

from __future__ import annotations

from ..items.ended import Ended
from ..items.item import Item
from .plan import Plan
from .runner import Runner


def run(plan: Plan, item: Item) -> Ended:
    """Run the command for an item."""
    return Runner(plan)(item)
