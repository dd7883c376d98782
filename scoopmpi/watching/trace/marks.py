"""What happens at one moment, with a bound: losses, constants, commits of the checkpoint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from . import form
from .rations import MORE_OTHERS, OTHERS, Ration
from .spans import Line


class Marks:
    """The marks of one run. out: takes what goes into the file."""

    def __init__(self, out: Callable[[str], None]) -> None:
        self._out = out
        self._rations: dict[str, Ration] = {}
        self._latest: dict[str, int] = {}
        self.left_out: Counter[str] = Counter()
        """Marks that are not in the file, by category: others stand so closely before them."""

    def add(
        self, ts: int, cat: str, name: str, args: Mapping[str, Any], line: Line | None = None
    ) -> None:
        """Have a mark in the file. line: of the worker that it is about, None: all see it."""
        ration = self._rations.setdefault(cat, Ration(OTHERS, MORE_OTHERS, 1.0))
        if ration.shortest and ts - self._latest[cat] < ration.shortest * 1e6:
            self.left_out[cat] += 1
            return
        ration.spend()
        self._latest[cat] = ts
        place = (0, 0) if line is None else (line.process, line.worker)
        self._out(form.mark(ts, cat, name, args, *place))
