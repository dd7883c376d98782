"""A table: a file of rows (CSV), or stdin, whose first line names the columns.

A file is read once before anything runs, so that what is wrong with any row is known at the start,
and how many there are. Later it is read again, row by row: no number of rows takes memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TextIO

from .dialect import Spelling
from .files import Input
from .header import header
from .item import Item, ItemsProblem
from .rows import Rows
from .tidied import Padding


class Table:
    """The rows of a table: a file's, as often as is asked for; those of stdin or a pipe, once."""

    def __init__(self, path: str, spelling: Spelling) -> None:
        self._input = Input(path)
        self.name = self._input.name
        text = self._input.text()
        self._rows = Rows(self.name, header(text, self.name, spelling), spelling)
        self.columns = self._rows.header.columns
        self.variables: Mapping[str, str] = {}
        self.size: int | None = None
        self._stream: TextIO | None = text
        if self._input.again:
            text.close()
            self._stream = None
            self.size = self._checked()

    def __iter__(self) -> Iterator[Item]:
        text, self._stream = self._stream, None
        if text is None:
            text = self._input.text()
            lines = self._behind_names(text)
        else:
            lines = text
        with text:
            for number, row in enumerate(self._rows.read(lines), 1):
                yield Item(number, tuple(row))

    def _checked(self) -> int:
        """Return how many rows there are; ItemsProblem names those that are wrong."""
        size = None
        if self._rows.spelling.is_plain:
            padding = Padding(self._rows.header.delimiter)
            with self._input.text(look=padding.look) as text:
                size = self._rows._replace(tidy=False).counted(self._behind_names(text))
            if not padding.found:
                self._rows = self._rows._replace(tidy=False)
        if self._rows.tidy:
            with self._input.text() as text:
                size = self._rows.counted(self._behind_names(text))
        if size is None:
            with self._input.text() as text:
                raise ItemsProblem(self._rows.faults(self._behind_names(text)))
        return size

    def _behind_names(self, text: TextIO) -> Iterator[str]:
        return islice(text, self._rows.header.above, None)
