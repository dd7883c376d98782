"""Several sources as one: one behind the other, or side by side. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Protocol

from .item import Item, ItemsProblem, Source


class Named(Source, Protocol):
    """A source that has a name: the file's, or the option's."""

    name: str


class Behind:
    """Tables with the same header, one behind the other: rows are numbered over all of them."""

    def __init__(self, tables: Sequence[Named]) -> None:
        first = tables[0]
        for other in tables[1:]:
            if other.columns != first.columns:
                raise ItemsProblem(
                    f"{other.name} has the columns {', '.join(other.columns)}, and {first.name} "
                    f"{', '.join(first.columns)}: one behind the other they need the same header "
                    "(side by side: --beside)"
                )
        self.name = first.name
        self.columns = first.columns
        self.variables: Mapping[str, str] = {}
        sizes = [table.size for table in tables if table.size is not None]
        self.size: int | None = sum(sizes) if len(sizes) == len(tables) else None
        self._tables = tables

    def __iter__(self) -> Iterator[Item]:
        number = 0
        for table in self._tables:
            for item in table:
                number += 1
                yield Item(number, item.values)


class Beside:
    """Sources side by side: an item has the values of all, and its number from the first."""

    def __init__(self, sources: Sequence[Named]) -> None:
        self.name = sources[0].name
        self.columns = tuple(column for source in sources for column in source.columns)
        self.variables: Mapping[str, str] = {
            name: each for source in sources for name, each in source.variables.items()
        }
        self._sources = sources
        self._refuse_doubles()
        sizes = {source.size for source in sources}
        if len(sizes - {None}) > 1:
            said = ", ".join(f"{source.name} has {source.size}" for source in sources)
            raise ItemsProblem(f"{said}: side by side they need the same number of items")
        self.size: int | None = None if None in sizes else sizes.pop()

    def __iter__(self) -> Iterator[Item]:
        for items in zip_longest(*self._sources):
            if None in items:
                self._ended(items)
            yield Item(items[0].number, tuple(value for item in items for value in item.values))

    def _refuse_doubles(self) -> None:
        owners: dict[str, str] = {}
        for source in self._sources:
            for column in source.columns:
                if column in owners:
                    raise ItemsProblem(
                        f"{owners[column]} and {source.name} both have the column {column}: side "
                        "by side each needs a name of its own"
                    )
                owners[column] = source.name

    def _ended(self, items: Sequence[Item | None]) -> None:
        short = next(source for source, item in zip(self._sources, items, strict=True) if not item)
        raise ItemsProblem(
            f"{short.name} has fewer items than what stands beside it: side by side they need the "
            "same number"
        )
