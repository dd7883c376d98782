"""Rows for a terminal: which parts have room at its width, how wide each is, in which colour.

`rich` measures text (letters may be two cells wide), draws bars, and turns colours into what the
terminal understands. What moves the cursor is in `below`.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.progress_bar import ProgressBar
from rich.text import Text

from . import wording
from .row import Row

GAP = 2
"""Cells between two parts."""
LEAST_BAR, MOST_BAR = 8, 50
LEAST_TITLE, MOST_TITLE = 8, 40
STYLES = {"rate": "cyan", "left": "bold", "trouble": "red", "busy": "dim"}
PARTS = ("count", "rate", "left", "trouble", "busy")
"""Behind the title and the bar, in this order."""
GIVEN_UP = ("busy", "rate", "trouble", "bar", "left")
"""What has no room in a narrow terminal, in this order: the title and the count always stay."""


class Layout:
    """Draws rows in a width, in colours as TERM, COLORTERM and NO_COLOR have it.

    encoding: of the terminal.
    """

    def __init__(self, encoding: str = "utf-8") -> None:
        file = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="replace")
        self._console = Console(
            file=file, force_terminal=True, width=80, legacy_windows=False, highlight=False,
            emoji=False, markup=False,
        )  # fmt: skip
        self._encoding = encoding
        self._widest: dict[str, int] = {}
        self._about: tuple[Any, ...] = ()

    def lines(self, rows: Sequence[Row], width: int) -> list[bytes]:
        """Return a line for each row, none wider than `width` cells."""
        table = [_parts(row) for row in rows]
        titles = [wording.title(row) for row in rows]
        about = (width, *(row.title for row in rows))
        if about != self._about:
            self._widest, self._about = {}, about
        columns = {name: max(cell_len(parts[name]) for parts in table) for name in PARTS}
        for name, wide in columns.items():  # no column becomes narrower: what stands still is read
            columns[name] = self._widest[name] = max(wide, self._widest.get(name, 0))
        title = max(map(cell_len, titles))
        title = self._widest["title"] = max(title, self._widest.get("title", 0))
        sized = any(row.size is not None for row in rows)
        title, bar, columns = fitting(title, sized, columns, width)
        return [
            self._line(row, name, parts, (title, bar, columns), width)
            for row, name, parts in zip(rows, titles, table, strict=True)
        ]

    def once(self, rows: Sequence[Row], width: int) -> list[bytes]:
        """Return lines that stay: each for itself, so that none has room for what others show."""
        before = self._widest, self._about
        found = []
        for row in rows:
            self._about = ()
            found += self.lines([row], width)
        self._widest, self._about = before
        return found

    def _line(
        self, row: Row, name: str, parts: Mapping[str, str],
        places: tuple[int, int, Mapping[str, int]], width: int,
    ) -> bytes:  # fmt: skip
        title, bar, columns = places
        text = Text(name)
        text.truncate(title, overflow="ellipsis", pad=True)
        text.stylize("bold")
        if bar:
            text.append(" " * GAP)
            text.append_text(self._bar(row, bar))
        for part, wide in columns.items():
            if wide:
                text.append(" " * GAP)
                missing = " " * (wide - cell_len(parts[part]))
                right = part in ("count", "rate")
                text.append(missing if right else "")
                text.append(parts[part], STYLES.get(part))
                text.append("" if right else missing)
        text.rstrip()
        text.truncate(width, overflow="ellipsis")
        return self._bytes(text, width)

    def _bar(self, row: Row, wide: int) -> Text:
        if row.size is None:
            return Text(" " * wide)
        done = row.done if row.size else 1  # of nothing all is done
        drawn = ProgressBar(
            max(row.size, 1), done, wide, complete_style="green", finished_style="green",
            style="grey37",
        )  # fmt: skip
        options = self._console.options.update(width=wide)
        found = Text()
        for segment in self._console.render(drawn, options):
            found.append(segment.text.rstrip("\n"), segment.style)
        found.append(" " * (wide - found.cell_len))
        return found

    def _bytes(self, text: Text, width: int) -> bytes:
        console = self._console
        console.width = width
        with console.capture() as captured:
            console.print(text, end="", no_wrap=True, overflow="crop", crop=True, width=width)
        return captured.get().encode(self._encoding, "replace")


def _parts(row: Row) -> dict[str, str]:
    left = f"{wording.duration(row.left)} left" if row.left is not None else ""
    if row.took is not None:
        left = f"in {wording.duration(row.took, exact=True)}"
    return {
        "count": wording.count(row),
        "rate": wording.rate(row.rate) if row.rate is not None else "",
        "left": left,
        "trouble": ", ".join(wording.troubles(row)),
        "busy": wording.of_workers(row.busy) if row.busy is not None else "",
    }


def fitting(
    title: int, sized: bool, columns: Mapping[str, int], width: int
) -> tuple[int, int, dict[str, int]]:
    """Return how wide the title is, the bar, and each part; 0 for what has no room.

    title, columns: how wide they would like to be. sized: whether there is anything to draw a bar
    of. width: of the terminal.
    """
    kept = {name: wide for name, wide in columns.items() if wide}
    narrow = min(title, LEAST_TITLE)
    for without in (None, *GIVEN_UP):
        if without == "bar":
            sized = False
        elif without is not None:
            kept.pop(without, None)
        others = sum(wide + GAP for wide in kept.values())
        least = LEAST_BAR + GAP if sized else 0
        if narrow + others + least <= width:
            break
    own = max(min(title, max(MOST_TITLE, width // 3), width - others - least), 1)
    bar = min(width - own - others - GAP, MOST_BAR) if sized else 0
    return own, bar, kept
