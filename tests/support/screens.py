"""What a person sees on a terminal: a terminal emulator at the end of a pseudo-terminal."""

from __future__ import annotations

import os
import select

import pyte

from tests.support import terminals


class Shown:
    """A screen that bytes are fed to, with all lines that have left it at the top."""

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        self._screen = pyte.HistoryScreen(columns, rows, history=200_000, ratio=0.5)
        self._stream = pyte.ByteStream(self._screen)

    def feed(self, data: bytes) -> None:
        """Show these bytes."""
        self._stream.feed(data)

    def resize(self, columns: int, rows: int) -> None:
        """Have another size from now on."""
        self._screen.resize(rows, columns)

    @property
    def lines(self) -> list[str]:
        """All lines from the first that was ever shown, without what is empty at the end."""
        screen = self._screen
        wide = range(screen.columns)
        above = ["".join(line[x].data for x in wide) for line in screen.history.top]
        found = [line.rstrip() for line in [*above, *screen.display]]
        while found and not found[-1]:
            found.pop()
        return found

    @property
    def cursor(self) -> tuple[int, int]:
        """Where the cursor is: the line, counted as in `lines`, and the column."""
        screen = self._screen
        return len(screen.history.top) + screen.cursor.y, screen.cursor.x

    @property
    def hidden(self) -> bool:
        """True where the cursor is hidden."""
        return bool(self._screen.cursor.hidden)

    @property
    def colours(self) -> set[str]:
        """The colours of all that is shown now."""
        buffer = self._screen.buffer
        return {char.fg for line in buffer.values() for char in line.values()} - {"default"}


class ScreenAt(Shown):
    """A pseudo-terminal with a screen at its end: whoever writes to `fd` writes there."""

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        super().__init__(columns, rows)
        self._ours, self.fd = os.openpty()
        self.raw = b""
        """All bytes that have come."""
        self.resize(columns, rows)

    def resize(self, columns: int, rows: int) -> None:
        super().resize(columns, rows)
        terminals.resize(self.fd, columns, rows)

    def look(self) -> list[str]:
        """Take in what was written, and return all lines."""
        while select.select([self._ours], [], [], 0)[0]:
            data = os.read(self._ours, 1 << 16)
            self.raw += data
            self.feed(data)
        return self.lines

    def close(self) -> None:
        os.close(self._ours)
        os.close(self.fd)
