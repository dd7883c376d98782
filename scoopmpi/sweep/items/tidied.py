"""The lines of a table without blanks around their values, and without comments. Pure.

Users put blanks behind commas, as the worker framework's own examples do, and before them, so that
columns stand below each other: they mean the values, no program wants `" 1.0e6"`. `csv` leaves out
blanks behind commas only. What is in quotes stays as it is, over several lines too.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Iterator

from .dialect import ALONE, QUOTE, Spelling


class Padding:
    """Says whether a file has blanks that `csv` would keep: most have none, and are read faster.

    found: True where some bytes that were seen may be such.
    """

    def __init__(self, delimiter: str) -> None:
        blanks = [blank.encode() for blank in _blanks(delimiter)]
        around = [] if delimiter in (ALONE, " ") else [os.fsencode(delimiter)]
        self._blanks = tuple(blanks)
        self._kinds = [
            *(blank + end for blank in blanks for end in (*around, b"\r", b"\n")),
            *(begin + b"\t" for begin in (*around, b"\r", b"\n", b" ") if b"\t" in blanks),
        ]
        self._last = b""
        self.found = delimiter == " "

    def look(self, block: bytes) -> None:
        """Look at the next bytes of the file; none are its end."""
        if self.found:
            return
        if not block:
            self.found = self._last in self._blanks
        seen = self._last + block
        self.found = self.found or any(kind in seen for kind in self._kinds)
        self._last = block[-1:]


def tidied(lines: Iterable[str], delimiter: str, spelling: Spelling) -> Iterator[str]:
    """Return the lines, each where it was: a comment, or blanks alone, become an empty line.

    Raises csv.Error where the last one ends within quotes.
    """
    tidy = _Tidy(delimiter, spelling)
    within = False
    for line in lines:
        if within:
            line, within = tidy.inside(line)
        elif spelling.is_comment(line):
            line = "\n"
        else:
            line, within = tidy.outside(line)
        yield line
    if within:
        raise csv.Error("unexpected end of data")


def _blanks(delimiter: str) -> str:
    return " " if delimiter == "\t" else " \t"


class _Tidy:
    """Patterns for one kind of table: blanks at the ends of values, alone and beside quotes."""

    def __init__(self, delimiter: str, spelling: Spelling) -> None:
        blank, escape = f"[{_blanks(delimiter)}]", re.escape(spelling.escape or "")
        pair = f"{QUOTE}{QUOTE}|{escape}." if escape else QUOTE * 2
        plain = f"[^{QUOTE}{escape}]*"
        body = f"{plain}(?:(?:{pair}){plain})*"
        closing = f"{QUOTE}(?!{QUOTE})"
        begin = re.escape(delimiter)
        if escape:
            begin = f"(?<!{escape}){begin}"
        # Each run of blanks is tried at its beginning alone, or a long one would take its square.
        run = rf"(?<!{blank}){blank}+"
        if delimiter == " ":  # of several the first one counts, as csv reads them
            bare = rf"{run}(?=[\r\n]|\Z)|\A{blank}+"
        else:
            bare = rf"{run}(?={begin}|[\r\n]|\Z)|(?P<begin>\A|{begin}){blank}+"
        quoted = rf"(\A|{begin}){blank}*({QUOTE}{body}(?:{closing}|(?P<open>(?:{escape})?\Z)))"
        self._any = re.compile(f"{quoted}|{bare}", re.DOTALL)
        self._rest = re.compile(body + closing, re.DOTALL)
        self._begins = "begin" in self._any.groupindex
        self._delimiter, self._simple = delimiter, not escape and delimiter != " "
        self._ends = _blanks(delimiter) + "\r\n"

    def outside(self, line: str) -> tuple[str, bool]:
        """Return a line that begins outside quotes, and whether it ends within some."""
        if self._simple and QUOTE not in line:  # most are so, and this is several times faster
            ends, delimiter = self._ends, self._delimiter
            return delimiter.join(
                [each.strip(ends) for each in line.split(delimiter)]
            ) + "\n", False
        within = False

        def kept(found: re.Match[str]) -> str:
            nonlocal within
            within = found["open"] is not None
            begin = found["begin"] if self._begins else None
            return (found[1] or "") + (found[2] or "") + (begin or "")

        return self._any.sub(kept, line), within

    def inside(self, line: str) -> tuple[str, bool]:
        """Return a line that begins within quotes, and whether it ends within some."""
        quoted = self._rest.match(line)
        if quoted is None:
            return line, True
        # The letter keeps the rest from being read as the beginning of a line.
        rest, within = self.outside("x" + line[quoted.end() :])
        return quoted[0] + rest[1:], within
