"""Unfinished lines, each with its owner: bytes go in, whole lines come out. No I/O, no MPI.

An owner is who writes one line after the other: a thread, a task. What one of them has begun is
kept until it ends the line, so that the lines of two never mix. No byte is added or altered.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable

LONGEST_LINE = 1 << 20
"""Bytes after which a line without an end is passed on all the same, so that memory is bounded."""


class Unfinished:
    """Holds the line that an owner has begun.

    task: the one that has begun it, where tasks of one owner follow another.
    """

    __slots__ = ("length", "parts", "task")

    def __init__(self, task: int) -> None:
        self.task = task
        self.parts: list[bytes] = []
        self.length = 0

    def add(self, part: bytes) -> None:
        """Add one more piece of it."""
        self.parts.append(part)
        self.length += len(part)


class Lines:
    """Holds the unfinished lines of one stream. Any thread may call, a `__del__` in between too."""

    def __init__(self) -> None:
        self._unfinished: dict[Hashable, Unfinished] = {}
        self._guard = threading.RLock()

    def text(self, owner: Hashable, data: bytes, task: int = 0) -> bytes:
        """Take what an owner writes, and return the lines that are whole now, in one piece.

        owner: who writes one line after the other. task: the number of its task, if it has several.
        """
        head, newline, tail = data.rpartition(b"\n")
        with self._guard:
            whole = self._of_others(owner, task)
            if newline:
                whole += self._taken(owner) + head + newline
            if tail:
                whole += self._kept(owner, tail, task)
        return whole

    def binary(self, owner: Hashable, data: bytes, task: int = 0) -> bytes:
        """Take bytes that may be no text: not divided where one happens to be a newline."""
        with self._guard:
            whole = self._of_others(owner, task)
            if data.endswith(b"\n"):
                return whole + self._taken(owner) + data
            return whole + self._kept(owner, data, task) if data else whole

    def rest(self, owner: Hashable, before: int | None = None) -> bytes:
        """Take and return what an owner has begun and will not end.

        before: only what its tasks with numbers below this have begun.
        """
        with self._guard:
            unfinished = self._unfinished.get(owner)
            if unfinished is None or (before is not None and unfinished.task >= before):
                return b""
            return self._taken(owner)

    def owners(self) -> list[Hashable]:
        """Return those who have begun a line."""
        with self._guard:
            return list(self._unfinished)

    def begun(self, owner: Hashable, task: int) -> bool:
        """Return True where this task of an owner stands in the middle of a line."""
        unfinished = self._unfinished.get(owner)
        return unfinished is not None and unfinished.task == task

    def __bool__(self) -> bool:
        return bool(self._unfinished)

    def _of_others(self, owner: Hashable, task: int) -> bytes:
        """Take the rest of an earlier task of the same owner."""
        unfinished = self._unfinished.get(owner)
        return self._taken(owner) if unfinished is not None and unfinished.task != task else b""

    def _kept(self, owner: Hashable, part: bytes, task: int) -> bytes:
        unfinished = self._unfinished.get(owner)
        if unfinished is None:
            unfinished = self._unfinished[owner] = Unfinished(task)
        unfinished.add(part)
        return self._taken(owner) if unfinished.length > LONGEST_LINE else b""

    def _taken(self, owner: Hashable) -> bytes:
        unfinished = self._unfinished.pop(owner, None)
        return b"" if unfinished is None else b"".join(unfinished.parts)
