"""Lines of a table become rows, read by Python's `csv`; faults are named with their line. Pure."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from .dialect import Spelling
from .header import Header
from .item import ItemsProblem
from .tidied import tidied

if TYPE_CHECKING:
    from _csv import Reader

_TOLD = 5
"""Rows that are named where many are wrong."""
_LINE_END = re.compile(r"\r\n|\r|\n")


class Rows(NamedTuple):
    """How the lines below a header are read.

    name: the file's. tidy: False where there are neither blanks around values nor comments.
    """

    name: str
    header: Header
    spelling: Spelling
    tidy: bool = True

    def read(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """Return the rows; the first that is wrong raises ItemsProblem."""
        reader, width = self._reader(lines), len(self.header.columns)
        before = 0
        try:
            for row in reader:
                if len(row) == width:
                    yield row
                elif row:
                    raise ItemsProblem(self._other_width(row, before))
                before = reader.line_num
        except csv.Error as error:
            raise ItemsProblem(self._unreadable(error, before, reader.line_num)) from None

    def counted(self, lines: Iterable[str]) -> int | None:
        """Return how many rows there are; None where any is wrong. Takes less time than `read`."""
        width = len(self.header.columns)
        try:
            counts = Counter(map(len, self._reader(lines)))
        except csv.Error:
            return None
        return None if counts.keys() - {0, width} else counts[width]

    def faults(self, lines: Iterable[str]) -> str:
        """Return what is wrong with the first rows of which something is."""
        reader, width = self._reader(lines), len(self.header.columns)
        before, found = 0, list[str]()
        try:
            for row in reader:
                if len(row) not in (0, width):
                    found.append(self._other_width(row, before))
                if len(found) > _TOLD:
                    found[-1] = f"and more in {self.name}"
                    break
                before = reader.line_num
        except csv.Error as error:
            found.append(self._unreadable(error, before, reader.line_num))
        return "\n".join(found)

    def _reader(self, lines: Iterable[str]) -> Reader:
        if self.tidy:
            lines = tidied(lines, self.header.delimiter, self.spelling)
        return csv.reader(lines, **self.spelling.csv_options(self.header.delimiter))

    def _place(self, before: int) -> str:
        return f"{self.name}, line {self.header.above + before + 1}"

    def _other_width(self, row: list[str], before: int) -> str:
        columns = self.header.columns
        values = "1 value" if len(row) == 1 else f"{len(row)} values"
        names = "1 column" if len(columns) == 1 else f"{len(columns)} columns"
        said = f"{self._place(before)}: {values}, but line {self.header.above} names {names}"
        if any(_LINE_END.search(value) for value in row):
            return f"{said}; a value has lines: is the quote around it closed where it should be?"
        if len(row) > len(columns):
            return f'{said}; a value with {self.header.delimiter!r} in it needs quotes (")'
        return f"{said} ({', '.join(columns)})"

    def _unreadable(self, error: csv.Error, before: int, last: int) -> str:
        """Return what `csv` has found in the lines behind `before`, in other words."""
        said, place = str(error), self._place(before)
        if "unexpected end" in said:
            return f'{place}: a quote (") opens here, or below, and is not closed'
        if "field limit" in said:
            return (
                f"{place}: a value is longer than {csv.field_size_limit()} characters, more than a "
                "program can be given in a variable: put it into a file, whose name stands here; "
                'or a quote (") is not closed'
            )
        if "expected after" in said:
            at = self._place(last - 1)
            return f'{at}: text behind the quote (") that ends a value; quotes within are doubled'
        return f"{place}: {said}"
