"""Results as people read them, also while a sweep writes: a few rows at a time, no lock between.

So a reader never holds up a sweep for longer than that takes. What a killed run has left half
written is undone by SQLite. On a file system without locks what is read counts if it stays.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, NamedTuple

from ....checkpoint.database import PROBLEMS, connect
from ....concurrency.periods import CHECKPOINT_READ_SECONDS
from ..sink import OutputProblem
from . import admission, tables
from .admission import refused

ROWS = 500
"""So many are read at once."""
BYTES = 16 << 20
"""And so many bytes of outputs, if these are not of one item."""
FIRST = 200
"""Bytes of an output from which its first line is taken."""
OUT, ERR = 1, 2
_STREAMS = {OUT: "stdout", ERR: "stderr"}
_FAILED = "(status != 0 OR why != '')"
_ALSO = {False: "", True: f" AND {_FAILED}"}
_FIELDS = (
    "number, columns, status, why, worker, host, started, seconds, "
    f"length(stdout) + length(stderr), substr(stdout, 1, {FIRST})"
)


class Row(NamedTuple):
    """How an item has ended. size: bytes of its outputs, of which only the first are here."""

    number: int
    values: dict[str, str]
    status: int
    why: str
    worker: int
    host: str
    started: float
    seconds: float
    size: int
    first: bytes


class Whole(NamedTuple):
    """An item with all that it has written."""

    row: Row
    out: bytes
    err: bytes


class Reader:
    """An open results file. Its methods raise OutputProblem where it cannot be read."""

    def __init__(self, path: str) -> None:
        self._file = admission.for_reading(path)
        self._connection: sqlite3.Connection | None = None
        try:
            if not os.path.getsize(self._file.real):
                raise refused(path, "nothing was written into it yet", "wait a second")
            facts = dict(self._ask("SELECT name, value FROM facts"))
            self.columns: list[str] = json.loads(facts.get("columns", "[]"))
            """The names of the items' values."""
            self.facts: dict[str, str] = facts
            """What is said of the run: command, opened, ended, run."""
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
        os.close(self._file.guard)

    def rows(self, failed: bool = False) -> Iterator[Row]:
        """Return the items in the order of their numbers. failed: only those that have failed."""
        after = -1
        condition = f"number > ?{_ALSO[failed]}"
        words = f"SELECT {_FIELDS} FROM items WHERE {condition} ORDER BY number LIMIT {ROWS}"
        while found := self._ask(words, (after,)):
            yield from map(self._row, found)
            after = found[-1][0]

    def whole(self, failed: bool = False) -> Iterator[Whole]:
        """Return the same with their outputs."""
        between = f"number BETWEEN ? AND ?{_ALSO[failed]}"
        words = f"SELECT number, stdout, stderr FROM items WHERE {between}"
        for rows in _together(self.rows(failed)):
            wanted = {row.number: row for row in rows}
            for number, out, err in self._ask(words, (rows[0].number, rows[-1].number)):
                if number in wanted:  # others have ended meanwhile
                    outputs = [self._joined(number, OUT, out), self._joined(number, ERR, err)]
                    yield Whole(wanted[number], *outputs)

    def row(self, number: int) -> Row | None:
        """Return one item, None where it has not ended yet."""
        words = f"SELECT {_FIELDS} FROM items WHERE number = ?"
        found = self._ask(words, (number,))
        return self._row(found[0]) if found else None

    def counts(self) -> tuple[int, int]:
        """Return how many items there are, and how many of these have failed."""
        items, failed = self._ask(f"SELECT count(*), total({_FAILED}) FROM items")[0]
        return int(items), int(failed)

    def output(self, number: int, stream: int) -> Iterator[bytes]:
        """Return what an item has written, piece by piece. stream: OUT or ERR."""
        found = self._ask(f"SELECT {_STREAMS[stream]} FROM items WHERE number = ?", (number,))
        yield from (data for (data,) in found if data)
        if found and len(found[0][0]) == tables.PIECE:
            yield from self._more(number, stream)

    def _more(self, number: int, stream: int) -> Iterator[bytes]:
        words = "SELECT data FROM more WHERE number = ? AND stream = ? AND piece = ?"
        piece = 1
        while found := self._ask(words, (number, stream, piece)):
            yield found[0][0]
            piece += 1

    def _joined(self, number: int, stream: int, first: bytes) -> bytes:
        more = self._more(number, stream) if len(first) == tables.PIECE else ()
        return b"".join((first, *more))

    def _row(self, found: Sequence[Any]) -> Row:
        number, columns, *others, first = found
        try:
            return Row._make([number, json.loads(columns), *others, first or b""])
        except (TypeError, ValueError) as problem:
            raise self._unreadable(problem) from None

    def _ask(self, words: str, given: Sequence[int] = ()) -> list[Any]:
        """Return all rows of an answer: then no lock is held any more."""
        if not self._file.locks:
            return self._ask_unlocked(words, given)
        try:
            return self._answer("ro", words, given)
        except PROBLEMS as problem:
            if "readonly" not in str(problem) and "unable to open" not in str(problem):
                raise self._unreadable(problem) from None
        self._leave()
        try:
            return self._answer("rw", words, given)  # a killed run left something to undo
        except PROBLEMS as problem:
            raise self._unreadable(problem) from None

    def _answer(self, mode: str, words: str, given: Sequence[int]) -> list[Any]:
        if self._connection is None:
            self._connection = connect(self._file.real, mode)
        return self._connection.execute(words, given).fetchall()

    def _ask_unlocked(self, words: str, given: Sequence[int]) -> list[Any]:
        deadline = time.monotonic() + CHECKPOINT_READ_SECONDS
        while True:
            before = self._state()
            try:
                found = self._answer("ro&immutable=1", words, given)
            except PROBLEMS as problem:
                if time.monotonic() > deadline:
                    raise self._unreadable(problem) from None
            else:
                if before is not None and self._state() == before:
                    return found
                if time.monotonic() > deadline:
                    raise self._unreadable(TimeoutError("a run writes it all the time"))
            finally:
                self._leave()  # it would keep what it has read
            time.sleep(0.02)

    def _state(self) -> tuple[int, int] | None:
        """Return the state of the file; None while it is written to."""
        with suppress(OSError):
            os.stat(f"{self._file.real}-journal")
            return None
        found = os.stat(self._file.real)
        return found.st_mtime_ns, found.st_size

    def _leave(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _unreadable(self, problem: Exception) -> OutputProblem:
        said = str(problem)
        remedy = "it may be damaged"
        if "locked" in said or isinstance(problem, TimeoutError):
            remedy = "try again"
        elif "readonly" in said or "unable to open" in said:
            remedy = "a killed run has left it half written: read it once where you may write it"
        return refused(self._file.path, f"it cannot be read ({said})", remedy)


def _together(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Return rows in groups whose outputs may be read at once."""
    group: list[Row] = []
    size = 0
    for row in rows:
        if group and (len(group) == ROWS or size + row.size > BYTES):
            yield group
            group, size = [], 0
        group.append(row)
        size += row.size
    if group:
        yield group
