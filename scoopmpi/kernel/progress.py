"""How far maps are, in the cell that runs: a line with a bar for each, which is drawn anew.

When there is something to show, and what it says, is decided in `watching.progress`; here is one
more display beside the terminal's and the log's. When all is over a line for each stays.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from ..watching.progress import wording
from ..watching.progress.row import Row

Publish = Callable[[str, dict[str, Any]], None]
"""Sends a message of a type, with its content, to the cell that `display_data` went to last."""
_numbers = itertools.count(1).__next__


class CellDisplay:
    """Shows rows below a cell.

    stay: says which are over, each once. publish: sends them.
    """

    every = 0.5
    most = 8

    def __init__(self, stay: Callable[[], Sequence[Row]], publish: Publish) -> None:
        self._stay, self._publish = stay, publish
        self._over: list[Row] = []
        self._name: str | None = None  # of what is shown now, for the front end

    def show(self, rows: Sequence[Row]) -> None:
        """Draw these rows in the place of those before, below what is over."""
        self._over += self._stay()
        if rows or (self._name is not None and self._over):
            self._draw([*self._over, *rows])
        if not rows:  # the next ones may be another cell's
            self._name, self._over = None, []

    def settle(self) -> None:
        """Do nothing: the next rows come soon."""

    def leave(self) -> None:
        """Leave what is over."""
        self.show(())

    def _draw(self, rows: Sequence[Row]) -> None:
        kind = "display_data" if self._name is None else "update_display_data"
        self._name = self._name or f"scoopmpi-{_numbers()}"
        content = {
            "data": {"text/plain": as_text(rows), "text/html": as_html(rows)},
            "metadata": {}, "transient": {"display_id": self._name},
        }  # fmt: skip
        self._publish(kind, content)


def as_text(rows: Sequence[Row]) -> str:
    """Return rows as lines, for front ends that draw nothing, and for files."""
    return "\n".join(map(wording.line, rows))


def as_html(rows: Sequence[Row]) -> str:
    """Return rows as lines with bars."""
    return "".join(f"<div>{_bar(row)} {escape(wording.line(row))}</div>" for row in rows)


def _bar(row: Row) -> str:
    if row.took is not None:
        return ""
    if not row.size:
        return "<progress></progress>"
    return f'<progress value="{row.done}" max="{row.size}"></progress>'
