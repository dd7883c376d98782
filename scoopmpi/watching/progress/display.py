"""Where the display is: a bar on a terminal, or lines in a log. Both say the same of the same rows.

A display only writes. When it is time, and which rows there are, others decide (`reader`,
`overview`).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Protocol

from ...output import console
from ...output.outlet import Outlet
from . import wording
from .below import Apart, Below
from .row import Row

Stay = Callable[[], Sequence[Row]]
"""Returns the rows that shall stay, each once."""
BAR_SECONDS = 0.25
"""Between two drawings: `rich` draws as often, and the eye wants no more."""
LINE_SECONDS = 60.0
"""Between two lines of a log."""
SHARE = 3
"""The display takes a third of the rows of a terminal at most."""
MOST_ROWS = 8
LOG_ROWS = 5
USUAL_SIZE = (80, 24)
"""Of a terminal that does not say it."""


class Display(Protocol):
    """Shows rows. every: seconds between two times."""

    every: float

    @property
    def most(self) -> int:
        """Return how many rows there may be."""

    def show(self, rows: Sequence[Row]) -> None:
        """Show what stays, and these rows in the place of those before."""

    def settle(self) -> None:
        """Show what stays, between two times."""

    def leave(self) -> None:
        """Show what stays, and nothing more."""


class Log:
    """Lines in a log, each for itself. stay: says what is over. write: takes text."""

    every = LINE_SECONDS
    most = LOG_ROWS

    def __init__(self, stay: Stay, write: Callable[[bytes], None] | None = None) -> None:
        self._stay, self._write = stay, write or to_stderr

    def show(self, rows: Sequence[Row]) -> None:
        """Write a line for each row, behind those for what is over."""
        for row in (*self._stay(), *rows):
            text = f"scoopmpi: {wording.line(row)}\n"
            self._write(text.encode("utf-8", "backslashreplace"))

    def settle(self) -> None:
        """Write a line for each that is over."""
        self.show(())

    leave = settle


class Bar:
    """Lines at the bottom of a terminal.

    fd, outlet: the terminal, and who writes there. stay: says what is over. env: where the user
    may say a width. encoding: of the terminal. ours: as for `Below`.
    """

    every = BAR_SECONDS

    def __init__(
        self, fd: int, outlet: Outlet, stay: Stay, env: Mapping[str, str],
        encoding: str = "utf-8", ours: Callable[[], bool] | None = None,
    ) -> None:  # fmt: skip
        from .layout import Layout  # late: it loads rich

        self._below = Below(fd, outlet, self._staying, ours)
        self._layout, self._stay = Layout(encoding), stay
        self._columns = _number(env.get("COLUMNS", ""))

    @property
    def most(self) -> int:
        """Return how many rows have room."""
        return max(1, min(MOST_ROWS, self._size()[1] // SHARE))

    def show(self, rows: Sequence[Row]) -> None:
        """Draw these rows in the place of those before."""
        columns, lines = self._size()
        room = rows if lines > 1 else ()
        self._below.show(self._layout.lines(room, columns - 1) if room else ())

    def settle(self) -> None:
        """Do nothing: the next rows come soon."""

    def leave(self) -> None:
        """Leave what stays, and take away all else."""
        self._below.leave()

    def keep_clear_of(self, fd: int, outlet: Outlet | None) -> None:
        """Be away while something is written to another descriptor, where that is a pipe.

        outlet: who writes there; None: nobody whom we know.
        """
        with suppress(OSError):
            if outlet is not None and stat.S_ISFIFO(os.fstat(fd).st_mode):
                outlet.below = Apart(self._below)

    def _staying(self) -> list[bytes]:
        rows = self._stay()
        return self._layout.once(rows, self._size()[0] - 1) if rows else []

    def _size(self) -> tuple[int, int]:
        """Return columns and rows: what the user says, where the terminal has that much."""
        columns, rows = self._below.size
        wanted = min(self._columns or columns, columns or self._columns)
        return wanted or USUAL_SIZE[0], rows or USUAL_SIZE[1]


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 6 else 0


def on_stderr(fd: int) -> Outlet:
    """Return who writes for the program's stderr. fd: of it, where it is Python's own."""
    found = console.outlet(2)
    if found is None:
        found = Outlet()
        found.takes(fd)
    return found


def on_stdout() -> Outlet | None:
    """Return who writes for the program's stdout, None where that is the user's own stream."""
    return console.outlet(1)


def to_stderr(data: bytes) -> None:
    """Write lines to where the program's stderr goes, whatever has become of it."""
    with suppress(ValueError):  # a lost stderr raises nothing, a handler of the program's may
        console.show(2, data)
