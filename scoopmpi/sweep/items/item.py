"""What one item is: its number, its values, and who it is when it comes again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol


class Item(NamedTuple):
    """One run of the command.

    number: of its row, from 1, over all files; with -t the number of its place in the array.
    values: of the columns, in their order.
    digest: of the values and the command; empty where nobody has asked for it.
    """

    number: int
    values: tuple[str, ...]
    digest: bytes = b""


class Source(Protocol):
    """Items in their order; may be read several times where `size` is known, else once."""

    columns: tuple[str, ...]
    """The names of the values: variables of each item."""
    variables: Mapping[str, str]
    """Variables that are the same for all items, and no part of what an item is."""
    size: int | None
    """How many items there are, None where that is not known before all are read."""

    def __iter__(self) -> Iterator[Item]:
        """Return the items, without digests; raises ItemsProblem at what cannot be read."""


class ItemsProblem(Exception):
    """Says what is wrong with a table, a list or a range: the file, the line, and the remedy."""
