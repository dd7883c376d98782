"""The colours of lines that commands show a person; click leaves them out where no terminal is."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

import click

from ..watching.status.shown import BAD, GOOD, STRONG, Line

_COLOURS: Mapping[str, Mapping[str, Any]] = {
    GOOD: {"fg": "green"}, BAD: {"fg": "red"}, STRONG: {"bold": True},
}  # fmt: skip


def coloured(lines: Iterable[Line]) -> list[str]:
    """Return the lines with their marks as colours, unless the user wants none."""
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return [
        each.text if plain or not each.mark else click.style(each.text, **_COLOURS[each.mark])
        for each in lines
    ]
