"""Rows on their way from rank 0 to the command, where that has the terminal and rank 0 has none.

They go with what rank 0 writes to stderr, through whatever launcher: each message is a line of its
own, as some launchers hand on whole lines only, and one that a terminal would not show, should it
ever come to one. The command takes them out, and draws. Bytes and rows only.
"""

from __future__ import annotations

import json
import os
import select
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from ...concurrency.signal_scopes import uninterrupted
from ...output.outlet import Outlet
from .row import Busy, Row

BEGIN, END = b"\x1b]scoopmpi;", b"\x07\n"
"""An operating system command, which terminals ignore that do not know it."""
MOST_BYTES = 1 << 16
"""Of what may be a message whose end has not come."""
LONGEST_TITLE = 100
"""Letters: no line shows more of a title."""
EVERY = 0.25
"""Seconds between two messages: as often as a bar is drawn."""
MOST_ROWS = 8
"""Rows that a message has at most: a few hundred bytes each, less than a pipe takes at once."""


class Message(NamedTuple):
    """Says what is to be shown now, and what is over and shall stay.

    ended: nothing more comes.
    """

    rows: list[Row]
    stay: list[Row]
    ended: bool = False


def packed(message: Message) -> bytes:
    """Return a message as bytes."""
    rows, stay = ([_cut(row) for row in some] for some in (message.rows, message.stay))
    return BEGIN + json.dumps((rows, stay, message.ended)).encode() + END


def _cut(row: Row) -> Row:
    return row._replace(title=row.title[:LONGEST_TITLE])


def unpacked(data: bytes) -> Message:
    """Return the message; ValueError where it is none."""
    try:
        rows, stay, ended = json.loads(data)
        return Message(list(map(_row, rows)), list(map(_row, stay)), bool(ended))
    except (TypeError, LookupError, RecursionError) as problem:
        raise ValueError(f"no message: {problem}") from None


def _row(fields: Sequence[object]) -> Row:
    row = Row(*fields)  # type: ignore[arg-type] # what is wrong there is found where it is used
    return row if row.busy is None else row._replace(busy=Busy(*row.busy))


class Relay:
    """Is the display on rank 0.

    fd, outlet: rank 0's stderr, and who writes there. stay: says what is over.
    way: the file that this descriptor was when rank 0 began, which leads to the command.
    """

    every = EVERY
    most = MOST_ROWS

    def __init__(
        self, fd: int, outlet: Outlet, stay: Callable[[], Sequence[Row]], way: os.stat_result
    ) -> None:  # fmt: skip
        self._fd, self._outlet, self._stay, self._way = fd, outlet, stay, way

    def show(self, rows: Sequence[Row], ended: bool = False) -> None:
        """Send these rows, and those that stay; not where nobody takes them now."""
        outlet = self._outlet
        with outlet.lock:
            if not rows and outlet.below is not self:
                return
            if self._taken():
                outlet.below = self if rows else None
                self._send(Message(list(rows), list(self._stay()), ended))

    def settle(self) -> None:
        """Do nothing: the next rows come soon."""

    def leave(self) -> None:
        """Send what stays, and that this is all."""
        self.show((), ended=True)

    def around(self, data: bytes) -> bytes:
        """Return what to write in the place of bytes of the program: the same. What stays is sent
        before."""
        with uninterrupted, suppress(Exception):  # the print of the program shall not fail
            if self._taken() and (stay := list(self._stay())):
                self._send(Message([], stay))
        return data

    def _taken(self) -> bool:
        """True where what we write comes to the command, which takes it now: a program may have
        redirected its stderr to a file of its own, or closed it."""
        with suppress(OSError, ValueError):
            same = os.path.samestat(os.fstat(self._fd), self._way)
            return same and bool(select.select((), (self._fd,), (), 0)[1])
        return False

    def _send(self, message: Message) -> None:
        with suppress(OSError):  # the program will hear of it itself
            os.write(self._fd, packed(message))  # a message has room in a pipe


class Taken:
    """Takes messages out of bytes that come in pieces."""

    def __init__(self) -> None:
        self._held = b""

    def take(self, data: bytes) -> list[bytes | Message]:
        """Return the messages and the bytes between them, in their order. No data: no more come."""
        last, data = not data, self._held + data
        found: list[bytes | Message] = []
        while True:
            before, begin, rest = data.partition(BEGIN)
            if not begin:
                break
            inner, end, behind = rest.partition(END)
            if not end:
                break
            found.append(before)
            with suppress(ValueError):  # bytes of another in its midst: there will be a next one
                found.append(unpacked(inner))
            data = behind
        kept = len(data) if last else _sure(data)
        self._held = data[kept:]
        return list(filter(None, [*found, data[:kept]]))


def _sure(data: bytes) -> int:
    """Return how many of these bytes are in no message, whatever comes behind."""
    begun = data.find(BEGIN)
    if begun >= 0:
        return begun if len(data) - begun < MOST_BYTES else len(data)
    for size in range(min(len(BEGIN) - 1, len(data)), 0, -1):
        if data.endswith(BEGIN[:size]):
            return len(data) - size
    return len(data)
