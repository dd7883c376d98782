"""The tables of a results file, and the names under which people find the columns of a sweep."""

from __future__ import annotations

from collections.abc import Sequence

APPLICATION = 0x53775265
"""SQLite's application_id of such a file; without a meaning beyond that it is ours."""
VERSION = 1
"""SQLite's user_version: of the tables."""
TABLES = (
    "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT)",
    "CREATE TABLE items (number INTEGER PRIMARY KEY, digest BLOB, columns TEXT, status INTEGER, "
    "why TEXT, worker INTEGER, host TEXT, started REAL, seconds REAL, stdout BLOB, stderr BLOB)",
    "CREATE TABLE more (number INTEGER, stream INTEGER, piece INTEGER, data BLOB, "
    "PRIMARY KEY (number, stream, piece))",
)
"""`columns` is a JSON object of an item's values; `more` has what is behind the first PIECE bytes
of stdout (1) and stderr (2)."""
PIECE = 256 << 20
"""Bytes of an output in one row: SQLite takes no row of more than 10^9."""
OURS = ("number", "status", "why", "worker", "host", "started", "seconds", "stdout", "stderr")


def headings(columns: Sequence[str]) -> list[str]:
    """Return the names of OURS beside a sweep's columns: `item_host` where these have a `host`."""
    taken = {column.lower() for column in columns}
    found = []
    for name in OURS:
        while name in taken:
            name = f"item_{name}"
        found.append(name)
    return found


def view(columns: Sequence[str]) -> str:
    """Return what makes the view `sweep`: a row for each item, with the columns of its table."""
    number, *others = zip(OURS, headings(columns), strict=True)
    shown = [_as(*number)]
    for column in columns:
        path = _quoted(f'$."{column}"', "'")
        shown.append(_as(_as_number(f"json_extract(columns, {path})"), column))
    shown += [_as(*one) for one in others]
    return f"CREATE VIEW sweep AS SELECT {', '.join(shown)} FROM items"


def _as_number(value: str) -> str:
    """Return what makes a number of a value that is one, so that `temperature > 293` means that.

    Others stay text: `007`, and so many digits that a number would not keep them all.
    """
    return (
        f"CASE WHEN {value} GLOB '0[0-9]*' OR {value} GLOB '-0[0-9]*' THEN {value} "
        # Only what is a number from end to end equals one: SQLite compares others as text.
        f"WHEN {value} != CAST({value} AS NUMERIC) THEN {value} "
        f"WHEN {value} GLOB '*[.eE]*' THEN CAST({value} AS REAL) "
        f"WHEN length({value}) > 18 THEN {value} ELSE CAST({value} AS INTEGER) END"
    )


def _as(what: str, name: str) -> str:
    return f"{what} AS {_quoted(name, chr(34))}"


def _quoted(text: str, mark: str) -> str:
    return mark + text.replace(mark, mark * 2) + mark


def plain(text: str) -> str:
    """Return text that can be encoded: bytes that are no UTF-8 are written as `\\xff`."""
    return text.encode(errors="surrogateescape").decode(errors="backslashreplace")
