"""A list: an item for each line of a file, or of stdin. The line is its only value, as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TextIO

from .column_names import LINE
from .files import Input
from .item import Item


class Lines:
    """The lines of a file without their ends (LF or CRLF), and without those that are empty.

    null: NUL ends lines, and they have all other characters.
    """

    columns: tuple[str, ...] = (LINE,)

    def __init__(self, path: str, null: bool = False) -> None:
        self._input = Input(path)
        self._null = null
        self.name = self._input.name
        self.variables: Mapping[str, str] = {}
        self.size: int | None = None
        if self._input.again:
            self.size = sum(1 for _ in self._lines())

    def __iter__(self) -> Iterator[Item]:
        for number, line in enumerate(self._lines(), 1):
            yield Item(number, (line,))

    def _lines(self) -> Iterator[str]:
        with self._input.text("\n", swapped=self._null) as text:
            yield from _between_nulls(text) if self._null else _plain(text)


def _plain(text: TextIO) -> Iterator[str]:
    for line in text:
        if not line.isspace():
            yield line.removesuffix("\n").removesuffix("\r")


def _between_nulls(text: TextIO) -> Iterator[str]:
    """Return the lines of a text in which NUL and LF have changed places."""
    for line in text:
        if line != "\n":
            yield line.removesuffix("\n").replace("\0", "\n")
