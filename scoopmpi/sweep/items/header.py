"""The first line of a table: it names the columns, and shows what parts them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .column_names import checked
from .dialect import Spelling, delimiter_of, fields, first_line_delimiter
from .item import ItemsProblem
from .tidied import tidied


class Header(NamedTuple):
    """What the first line says.

    above: how many lines stand above the first row.
    """

    columns: tuple[str, ...]
    delimiter: str
    above: int


def header(lines: Iterable[str], name: str, spelling: Spelling) -> Header:
    """Read lines until the columns are named; ItemsProblem says what is wrong with the names.

    name: the file's, for that.
    """
    delimiter = spelling.delimiter
    for number, line in enumerate(lines, 1):
        said = first_line_delimiter(line) if number == 1 else None
        if said is not None:
            delimiter = delimiter or said
        elif line.strip() and not spelling.is_comment(line):
            return _of(line, number, name, spelling._replace(delimiter=delimiter))
    raise ItemsProblem(f"{name} is empty: the first line of a table has the names of its columns")


def _of(line: str, number: int, name: str, spelling: Spelling) -> Header:
    where = f"{name}, line {number}"
    delimiter = delimiter_of(line, spelling)
    tidy = next(tidied([line.rstrip("\r\n")], delimiter, spelling))
    names = fields(tidy, delimiter, spelling)
    if names is None:
        remedy = "where blanks part the columns, say --delimiter ' '"
        raise ItemsProblem(f"{where}: the quotes around the names of columns do not fit; {remedy}")
    return Header(checked(names, where), delimiter, number)
