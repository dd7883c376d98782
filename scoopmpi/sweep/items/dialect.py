"""How a table is written: what stands between its values, how quotes are meant. Pure.

What parts the columns is read off the line of their names. Names are variables, letters, digits and
`_`, so whatever else stands between them can only be the delimiter: nothing is guessed from values,
which may have commas of their own (`1,5;2,5`).
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import NamedTuple, TypedDict

from .column_names import NAME
from .item import ItemsProblem

DELIMITERS = (",", ";", "\t", "|")
"""In the order in which they are thought of where no names are to be seen."""
ALONE = "\ud800"
"""The delimiter of a table of one column: half a surrogate pair, which no text has."""
QUOTE = '"'
_BY_NAME = {"\\t": "\t", "tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}


class _CsvOptions(TypedDict):
    delimiter: str
    quotechar: str
    escapechar: str | None
    doublequote: bool
    skipinitialspace: bool
    strict: bool


class Spelling(NamedTuple):
    """What is asked for of tables.

    delimiter: None where it is read off. comment: what lines begin with that are left out.
    escape: the character that takes the next one's meaning. loose_quotes: text may follow a quote.
    """

    delimiter: str | None = None
    comment: str | None = None
    escape: str | None = None
    loose_quotes: bool = False

    def checked(self) -> Spelling:
        """Return it with the delimiter as it is; ItemsProblem says what cannot be meant."""
        delimiter = self.delimiter
        if delimiter is not None:
            delimiter = _BY_NAME.get(delimiter.lower(), delimiter)
            _refuse_special("--delimiter", delimiter)
        if self.escape is not None:
            _refuse_special("--escape", self.escape)
            if self.escape in (" ", delimiter):
                raise ItemsProblem(f"--escape {self.escape!r} parts the columns already")
        if self.comment is not None and not self.comment.strip():
            raise ItemsProblem("--comment: what do comments begin with? as in --comment '#'")
        return self._replace(delimiter=delimiter)

    @property
    def is_plain(self) -> bool:
        """True where `csv` reads the lines as they are, as far as their blanks allow."""
        return self.comment is None and not self.loose_quotes

    def is_comment(self, line: str) -> bool:
        """Return True for a line that is left out, where it begins outside quotes."""
        return self.comment is not None and line.lstrip().startswith(self.comment)

    def csv_options(self, delimiter: str) -> _CsvOptions:
        """Return the words of Python's `csv` for it."""
        return {
            "delimiter": delimiter, "quotechar": QUOTE, "escapechar": self.escape,
            "doublequote": True, "skipinitialspace": True, "strict": not self.loose_quotes,
        }  # fmt: skip


def _refuse_special(option: str, character: str) -> None:
    if len(character) != 1 or character in '"\r\n\0':
        raise ItemsProblem(
            f"{option} {character!r}: one character, and none of quotes and line ends (tab: '\\t')"
        )


def first_line_delimiter(line: str) -> str | None:
    """Return what spreadsheets say in a line `sep=;` before the names; None for another line."""
    line = line.rstrip("\r\n")
    return line[-1] if len(line) == 5 and line.startswith("sep=") else None


def delimiter_of(line: str, spelling: Spelling) -> str:
    """Return what parts the columns whose names stand in this line."""
    if spelling.delimiter is not None:
        return spelling.delimiter
    there = {each: fields(line, each, spelling) for each in DELIMITERS if each in line}
    parting = {each: names for each, names in there.items() if names and len(names) > 1}
    for each, names in parting.items():
        if all(NAME.fullmatch(name.strip()) for name in names):
            return each
    return max(parting or there, key=line.count, default=ALONE)


def fields(line: str, delimiter: str, spelling: Spelling) -> Sequence[str] | None:
    """Return what stands in one line; None where its quotes do not fit."""
    try:
        return next(csv.reader([line], **spelling.csv_options(delimiter)), [])
    except csv.Error:
        return None
