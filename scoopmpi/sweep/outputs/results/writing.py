"""Results as a sweep writes them: a row for each item, by a thread that commits twice a second.

An item is told of as kept when its row is on disk, never before; so what a log calls done is here,
and what is here without the log is written once more by the next run.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from ....checkpoint.database import PROBLEMS, Transaction, connect
from ....checkpoint.writer import Change, Writer
from ...items.ended import Ended
from ...items.item import Item
from ..sink import Kept
from . import admission, tables
from .admission import Admitted, refused

logger = logging.getLogger("scoopmpi")
ENTRY = 600
"""Bytes of memory that a row takes beside its outputs, while it waits to be written."""
_INSERT = f"INSERT OR REPLACE INTO items VALUES ({', '.join('?' * 11)})"


class Database:
    """The file, open to be written. Raises OutputProblem where it cannot be."""

    def __init__(self, file: Admitted, columns: Sequence[str], command: str) -> None:
        self.path, self._guard = file.path, file.guard
        self._beat: Callable[[], None] = lambda: None
        try:
            self._connection = connect(file.real, "rw", file.locks)
            try:
                self._open(file.path, columns, command)
            except BaseException:
                self._connection.close()
                raise
        except PROBLEMS as problem:
            os.close(file.guard)
            raise refused(file.path, f"it cannot be written: {problem}", admission.OTHER) from None
        except BaseException:
            os.close(file.guard)
            raise

    def _open(self, path: str, columns: Sequence[str], command: str) -> None:
        run = self._connection.execute
        run("PRAGMA journal_mode=DELETE")  # a write-ahead log needs memory that hosts share
        run("PRAGMA synchronous=FULL")
        with self.transaction():
            if not run("PRAGMA application_id").fetchone()[0]:
                self._create(columns)
            found = dict(run("SELECT name, value FROM facts"))
            if found.get("columns") != json.dumps(columns):
                there = ", ".join(json.loads(found.get("columns", "[]")))
                raise refused(
                    path, f"it is of a table with other columns ({there})", admission.OTHER
                )
            self.tell(command=command, opened=_now(), run="running")
            done = "SELECT count(*) FROM items WHERE status = 0 AND why = ''"
            self.earlier = int(run(done).fetchone()[0])
            self._has_more = bool(run("SELECT EXISTS (SELECT 1 FROM more)").fetchone()[0])

    def _create(self, columns: Sequence[str]) -> None:
        run = self._connection.execute
        run(f"PRAGMA application_id={tables.APPLICATION}")
        run(f"PRAGMA user_version={tables.VERSION}")
        for table in tables.TABLES:
            run(table)
        run(tables.view(columns))
        self.tell(made=_now(), columns=json.dumps(columns))

    def on_progress(self, tell: Callable[[], None]) -> None:
        """Have a function called whenever a row has got to the disk, or to its cache."""
        self._beat = tell

    def transaction(self) -> Transaction:
        """Return a block that makes all its changes or none."""
        return Transaction(self._connection, "IMMEDIATE")

    def tell(self, **facts: str) -> None:
        """Note facts about the run."""
        self._connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", facts.items())

    def save(self, columns: str, ended: Ended) -> None:
        """Write how an item has ended, in the place of what an earlier run has written.

        columns: its values, as JSON.
        """
        run, number = self._connection.execute, ended.number
        why = tables.plain(ended.why)
        first = ended.out[: tables.PIECE], ended.err[: tables.PIECE]
        run(
            _INSERT,
            (number, ended.digest, columns, ended.status, why, ended.worker, ended.host,
             ended.started, ended.seconds, *first),
        )  # fmt: skip
        if self._has_more:
            run("DELETE FROM more WHERE number=?", (number,))
        for stream, data in ((1, ended.out), (2, ended.err)):
            for piece, part in enumerate(_behind(data), 1):
                self._has_more = True
                run("INSERT INTO more VALUES (?, ?, ?, ?)", (number, stream, piece, part))
                self._beat()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()
        os.close(self._guard)


def _behind(data: bytes) -> Iterator[memoryview]:
    for start in range(tables.PIECE, len(data), tables.PIECE):
        yield memoryview(data)[start : start + tables.PIECE]


class Results:
    """Takes the outputs of items into a results file.

    path: of the file, made where there is none. columns: of the sweep's items. command: its name.
    Raises OutputProblem where the file is something else, or cannot be written.
    """

    def __init__(self, path: str, columns: Sequence[str], command: str, kept: Kept) -> None:
        admitted = admission.for_writing(path)
        if not admitted.locks:
            text = "results %s: its file system has no locks; no second run may write it now"
            logger.warning(text, path)
        self._columns, self._kept = [tables.plain(column) for column in columns], kept
        self._database = Database(admitted, self._columns, command)
        self.earlier = self._database.earlier
        """How many items earlier runs have done, by this file."""
        self._writer = Writer(self._database, what="results")
        self._values: dict[int, tuple[str, ...]] = {}
        self._problem: Exception | None = None

    def expected(self, item: Item) -> None:
        """Hear which values an item has that is about to be run."""
        self._values[item.number] = item.values

    def add(self, ended: Ended) -> None:
        """Have an item's output written."""
        if self._problem is not None:
            raise self._problem
        values = map(tables.plain, self._values.pop(ended.number))
        columns = json.dumps(dict(zip(self._columns, values, strict=True)))
        write = partial(self._database.save, columns, ended)
        size = len(ended.out) + len(ended.err) + ENTRY
        self._writer.give(Change(write, size, 1, partial(self._is_kept, ended)))

    def show(self) -> None:
        """Print nothing."""

    def close(self, hurry: bool = False) -> int:
        """Write what waits; return how many items are missing in the file."""
        return self._writer.close(Change(partial(self._database.tell, run="ended", ended=_now())))

    def _is_kept(self, ended: Ended) -> None:
        """Say so; what that raises is for the sweep, not for the thread that writes."""
        try:
            self._kept(ended)
        except Exception as problem:
            self._problem = problem


def _now() -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S %z")
