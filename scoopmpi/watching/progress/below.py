"""Lines below what a program writes, on the same terminal: drawn, taken away before each write.

The cursor stays where the program has left it, above our lines: text of ours is never in a line of
the program's, a prompt stands where it stood, and what writes past us (C code, child processes)
finds an empty line to begin with. Nothing is hidden or set that a killed process would leave
behind. Bytes only: what the lines say is not decided here. A terminal that takes nothing holds up
who prints, and nobody else.

All with the outlet's lock held: nobody writes between taking away and drawing.
"""

from __future__ import annotations

import os
import re
import select
import time
from collections.abc import Callable, Sequence
from functools import partial

from ...concurrency.periods import TERMINAL_SECONDS
from ...concurrency.signal_scopes import uninterrupted
from ...output.outlet import Outlet
from .modes import reads_lines
from .nonblocking import Nonblocking

CLEAR = b"\x1b[J"
"""All behind the cursor, and all lines below."""
CLEAR_BELOW = b"\x1b7\x1b[B\r\x1b[J\x1b8"
"""All lines below that of the cursor, in which text of the program stands open."""
AT_ONCE = 10
"""How often lines are drawn again behind a write, between two drawings of our own: a program that
prints a hundred lines a second has them steadily, one that prints more is not held up."""
WIDEST = 1 << 20
"""Columns: more than any terminal has."""
ASIDE = 0.02
"""Seconds for whoever reads a pipe to write to the terminal what has just come."""
LONGEST_HALF = 70
"""Bytes at the end of a write that may be the first half of something."""
_MOVES = re.compile(rb"[\n\v\f\t\x1b]")
"""What may leave the cursor's line."""
_HALVED = re.compile(
    rb"(?:[\xc0-\xf7]|[\xe0-\xf7][\x80-\xbf]|[\xf0-\xf7][\x80-\xbf]{2}"
    rb"|\x1b(?:[\[\]P][^A-Za-z\x07]{0,64})?)$"
)
"""May be the first half of a letter, or of what moves a cursor: it is not cut in two."""


class Below:
    """Our lines below one file.

    fd: the terminal. outlet: who writes there.
    stay: called for the lines that shall stay, when the program writes next or we draw.
    ours: False while somebody else has the terminal; None: the terminal tells.
    """

    def __init__(
        self, fd: int, outlet: Outlet, stay: Callable[[], Sequence[bytes]] = tuple,
        ours: Callable[[], bool] | None = None,
    ) -> None:  # fmt: skip
        self._fd, self._outlet, self._stay = fd, outlet, stay
        self._ours = ours or partial(reads_lines, fd)
        self._lines: Sequence[bytes] = ()
        self._kept: list[bytes] = []  # lines that stay, once the program's own line has ended
        self._drawing = Nonblocking(fd)
        self._drawn = self._open = self._halved = False
        self._credit = 0
        self._column = self._columns = 0  # where the cursor is at most, of how many
        self._hidden = -ASIDE

    @property
    def size(self) -> tuple[int, int]:
        """Return how many columns and rows the terminal has, 0 for what it does not say."""
        try:
            return tuple(os.get_terminal_size(self._fd))  # type: ignore[return-value]
        except OSError:
            return 0, 0

    def show(self, lines: Sequence[bytes]) -> None:
        """Draw these lines in the place of those that are there; none takes them away."""
        outlet = self._outlet
        with outlet.lock:
            if outlet.below is not self:
                outlet.below, self._open = self, outlet.open
                self._column = WIDEST if self._open else 0
            self._lines, self._credit, self._columns = lines, AT_ONCE, self.size[0]
            if not self._taken():
                staying = self._staying()
                self._lines = lines
                self._drawing.write(staying + self._image())
            if not lines and not self._kept and not self._drawn and not self._drawing.rest:
                outlet.below = None

    def leave(self) -> None:
        """Take all lines away, after those that stay, and be gone."""
        outlet = self._outlet
        with outlet.lock:
            if outlet.below is not self and not self._kept:
                self._open = outlet.open
                if not self._collect():
                    return
            self._lines = ()
            end = b"\n" if self._open and (self._kept or self._collect()) else b""
            gone = self._gone()
            self._open = False
            self._drawing.write(gone + end + self._staying(), TERMINAL_SECONDS)
            if not self._drawing.rest:  # else it comes with what the program writes next
                outlet.below = None

    def hide(self) -> None:
        """Take the lines away for a moment: another process may write now where they are."""
        if self._drawn:
            with self._outlet.lock:
                if not self._taken():
                    self._drawing.write(self._gone())
        self._hidden = time.monotonic()

    def around(self, data: bytes) -> bytes:
        """Return what to write so that our lines stand below these bytes of the program.

        For the outlet: with its lock held.
        """
        self._halved = _HALVED.search(data, max(len(data) - LONGEST_HALF, 0)) is not None
        rest, self._drawing.rest = self._drawing.rest, b""
        if self._beside(data) and (self._open or not self._collect()):
            self._open = True
            return rest + data
        before = self._gone() + (b"" if self._open else self._staying())
        self._open = not data.endswith(b"\n")
        after = b"" if self._open else self._staying()
        self._column = len(data) if self._open else 0
        if self._open or self._credit <= 0 or self._taken():
            return rest + before + data + after
        self._credit -= 1
        return rest + before + data + after + self._image()

    def _beside(self, data: bytes) -> bool:
        """True where bytes stay in the line of the cursor, so that our lines may stand as they are.

        A part of a line, or a bar of the program's own that begins with a carriage return.
        """
        _, returned, text = data.rpartition(b"\r")
        self._column = len(text) + (0 if returned else self._column)  # letters are bytes or more
        fits = self._drawn and self._column < self._columns
        return fits and not self._halved and not _MOVES.search(data)

    def _taken(self) -> bool:
        """True where somebody else has the terminal, or it takes nothing now."""
        if self._halved or time.monotonic() - self._hidden < ASIDE or not self._ours():
            return True
        if self._drawing.rest:
            self._drawing.write(b"")
            if self._drawing.rest:
                return True
        return not select.select((), (self._fd,), (), 0)[1]

    def _collect(self) -> bool:
        with uninterrupted:
            try:
                self._kept += self._stay()
            except Exception:  # it may be in a print of the program: that shall not fail
                self._stay = tuple
        return bool(self._kept)

    def _staying(self) -> bytes:
        """Return the lines that stay, unless a line of the program stands open; for once."""
        if not self._collect() or self._open:
            return b""
        kept, self._kept = self._kept, []
        gone, self._lines = self._gone(), ()  # they would say what is over: new ones come soon
        return gone + b"".join(line + b"\r\n" for line in kept)

    def _gone(self) -> bytes:
        drawn, self._drawn = self._drawn, False
        return b"" if not drawn else CLEAR_BELOW if self._open else CLEAR

    def _image(self) -> bytes:
        """Return what draws the lines: room for them first, as the screen may end here."""
        lines = self._lines
        if not lines:
            return self._gone()
        self._drawn = True
        here = b"" if self._open else b"\x1b[K"  # it may be a line of ours, after another's newline
        room = b"\x1bD" * len(lines) + b"\x1b[%dA" % len(lines)
        drawn = b"".join(b"\r\n" + line + b"\x1b[K" for line in lines)
        return here + room + b"\x1b7" + drawn + b"\x1b[J\x1b8"


class Apart:
    """Takes lines away before each write to another file, which may come to their terminal too: to
    a pipe, as in `| tee log`.

    below: has the lines.
    """

    def __init__(self, below: Below) -> None:
        self._below = below

    def around(self, data: bytes) -> bytes:
        """Return what to write in the place of bytes of the program: the same."""
        self._below.hide()
        return data
