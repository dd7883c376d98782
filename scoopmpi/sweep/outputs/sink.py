"""What takes the outputs of items on rank 0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from ..items.ended import Ended
from ..items.item import Item

Kept: TypeAlias = Callable[[Ended], None]
"""Told, by any thread, that the output of an item is where it belongs: before that a log must not
call the item done, as a later run would not make its output again."""


class OutputProblem(Exception):
    """Says where outputs cannot go, why, and the remedy."""


class Sink(Protocol):
    """Takes the outputs of items as these end, in any order; one thread calls it."""

    @property
    def earlier(self) -> int | None:
        """How many items it holds as done by former runs; None where it keeps no count."""

    def expected(self, item: Item) -> None:
        """Hear that an item is about to be run: in the order of the items."""

    def add(self, ended: Ended) -> None:
        """Take what an item has written: each expected item comes once, when it has ended for good.

        It may wait for the disk, but not for other items, nor for who reads what is printed.
        """

    def show(self) -> None:
        """Print what may be printed; who reads it may take his time, so a signal may end it.

        Raises BrokenPipeError where nobody reads it any more.
        """

    def close(self, hurry: bool = False) -> int:
        """Write what is left, though items that were expected have not come.

        hurry: the sweep was ended from outside: who does not read is not waited for.
        Return how many items there are whose output could not be kept; the user has been told.
        """
