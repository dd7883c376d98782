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
    """The line that an owner has begun. task: who has, where tasks of one owner follow another."""

    __slots__ = ("length", "parts", "task")

    def __init__(self, task: int) -> None:
        self.task = task
        self.parts: list[bytes] = []
        self.length = 0

    def add(self, part: bytes) -> None:
        """One more piece of it."""
        self.parts.append(part)
        self.length += len(part)


class Lines:
    """The unfinished lines of one stream. Any thread may call, a `__del__` in between too."""

    def __init__(self) -> None:
        self._unfinished: dict[Hashable, Unfinished] = {}
        self._guard = threading.RLock()

    def text(self, owner: Hashable, data: bytes, task: int = 0) -> bytes:
        """Take what an owner writes: the lines that are whole now, in one piece."""
        head, newline, tail = data.rpartition(b"\n")
        with self._guard:
            whole = self._of_others(owner, task)
            if newline:
                whole += self._taken(owner) + head + newline
            if tail:
                whole += self._kept(owner, tail, task)
        return whole

    def binary(self, owner: Hashable, data: bytes, task: int = 0) -> bytes:
        """The same for bytes that may be no text: not divided where one happens to be a newline."""
        with self._guard:
            whole = self._of_others(owner, task)
            if data.endswith(b"\n"):
                return whole + self._taken(owner) + data
            return whole + self._kept(owner, data, task) if data else whole

    def rest(self, owner: Hashable, before: int | None = None) -> bytes:
        """What an owner has begun and will not end; only of its tasks below `before`, if given."""
        with self._guard:
            unfinished = self._unfinished.get(owner)
            if unfinished is None or (before is not None and unfinished.task >= before):
                return b""
            return self._taken(owner)

    def owners(self) -> list[Hashable]:
        """Those who have begun a line."""
        with self._guard:
            return list(self._unfinished)

    def __bool__(self) -> bool:
        return bool(self._unfinished)

    def _of_others(self, owner: Hashable, task: int) -> bytes:
        """The rest of an earlier task of the same owner."""
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
