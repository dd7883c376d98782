"""The tables of a checkpoint and their rows, over one connection to SQLite.

What a part's rows say is checked in `rows`, the structure of the file by SQLite. A rollback
journal, never a write-ahead log: that needs shared memory, which network file systems lack
(sqlite.org/wal.html). synchronous=FULL: what was committed outlives a power cut too. One thread
at a time; who that is, is the caller's business.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

from ..concurrency.periods import CHECKPOINT_FREE_SECONDS
from . import file_checks
from .file_checks import CheckpointError, refused
from .rows import Piece, Pieces, Row, Saved, decoded

TABLES = (
    "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT)",
    "CREATE TABLE functions (job INTEGER PRIMARY KEY, name TEXT, digest BLOB)",
    "CREATE TABLE parts (job INTEGER, start INTEGER, piece INTEGER, stop INTEGER, digest BLOB, "
    "plain INTEGER, failed BLOB, size INTEGER, checksum BLOB, head BLOB, data BLOB, "
    "PRIMARY KEY (job, start, piece))",
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
        uri=True, isolation_level=None, check_same_thread=False, timeout=CHECKPOINT_FREE_SECONDS,
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


class Database:
    """An open file. Raises sqlite3.Error where it cannot be written or read."""

    def __init__(self, path: str, real: str, locks: bool) -> None:
        self.path = path
        self.connection = connect(real, "rw", locks)
        self._progress: Callable[[], None] = lambda: None
        self._ends: dict[int, int] = {}  # of jobs: behind the last of its parts
        self._before: dict[int, tuple[tuple[str, bytes] | None, int | None]] = {}
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
        self._ends = dict(run("SELECT job, max(stop) FROM parts GROUP BY job").fetchall())
        functions = run("SELECT job, name, digest FROM functions").fetchall()
        self.functions: dict[int, tuple[str, bytes]] = {
            job: (name, digest) for job, name, digest in functions if type(digest) is bytes
        }

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
        """Return a block that makes all its changes or none; call `undone` where it raises."""
        self._before = {}
        return Transaction(self.connection, kind)

    def undone(self) -> None:
        """Know of the jobs what was known before the last transaction, which has failed."""
        for job, (function, end) in self._before.items():
            self.functions.pop(job, None)
            self._ends.pop(job, None)
            if function is not None:
                self.functions[job] = function
            if end is not None:
                self._ends[job] = end

    @property
    def jobs(self) -> set[int]:
        """The jobs of which there may be parts."""
        return set(self._ends)

    def tell(self, **facts: str) -> None:
        """Note facts about the run."""
        for item in facts.items():
            self.connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", item)

    def fact(self, name: str) -> str | None:
        """Return what was told under a name, None where nothing was."""
        words = "SELECT value FROM facts WHERE name=?"
        found = self.connection.execute(words, (name,)).fetchone()
        return found[0] if found is not None and isinstance(found[0], str) else None

    def save(self, part: Row, name: str, function: bytes) -> None:
        """Write a part; remove those that it overlaps, and all that another function has made."""
        self._before.setdefault(part.job, (self.functions.get(part.job), self._ends.get(part.job)))
        if self.functions.get(part.job) != (name, function):
            self._take_over(part.job, name, function)
        if part.start < self._ends.get(part.job, 0):
            self._make_room(part)
        self._ends[part.job] = max(part.stop, self._ends.get(part.job, 0))
        first, *others = part.data.pieces or [b""]
        self.connection.execute(
            "INSERT INTO parts VALUES (?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?)",
            (part.job, part.start, part.stop, part.digest, part.plain, part.failed,
             part.data.size, part.checksum(function), part.data.head, first),
        )  # fmt: skip
        self._progress()
        for number, piece in enumerate(others, 1):
            self.connection.execute(
                "INSERT INTO parts (job, start, piece, data) VALUES (?, ?, ?, ?)",
                (part.job, part.start, number, piece),
            )
            self._progress()

    def _take_over(self, job: int, name: str, function: bytes) -> None:
        before = self.functions.get(job)
        if before is not None and before[1] != function:
            self.connection.execute("DELETE FROM parts WHERE job=?", (job,))
            self._ends.pop(job, None)
        words = "INSERT OR REPLACE INTO functions VALUES (?, ?, ?)"
        self.connection.execute(words, (job, name, function))
        self.functions[job] = name, function

    def _make_room(self, part: Row) -> None:
        words = (
            "SELECT start, stop FROM parts WHERE job=? AND start<? AND piece=0 "
            "ORDER BY start DESC LIMIT 1"
        )
        while True:  # the parts do not overlap: only the last one before the end can reach into it
            last = self.connection.execute(words, (part.job, part.stop)).fetchone()
            if last is None or last[1] <= part.start:
                return
            if not self.forget(part.job, last[0]):
                raise sqlite3.DatabaseError("it has been damaged since it was opened")

    def forget(self, job: int, start: int) -> bool:
        """Remove a part; False where there was none."""
        words = "DELETE FROM parts WHERE job=? AND start=?"
        return self.connection.execute(words, (job, start)).rowcount > 0

    def ranges(self, job: int) -> list[range]:
        """Return the tasks of each part of a job, by their start."""
        words = "SELECT start, stop FROM parts WHERE job=? AND piece=0 ORDER BY start"
        rows = self.connection.execute(words, (job,))
        return [range(*row) for row in rows if tuple(map(type, row)) == (int, int)]

    def read(self, job: int, start: int | None = None) -> Iterator[Saved | int]:
        """Read the parts of a job by their start; of those that are damaged, the start alone.

        start: only the part that begins there.
        """
        function = self.functions.get(job, ("", b""))[1]
        chosen, values = ("", (job,)) if start is None else ("AND start=? ", (job, start))
        words = f"SELECT * FROM parts WHERE job=? {chosen}ORDER BY start, piece"
        rows = map(Piece._make, self.connection.execute(words, values))
        row = next(rows, None)
        reached = 0
        while row is not None:
            part = Pieces(rows, row)
            saved = decoded(part, job, function)
            good = saved is not None and reached <= saved.start
            if saved is not None and good:
                reached = saved.stop
                yield saved
            else:
                yield row.start
            row = part.next()

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
