"""The thread that writes: it gathers what is given and commits it, at most twice a second.

Who gives never waits for the disk, unless that falls far behind. Where the file cannot be written
all is kept in memory, as far as that is bounded, and tried again: there may be room later. Which
changes there are is not known here, only in which order they were given. It serves all SQLite files
that grow while a program runs: checkpoints, and the results of a sweep.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol, TypeAlias

from ..concurrency.periods import DISK_SECONDS

logger = logging.getLogger("scoopmpi")

GATHER = 0.5
"""Seconds between two commits: an outcome is on disk within a second, that is promised."""
AGAIN = 5.0
"""Seconds until a commit that has failed is tried again."""
QUEUED = 256 << 20
"""Bytes that may wait in memory; then whoever gives more waits for the disk."""
BITE = 32 << 20
"""Bytes to commit at once, so that an end with much to write is seen to go on."""
SLOW = 50e6
"""Bytes a second that a slow disk still takes: a large result is one commit, with no progress."""


Kept: TypeAlias = Callable[[int, int], None]


class Change(NamedTuple):
    """Something to write.

    write: writes it, within a transaction. size: its bytes in memory. results: how many it holds.
    kept: told when it is in the file for good, by the thread that writes.
    """

    write: Callable[[], None]
    size: int = 0
    results: int = 0
    kept: Callable[[], None] | None = None


class Written(Protocol):
    """The file, open."""

    path: str

    def on_progress(self, tell: Callable[[], None]) -> None:
        """Have a function called whenever a piece has got to the disk, or to its cache."""

    def transaction(self) -> AbstractContextManager[None]:
        """Return a block that makes all its changes or none."""

    def close(self) -> None:
        """Let go of the file."""


class Writer:
    """Writes changes in the order in which they are given.

    guard: held while it writes; who holds it may read.
    kept: told of outcomes that are in the file for good, how many and of how many bytes, by the
        thread that writes.
    what: what users call such a file.
    """

    def __init__(
        self, database: Written, kept: Kept | None = None, what: str = "checkpoint"
    ) -> None:
        self._database, self._kept, self._what = database, kept, what
        database.on_progress(self._beat)
        self.guard = threading.Lock()
        self._news = threading.Condition()
        self._changes: deque[Change] = deque()
        self._bytes = 0
        self._committing = 0
        self._given = self._written = self._wanted = self._failures = 0
        self._failing = self._closing = self._warned = False
        self._dropped = 0  # results for which there was no room in memory either
        self._last = 0.0  # when it wrote last
        self._alive = time.monotonic()
        self._thread = threading.Thread(target=self._run, name=what, daemon=True)
        self._thread.start()

    def give(self, change: Change) -> None:
        """Have a change written; wait only while too many bytes wait already."""
        with self._news:
            while self._bytes > QUEUED and not self._failing and not self._closing:
                self._news.wait()
            if self._closing or (self._bytes > QUEUED and change.size):
                self._dropped += change.results
                return
            self._changes.append(change)
            self._bytes += change.size
            self._given += 1
            self._news.notify_all()

    def flush(self) -> None:
        """Wait until all that was given is written, or could not be."""
        with self._news:
            wanted = self._wanted = self._given
            failures = self._failures
            self._news.notify_all()
            while self._written < wanted and self._failures == failures and not self._closing:
                self._news.wait()

    def close(self, last: Change) -> int:
        """Write what waits, then `last` in any case; return how many results are missing.

        It returns early where the disk hangs.
        """
        with self._news:
            self._changes.append(last)
            self._closing = True
            self._news.notify_all()
        self._beat()
        while self._thread.is_alive() and time.monotonic() - self._alive < self._patience:
            self._thread.join(0.05)
        hangs = self._thread.is_alive()
        with self._news:
            missing = self._dropped + sum(change.results for change in self._changes)
        if missing or hangs:
            why = "the disk does not answer" if hangs else "the file could not be written"
            logger.warning(
                "%s %s: %d results are missing in it: %s",
                self._what, self._database.path, missing, why,
            )  # fmt: skip
        return missing

    def fail(self, problem: Exception) -> None:
        """Note that something could not be written, and tell the user the first time."""
        with self._news:
            self._failing = True
            self._failures += 1
            first, self._warned = not self._warned, True
            self._news.notify_all()
        if first:
            logger.warning(
                "%s %s cannot be written: %s; the program goes on, "
                "what is not written is kept in memory up to %d MiB and tried again",
                self._what, self._database.path, problem, QUEUED >> 20,
            )  # fmt: skip

    @property
    def _patience(self) -> float:
        return DISK_SECONDS + self._committing / SLOW

    def _beat(self) -> None:
        self._alive = time.monotonic()

    def _run(self) -> None:
        while True:
            self._wait()
            done = self._write(self._bite())
            if self._closing and (not done or not self._changes):
                break
        if self._changes and self._attempt([self._changes[-1]]) is None:
            self._changes.pop()
        with self.guard:
            try:
                self._database.close()
            except sqlite3.Error as problem:
                self.fail(problem)

    def _wait(self) -> None:
        """Wait until it is time to write something, or to end."""
        with self._news:
            while not self._changes and not self._closing:
                self._news.wait()
            while True:
                at_once = self._closing or self._written < self._wanted or self._bytes >= BITE
                pause = AGAIN if self._failing else GATHER
                left = self._last + pause - time.monotonic()
                if self._closing or left <= 0 or (at_once and not self._failing):
                    return
                if self._failing and self._written < self._wanted:
                    self._wanted = 0  # one attempt for each request
                    return
                self._news.wait(left)

    def _bite(self) -> list[Change]:
        found, size = [], 0
        with self._news:
            for change in self._changes:
                found.append(change)
                size += change.size
                if size >= BITE:
                    break
        return found

    def _write(self, changes: list[Change]) -> bool:
        """Commit once; what could not be written stays in front."""
        self._committing = sum(change.size for change in changes)
        problem = self._attempt(changes)
        if problem is not None:
            self._last = time.monotonic()
            self.fail(problem)
            return False
        with self._news:
            self._last = time.monotonic()
            for change in changes:
                self._changes.popleft()
                self._bytes -= change.size
            self._written += len(changes)
            self._failing = False
            self._news.notify_all()
        if self._kept is not None and (results := sum(change.results for change in changes)):
            self._kept(results, self._committing)
        for change in changes:
            if change.kept is not None:
                change.kept()
        return True

    def _attempt(self, changes: list[Change]) -> Exception | None:
        with self.guard:
            try:
                with self._database.transaction():
                    for change in changes:
                        change.write()
                        self._beat()
                self._beat()
            except Exception as problem:  # the thread must live, the program goes on in any case
                return problem
        return None
