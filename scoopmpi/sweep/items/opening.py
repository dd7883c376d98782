"""From the options of a sweep to its items: which reader reads what."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .item import Item, ItemsProblem, Source

ARRAY_ID = "PBS_ARRAYID"
"""The column of items that are numbers of an array (-t)."""
LINE = "ITEM"
"""The column of items that are lines."""


class Asked(NamedTuple):
    """What is asked for: tables, a list, or a range.

    data: tables, one behind the other. lines: a file with an item a line; "-" is stdin.
    array: numbers, as in `1-10,15`. beside: tables stand side by side, as `wsub` reads them.
    delimiter, comment: of tables; None: detected, and no comments.
    """

    data: Sequence[str] = ()
    lines: str | None = None
    array: str | None = None
    beside: bool = False
    delimiter: str | None = None
    comment: str | None = None


class _Rows:
    size: int | None = None

    def __init__(self, path: str) -> None:
        self._path = path
        with open(path, newline="") as file:
            self.columns = tuple(next(csv.reader(file)))

    def __iter__(self) -> Iterator[Item]:
        with open(self._path, newline="") as file:
            for number, row in enumerate(csv.reader(file)):
                if number:
                    yield Item(number, tuple(row))


class _Numbers:
    columns: tuple[str, ...] = (ARRAY_ID,)

    def __init__(self, text: str) -> None:
        first, _, last = text.partition("-")
        self._numbers = range(int(first), int(last) + 1)
        self.size: int | None = len(self._numbers)

    def __iter__(self) -> Iterator[Item]:
        for number in self._numbers:
            yield Item(number, (str(number),))


def opened(asked: Asked) -> Source:
    """Return the items that are asked for; ItemsProblem says what is wrong with them."""
    if asked.array is not None:
        return _Numbers(asked.array)
    if asked.data:
        return _Rows(asked.data[0])
    raise ItemsProblem("which items? --data FILE, --lines FILE or -t 1-100")
