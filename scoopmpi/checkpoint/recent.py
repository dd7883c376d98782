"""Parts of a checkpoint that were read last, opened: tasks that have moved ask one by one.

Nothing here reads the file.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, NamedTuple

from ..wire import payload
from .rows import Saved

READ = 64 << 20
"""Bytes of parts that stay in memory when they have been read, and one part more."""


class One(NamedTuple):
    """One outcome of a part: a value where it is plain, else its frame.

    raised: whether that is of an exception. failed: whether it is, or the value says so.
    """

    plain: bool
    outcome: Any
    raised: bool
    failed: bool


class Opened(NamedTuple):
    """A part, and its outcomes one by one."""

    saved: Saved
    outcomes: Sequence[Any]


class Recent:
    """The parts that were read last: tasks that have moved ask for one after the other."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a signal's handler may use the farm
        self._parts: OrderedDict[int, tuple[Opened, int]] = OrderedDict()
        self._bytes = 0

    def get(self, part: int) -> Opened | None:
        """Return a part if it is there."""
        with self._lock:
            found = self._parts.get(part)
            return None if found is None else found[0]

    def add(self, part: int, opened: Opened) -> None:
        """Keep a part, and drop the oldest where all together are large."""
        saved = opened.saved
        frames = (saved.outcomes,) if saved.plain else saved.outcomes
        # A value takes some 60 bytes and its frame a few; lists of them are the larger.
        size = sum(map(payload.size, frames)) + len(saved.arguments) + 60 * len(opened.outcomes)
        with self._lock:
            if part not in self._parts:
                self._parts[part] = opened, size
                self._bytes += size
            while len(self._parts) > 1 and self._bytes > READ:
                self._bytes -= self._parts.popitem(last=False)[1][1]
