"""Counters of a run: busy workers, tasks that wait, rank 0's load; each where it has changed."""

from __future__ import annotations

import time
from collections.abc import Callable

from . import form
from .rations import MORE_OTHERS, OTHERS, Ration

_INTERVAL = 0.1
"""Seconds between two values of a counter, in a short run."""
_LOAD = 1.0
"""Seconds over which rank 0's load is told."""


class Counters:
    """The counters of one run. out: takes what goes into the file."""

    def __init__(self, out: Callable[[str], None]) -> None:
        self._out = out
        self._ration = Ration(OTHERS, MORE_OTHERS, 2 * _INTERVAL)
        self._next = self._next_load = 0
        self._values: dict[str, int] = {}
        self._used = time.process_time()
        self._since = 0

    def due(self, ts: int) -> bool:
        """True where it is time for the next values."""
        return ts >= self._next

    def tell(self, ts: int, busy: int, queued: int) -> None:
        """Tell how many workers are busy, and how many tasks wait for one."""
        self._next = ts + round(1e6 * (self._ration.shortest or _INTERVAL))
        self._value(ts, form.BUSY, "busy", busy)
        self._value(ts, form.QUEUED, "tasks", queued)

    def load(self, ts: int) -> None:
        """Tell how much this process has used of a core since it was told last."""
        if ts < self._next_load:
            return
        used, since = time.process_time(), self._since
        self._since, before, self._used = ts, self._used, used
        self._next_load = ts + round(1e6 * max(self._ration.shortest, _LOAD))
        if ts > since:
            self._value(since, form.LOAD, "load", round(1e8 * (used - before) / (ts - since)))

    def _value(self, ts: int, name: str, what: str, value: int) -> None:
        if self._values.get(name) != value:
            self._values[name] = value
            self._ration.spend()
            self._out(form.counter(ts, name, what, value))
