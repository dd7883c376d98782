"""The file of a checkpoint as SQLite has it: how it is opened and checked, and what is written.

What stands in its tables is read in `tables`, their structure is checked by SQLite. A rollback
journal, never a write-ahead log: that needs shared memory, which network file systems lack
(sqlite.org/wal.html). synchronous=FULL: what was committed outlives a power cut too. One thread
at a time; who that is, is the caller's business.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from ..concurrency.periods import FILE_FREE_SECONDS
from . import file_checks
from .file_checks import CheckpointError, refused
from .rows import Row
from .tables import Function, Job, Move, Tables

TABLES = (
    "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT)",
    "CREATE TABLE functions (function INTEGER PRIMARY KEY, name TEXT, digest BLOB, run INTEGER)",
    "CREATE TABLE jobs (job INTEGER PRIMARY KEY, function INTEGER, tasks INTEGER, moved INTEGER)",
    "CREATE TABLE parts (part INTEGER, piece INTEGER, function INTEGER, job INTEGER, "
    "start INTEGER, stop INTEGER, digest BLOB, plain INTEGER, failed BLOB, instead BLOB, "
    "size INTEGER, checksum BLOB, arguments BLOB, head BLOB, data BLOB, "
    "PRIMARY KEY (part, piece))",
    "CREATE TABLE moves (job INTEGER, function INTEGER, start INTEGER, stop INTEGER, "
    "part INTEGER, place INTEGER)",
    "CREATE INDEX places ON parts (job, start) WHERE piece = 0",
    "CREATE INDEX made ON parts (function) WHERE piece = 0",
)
RUNNING, ENDED, BROKEN_OFF = "running", "ended", "broken off"
DAMAGED = "move it away to begin anew; what is readable cannot be told from what is not"
PROBLEMS = (sqlite3.Error, OverflowError, ValueError, MemoryError)
"""What a damaged file may raise; ValueError where SQLite's own message is no UTF-8 any more."""


def connect(real: str, mode: str, locks: bool = True) -> sqlite3.Connection:
    """Return a connection that believes as little as possible.

    mode: as in an URI of SQLite's. locks: False where the file system has none.
    """
    words = mode if locks else f"{mode}&vfs=unix-none"  # sqlite.org/vfs.html, section 2.1
    connection = sqlite3.connect(
        f"file:{quote(os.fsencode(real))}?mode={words}",
        uri=True, isolation_level=None, check_same_thread=False, timeout=FILE_FREE_SECONDS,
    )  # fmt: skip
    connection.text_factory = lambda text: text.decode(errors="replace")
    connection.execute("PRAGMA trusted_schema=OFF")
    connection.execute("PRAGMA cell_size_check=ON")
    return connection


def checked(connection: sqlite3.Connection, path: str, real: str) -> None:
    """Raise CheckpointError where the file is not whole, or not a checkpoint."""
    try:
        found = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
        if not os.path.getsize(real):
            return  # the making of it was undone
        if os.path.getsize(real) % _number(connection, "page_size"):
            raise refused(path, "it is cut off", DAMAGED)  # SQLite would take zeros for the rest
        answers = connection.execute("PRAGMA integrity_check(1)").fetchall()
        if answers != [("ok",)]:
            said = " ".join(str(answers[0][0]).split())
            raise refused(path, f"it is damaged ({said})", DAMAGED)
        if (_number(connection, "application_id"), _number(connection, "user_version")) != (
            file_checks.APPLICATION, file_checks.VERSION,
        ):  # fmt: skip
            raise refused(path, "its first bytes are damaged", DAMAGED)
    except PROBLEMS as problem:
        raise unreadable(path, problem) from None
    if sorted(sql for (sql,) in found) != sorted(TABLES):
        raise refused(path, "its tables are not those of a checkpoint", DAMAGED)


def unreadable(path: str, problem: Exception) -> CheckpointError:
    """Return the error that tells the user what SQLite's refusal to go on means."""
    if "locked" in str(problem):
        return file_checks.in_use(path)
    return refused(path, f"it is damaged or cannot be read ({problem})", DAMAGED)


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    number: int = connection.execute(f"PRAGMA {pragma}").fetchone()[0]
    return number


def _blank(connection: sqlite3.Connection) -> bool:
    """True where the file was empty: any other without our mark was refused before."""
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    return not tables and not _number(connection, "application_id")


_INSERT = f"INSERT INTO parts VALUES ({', '.join('?' * 15)})"


class Database(Tables):
    """An open file, to be written. Raises sqlite3.Error where it cannot be written or read."""

    def __init__(self, path: str, real: str, locks: bool) -> None:
        self.path = path
        super().__init__(connect(real, "rw", locks))
        self._progress: Callable[[], None] = lambda: None
        try:
            self._open(path, real)
        except BaseException:
            self.connection.close()
            raise

    def on_progress(self, tell: Callable[[], None]) -> None:
        """Have a function called whenever a piece has got to the disk, or to its cache."""
        self._progress = tell

    def _open(self, path: str, real: str) -> None:
        run = self.connection.execute
        run("PRAGMA synchronous=FULL")
        run("PRAGMA temp_store=MEMORY")
        if os.path.getsize(real):  # first: already the lock for writing repairs what it can
            checked(self.connection, path, real)
        try:
            run("PRAGMA locking_mode=EXCLUSIVE")
            with self.transaction("EXCLUSIVE"):  # the lock stays
                if _blank(self.connection):
                    self._create(path)
        except PROBLEMS as problem:
            raise unreadable(path, problem) from None

    def _create(self, path: str) -> None:
        try:
            self.connection.execute(f"PRAGMA application_id={file_checks.APPLICATION}")
            self.connection.execute(f"PRAGMA user_version={file_checks.VERSION}")
            for table in TABLES:
                self.connection.execute(table)
            self.tell(made=now())
            self.connection.execute("COMMIT")
        except sqlite3.Error as problem:
            raise refused(path, f"it cannot be written: {problem}", "is there room?") from None

    def transaction(self, kind: str = "IMMEDIATE") -> Transaction:
        """Return a block that makes all its changes or none."""
        return Transaction(self.connection, kind)

    # Writing.

    def tell(self, **facts: str) -> None:
        """Note facts about the run."""
        for item in facts.items():
            self.connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", item)

    def fact(self, name: str) -> str | None:
        """Return what was told under a name, None where nothing was."""
        words = "SELECT value FROM facts WHERE name=?"
        found = self.connection.execute(words, (name,)).fetchone()
        return found[0] if found is not None and isinstance(found[0], str) else None

    def add_function(self, function: Function) -> None:
        """Note a function that some outcomes will be of."""
        self.connection.execute("INSERT OR REPLACE INTO functions VALUES (?, ?, ?, ?)", function)

    def note_job(self, job: Job) -> None:
        """Note a job as this run makes it."""
        self.connection.execute("INSERT OR REPLACE INTO jobs VALUES (?, ?, ?, ?)", job)

    def note_move(self, move: Move) -> None:
        """Note which tasks have got outcomes of elsewhere."""
        self.connection.execute("INSERT INTO moves VALUES (?, ?, ?, ?, ?, ?)", move)

    def save(self, number: int, part: Row, function: Function) -> None:
        """Write a part.

        number: its own.
        """
        first, *others = part.data.pieces or [b""]
        self.connection.execute(
            _INSERT,
            (number, 0, function.number, part.job, part.start, part.stop, part.digest, part.plain,
             part.failed, part.instead, part.data.size, part.checksum(function.digest),
             part.arguments, part.data.head, first),
        )  # fmt: skip
        self._progress()
        for count, piece in enumerate(others, 1):
            self.connection.execute(
                "INSERT INTO parts (part, piece, data) VALUES (?, ?, ?)", (number, count, piece)
            )
            self._progress()

    def forget(self, part: int) -> None:
        """Remove a part."""
        self.connection.execute("DELETE FROM parts WHERE part=?", (part,))

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()


class Transaction:
    """All changes in its block or none."""

    def __init__(self, connection: sqlite3.Connection, kind: str) -> None:
        self._connection, self._kind = connection, kind

    def __enter__(self) -> None:
        self._connection.execute(f"BEGIN {self._kind}")

    def __exit__(self, kind: Any, *_: Any) -> None:
        try:
            if kind is None and self._connection.in_transaction:
                self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:  # SQLite has not undone it by itself
                self._connection.execute("ROLLBACK")


def now() -> str:
    """Return the time, for people."""
    return time.strftime("%Y-%m-%d %H:%M:%S %z")
