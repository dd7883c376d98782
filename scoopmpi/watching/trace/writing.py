"""The reader behind `--trace`: a file that a time line is drawn from, whole at any time.

An event costs a tuple where it is told. A thread of the file's own has a `book` make of it what
stands in the file, twice a second; behind that stand, until more comes, the batches that run.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from ...process import named_files
from ..door import EVENTS
from ..grown_file import GrownFile
from ..observer import Observer
from . import form
from .book import Book
from .reading import is_trace

Ends: TypeAlias = Callable[[], float | None]
logger = logging.getLogger("scoopmpi")

_UNWRITTEN = 64 << 20
"""Bytes that wait for a disk that takes none; what comes then is missing."""


class TraceFile(GrownFile):
    """Writes what a book makes of events.

    head: the first line. began: when the run has, in seconds since 1970. ends: as of `begun`. See
    `GrownFile`.
    """

    end = form.END

    def __init__(self, path: str, fd: int, head: str, began: float, ends: Ends) -> None:
        self.events: deque[tuple[float, str, tuple[Any, ...]]] = deque()
        """When, by the clock of `time.monotonic`, which event, and what it says."""
        self._ends = ends
        self._epoch = began - time.monotonic()
        self._lines: list[str] = []
        self._head = head
        self._size = self._dropped = 0
        self._failed = False
        self.book = Book(self._line, began, socket.gethostname())
        super().__init__(path, "trace", fd)

    def _line(self, line: str) -> None:
        if self._size > _UNWRITTEN:
            self._dropped += 1
            return
        self._size += len(line)
        self._lines.append(line)

    def _hear(self) -> None:
        """Have the book hear all events that have been told; one that fails hears no more."""
        try:
            if not self._failed:
                self._hear_all()
        except Exception as problem:
            self._fail(problem)
        if self._failed:
            self.events.clear()

    def _fail(self, problem: Exception) -> None:
        self._failed = True
        logger.warning(
            "trace %s: it ends here, the run goes on: %s: %s",
            self._path, type(problem).__name__, problem,
        )  # fmt: skip

    def _hear_all(self) -> None:
        events, hear, epoch = self.events, self.book.hear, self._epoch
        status: int | None = None
        for _ in range(len(events)):
            at, event, facts = events.popleft()
            hear(epoch + at, event, facts)
            if event == "farm_closed":
                status = facts[0]
        now = epoch + time.monotonic()
        if status is None:
            self.book.look(now)
        else:
            self.book.close(now, status, self._ends())

    # What the file asks.

    def _taken(self) -> bytes:
        self._hear()
        lines, self._lines, self._size = self._lines, [], 0
        if not lines:
            return b""
        text = "\n,".join(lines)
        before = self._head or ","
        self._head = ""
        return f"{before}{text}\n".encode()

    def _to_stand_behind(self) -> bytes:
        try:
            running = () if self._failed else self.book.running()
            return "".join(f",{line}\n" for line in running).encode() + self.end
        except Exception as problem:
            self._fail(problem)
            return self.end

    def _refused(self) -> None:
        self._hear()

    def _missing(self) -> int:
        return self._dropped + len(self._lines)


class TraceWriter(Observer):
    """Writes the trace of one farm.

    file: takes it. path: of the file.
    """

    asks_workers = True

    def __init__(self, file: TraceFile, path: str) -> None:
        self._file, self._path = file, path

    def farm_closed(self, status: int) -> None:
        self._file.events.append((time.monotonic(), "farm_closed", (status,)))
        self._file.close()
        shortest = self._file.book.spans.ration.shortest
        if shortest:
            said = f"there were so many batches that those below {shortest:g} s are put together"
            print(f"scoopmpi: --trace {self._path}: {said}", file=sys.stderr, flush=True)


def _told(event: str) -> Callable[..., None]:
    """Return what hears an event: it keeps it for the thread."""

    def tell(self: TraceWriter, *facts: Any) -> None:
        self._file.events.append((time.monotonic(), event, facts))

    return tell


for _event in EVENTS:
    if _event not in ("farm_closed", "tasks_ran"):
        setattr(TraceWriter, _event, _told(_event))


def begun(
    option: str, name: str, about: Mapping[str, Any], ends: Ends = lambda: None
) -> TraceWriter:
    """Open the file that an option names, and say what has become of that of a former run.

    about: what its head says beside the time. ends: when the batch job is ended, in seconds since
    1970; asked when the run is over. Raises NameProblem where it cannot be written.
    """
    path = named_files.named(option, name)
    if os.path.isfile(path) and os.path.getsize(path) and not is_trace(path):
        raise named_files.NameProblem(f"{option} {path} cannot be written: it holds something else")
    former = named_files.put_aside(path)
    if os.path.exists(path) and not os.path.isfile(path):
        raise named_files.NameProblem(f"{option} {path} cannot be written: it is no plain file")
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    except OSError as problem:
        why = f"{option} {path} cannot be written: {problem.strerror}"
        raise named_files.NameProblem(why) from None
    if former is not None:
        text = named_files.moved(option, path, former)
        print(f"scoopmpi: {text}", file=sys.stderr, flush=True)
    began = time.time()
    head = form.head({**about, "began": began})
    return TraceWriter(TraceFile(path, fd, head, began, ends), path)
