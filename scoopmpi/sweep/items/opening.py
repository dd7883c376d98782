"""From the options of a sweep to its items: which reader reads what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .array import Numbers
from .dialect import Spelling
from .files import STDIN
from .item import ItemsProblem, Source
from .lines import Lines
from .table import Table
from .together import Behind, Beside, Named


class Asked(NamedTuple):
    """What is asked for: tables, a list, a range, or some of them side by side.

    data: tables, one behind the other. lines: a file with an item a line; "-" is stdin.
    array: numbers, as in `1-10,15`. beside: tables stand side by side, as `wsub` reads them.
    delimiter, comment, escape, loose_quotes: of tables, as in `Spelling`. null: NUL ends lines.
    """

    data: Sequence[str] = ()
    lines: str | None = None
    array: str | None = None
    beside: bool = False
    delimiter: str | None = None
    comment: str | None = None
    escape: str | None = None
    loose_quotes: bool = False
    null: bool = False


def opened(asked: Asked) -> Source:
    """Return the items that are asked for; ItemsProblem says what is wrong with them.

    Files are read once here, to the end.
    """
    if [*asked.data, asked.lines].count(STDIN) > 1:
        raise ItemsProblem("stdin (-) can be read only once: give one of them as a file")
    sources: list[Named] = []
    if asked.array is not None:
        sources.append(Numbers(asked.array))
    sources.extend(_tables(asked))
    if asked.lines is not None:
        sources.append(Lines(asked.lines, asked.null))
    if not sources:
        raise ItemsProblem("which items? --data FILE, --lines FILE or -t 1-100")
    return sources[0] if len(sources) == 1 else Beside(sources)


def _tables(asked: Asked) -> list[Named]:
    spelling = Spelling(asked.delimiter, asked.comment, asked.escape, asked.loose_quotes).checked()
    tables: list[Named] = [Table(path, spelling) for path in asked.data]
    return tables if asked.beside or len(tables) < 2 else [Behind(tables)]
