"""The bar as the command draws it, which writes all that a job prints to the user's terminal.

So nothing can come between: neither C code nor what tasks start, which write past rank 0. What has
come passes here on its way, with rank 0's rows in it (`relayed`), in whatever thread.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from ...concurrency.periods import TERMINAL_SECONDS
from ...output.outlet import Outlet
from .relayed import Message, Taken

if TYPE_CHECKING:  # rich is loaded with it, when there is something to draw
    from .display import Bar
    from .row import Row

STDERR = 2


class Received:
    """Writes what a job prints, and draws the bar below where that is the user's terminal.

    env: the settings of the user. ours: False while somebody else has the terminal.
    """

    def __init__(self, env: Mapping[str, str], ours: Callable[[], bool]) -> None:
        self._env, self._ours = env, ours
        self._taken: dict[int, Taken] = defaultdict(Taken)
        self._outlets: dict[int, Outlet] = {}  # by descriptor; one for all that are the terminal
        self._bar: Bar | None = None
        self._stay: list[Row] = []

    def write(self, target: int, data: bytes, source: int | None = None) -> None:
        """Write what has come for a descriptor of ours; draw what rank 0 says of jobs in it.

        source: tells apart on which way it has come, in pieces; None: the only one of that
        descriptor. No data: no more comes there.
        """
        outlet = self._outlet(target)
        with outlet.lock:
            for piece in self._taken[target if source is None else source].take(data):
                if isinstance(piece, bytes):
                    outlet.put(target, piece, threading.get_ident())
                    continue
                with suppress(Exception):  # no fault of watching stops a job
                    self._show(piece)

    def sift(self, target: int, data: bytes) -> bytes:
        """Return what is to be written of what has come for a descriptor; draw nothing."""
        return b"".join(x for x in self._taken[target].take(data) if isinstance(x, bytes))

    def put_text(self, target: int, data: bytes) -> None:
        """Write what is known to be text for a descriptor of ours."""
        outlet = self._outlet(target)
        with outlet.lock:
            outlet.put(target, data, threading.get_ident())

    def leave(self) -> None:
        """Take the bar away: the job is over, in whatever way, or another has the terminal now."""
        outlet = self._outlet(STDERR)
        if self._bar is not None and outlet.lock.acquire(timeout=TERMINAL_SECONDS):
            try:
                self._bar.leave()
            finally:
                outlet.lock.release()

    def _show(self, message: Message) -> None:
        if self._bar is None:
            from .display import Bar

            encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
            outlet = self._outlet(STDERR)
            self._bar = Bar(STDERR, outlet, self._staying, self._env, encoding, self._ours)
            self._bar.keep_clear_of(1, self._outlet(1))
        self._stay += message.stay
        if message.ended:
            self._bar.leave()
        else:
            most = self._bar.most
            rows = message.rows
            self._bar.show(rows if len(rows) <= most else [*rows[: most - 1], rows[-1]])

    def _staying(self) -> list[Row]:
        found, self._stay = self._stay, []
        return found

    def _outlet(self, target: int) -> Outlet:
        """Return who writes to a descriptor."""
        if target not in self._outlets:
            same = target == STDERR or not _same(target)
            found = Outlet() if same else self._outlet(STDERR)
            found.takes(target)
            self._outlets[target] = found
        return self._outlets[target]


def _same(target: int) -> bool:
    """True where a descriptor is the terminal that is our stderr."""
    try:
        return os.isatty(target) and os.path.sameopenfile(target, STDERR)
    except OSError:
        return False
