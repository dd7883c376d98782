"""What a checkpoint holds, as a text for a person. Read only, beside a run that writes it too."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from array import array
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import NamedTuple

from ..concurrency.periods import CHECKPOINT_READ_SECONDS
from . import database, file_checks
from .file_checks import CheckpointError, refused

_WORDS = {
    database.ENDED: "came to its end",
    database.BROKEN_OFF: "was told to end before its time",
    database.RUNNING: "is still going on, or was killed",
}
_CALLS = "(submitted calls)"


class Job(NamedTuple):
    """One job's parts, added up."""

    number: int
    function: str
    tasks: int
    ranges: str
    failed: str
    size: int


class _Part(NamedTuple):
    """What is shown of a part: its tasks, the places of those that failed, its bytes."""

    start: int
    stop: int
    failed: bytes
    size: int

    @property
    def whole(self) -> bool:
        """True where the file has values of the right types."""
        kinds = tuple(map(type, self))
        return kinds == (int, int, bytes, int)

    def failures(self) -> list[int]:
        """Return the tasks that failed."""
        places = array("Q", self.failed[: len(self.failed) // 8 * 8])
        return [self.start + place for place in places]


class Contents(NamedTuple):
    """All that is shown of a file."""

    facts: dict[str, str]
    jobs: list[Job]


def described(path: str | os.PathLike[str]) -> str:
    """Return program, times, and a table of the jobs, as text.

    path: the file.
    Raises CheckpointError where the file is none, is damaged, or is not the user's alone.
    """
    shown = os.fspath(path)
    real, _ = file_checks.admitted(shown, create=False)
    if not os.path.getsize(real):
        return f"{shown}: an empty file, in which nothing was saved yet"
    facts, jobs = _read(shown, real)
    lines = [
        f"checkpoint    {shown} (format {file_checks.VERSION}, {_bytes(os.path.getsize(real))})",
        f"program       {_line(facts.get('program', '')) or '(one executor)'}",
        f"made          {_line(facts.get('made', '?'))}",
        f"last run      from {_line(facts.get('opened', '?'))}, it "
        + _WORDS.get(facts.get("run", ""), "says nothing of its end"),
        f"last written  {_line(facts.get('written', '?'))}",
        "",
        *_table(jobs),
    ]
    tasks, size = sum(job.tasks for job in jobs), sum(job.size for job in jobs)
    lines += ["", f"{tasks} tasks of {len(jobs)} jobs, {_bytes(size)}"]
    return "\n".join(lines)


def _read(path: str, real: str) -> Contents:
    """Return what is in the file, at a moment at which nobody writes."""
    deadline = time.monotonic() + CHECKPOINT_READ_SECONDS
    while True:
        before = _state(real)
        try:
            with closing(_reader(real)) as connection:
                database.checked(connection, path, real)
                found = _contents(connection)
            if before is not None and _state(real) == before:
                return found
        except database.PROBLEMS as problem:
            failure: CheckpointError = refused(path, f"it cannot be read ({problem})", "try again")
        except CheckpointError as problem:
            failure = problem
        else:
            failure = refused(path, "a run writes to it all the time", "try again")
        if before is not None and _state(real) == before:
            raise failure  # nobody has written meanwhile: it is as it is
        if time.monotonic() > deadline:
            return _restored(path, real)
        time.sleep(0.05)


def _reader(real: str) -> sqlite3.Connection:
    """Open it without a lock, which is a running program's: what is read counts if it stays."""
    return database.connect(real, "ro&immutable=1")


def _restored(path: str, real: str) -> Contents:
    """Return what is in a file whose writer seems to have been killed: undone in a copy.

    Never in its place: from another host even a running program may look like that.
    """
    try:
        with tempfile.TemporaryDirectory() as place:
            copy = os.path.join(place, "copy")
            shutil.copyfile(real, copy)
            shutil.copyfile(f"{real}-journal", f"{copy}-journal")
            with closing(database.connect(copy, "rw")) as connection:
                database.checked(connection, path, copy)
                return _contents(connection)
    except (OSError, CheckpointError, *database.PROBLEMS) as problem:
        reason = f"a run writes to it all the time, or it is damaged ({problem})"
        raise refused(path, reason, "try again") from None


def _state(real: str) -> tuple[int, int] | None:
    """Return the state of the file as it lies there; None while it is written to."""
    try:
        with open(f"{real}-journal", "rb") as journal:
            if any(journal.read(28)):  # its header; zeros once all is committed
                return None
    except OSError:
        pass
    found = os.stat(real)
    return found.st_mtime_ns, found.st_size


def _contents(connection: sqlite3.Connection) -> Contents:
    facts = {str(name): str(value) for name, value in connection.execute("SELECT * FROM facts")}
    names = dict(connection.execute("SELECT job, name FROM functions"))
    words = "SELECT job, start, stop, failed, size FROM parts WHERE piece=0 ORDER BY job, start"
    parts: dict[int, list[_Part]] = {}
    for job, *values in connection.execute(words):
        part = _Part(*values)
        if part.whole:
            parts.setdefault(job, []).append(part)
    jobs = [_job(number, str(names.get(number, "?")), found) for number, found in parts.items()]
    return Contents(facts, jobs)


def _job(number: int, name: str, parts: Sequence[_Part]) -> Job:
    spans = [(part.start, part.stop) for part in parts]
    failed = [(task, task + 1) for part in parts for task in part.failures()]
    tasks = sum(stop - start for start, stop in spans)
    name = _CALLS if number == 0 else name
    return Job(number, name, tasks, ranges(spans), ranges(failed), sum(part.size for part in parts))


def ranges(spans: Iterable[tuple[int, int]]) -> str:
    """Return spans in order as first and last numbers: `0-999, 1200`."""
    joined: list[list[int]] = []
    for start, stop in spans:
        if joined and joined[-1][1] == start:
            joined[-1][1] = stop
        else:
            joined.append([start, stop])
    words = [f"{a}" if b == a + 1 else f"{a}-{b - 1}" for a, b in joined]
    if len(words) > 12:
        words = [*words[:11], f"… {words[-1]} ({len(words)} ranges)"]
    return ", ".join(words)


def _table(jobs: Sequence[Job]) -> list[str]:
    if not jobs:
        return ["no tasks are saved"]
    rows = [("job", "function", "tasks", "size", "which", "failed")]
    rows += [
        (str(job.number), _line(job.function), str(job.tasks), _bytes(job.size), job.ranges,
         job.failed or "-")
        for job in jobs
    ]  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def _line(text: str) -> str:
    """Return text from the file, without what would move a terminal's cursor."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _bytes(size: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            break
        size, unit = size / 1024, "TiB"
    return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
