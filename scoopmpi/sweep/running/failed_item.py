"""An item that has failed as an exception: so the farm tries it again, and counts it as failed."""

from __future__ import annotations

from ...tasks.wrapped import Wrapped, passes_on
from ..items.ended import JOB, Ended
from ..items.item import Item
from .runner import Runner


class ItemFailed(Exception):
    """Carries how an item has ended that is not done."""

    def __init__(self, ended: Ended) -> None:
        super().__init__(ended)
        self.ended = ended

    def __str__(self) -> str:
        """Say what everybody knows of it; what it has printed is not repeated."""
        ended = self.ended
        return f"item {ended.number}: {ended.why or f'status {ended.status}'}"


class Attempt(Wrapped):
    """A function that runs the command for an item, and raises where that fails."""

    def __init__(self, runner: Runner) -> None:
        super().__init__(runner)

    @passes_on
    def __call__(self, item: Item) -> Ended:
        """Return how the item has ended that is done, or was ended by the batch job's end."""
        ended: Ended = self._fn(item)
        if ended.well or ended.why == JOB:  # cut, which is no failure
            return ended
        raise ItemFailed(ended)
