"""Which function has which key, and which workers have its code.

A map's function is sent to a worker once, with its first batch; afterwards its key says it. A
function that is found by name keeps its key for all maps; one that travels by value belongs to
its map alone, as what it closes over may be another the next time.
"""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

from ..tasks.packed import Function
from ..wire.payload import Frame


class _Known(NamedTuple):
    """The function of one job.

    own: True where it belongs to that job alone.
    """

    key: int
    code: Frame
    own: bool


class Functions:
    """The functions of all jobs of which something was sent."""

    def __init__(self) -> None:
        self._new_key = itertools.count(1).__next__  # 0 says that there is no function
        self._found_by_name: dict[Any, int] = {}  # code to key
        self._of_job: dict[int, _Known] = {}
        self._holders: dict[int, set[int]] = {}

    def sent(self, number: int, function: Function, worker: int) -> tuple[int, Frame | None]:
        """Return the key for a batch of a job, and the code where the worker does not have it."""
        known = self._of_job.get(number) or self._first(number, function)
        holders = self._holders[known.key]
        if worker in holders:
            return known.key, None
        holders.add(worker)
        return known.key, known.code

    def _first(self, number: int, function: Function) -> _Known:
        found = self._found_by_name.get(function.code) if function.by_name else None
        key = self._new_key() if found is None else found
        if function.by_name:
            self._found_by_name[function.code] = key
        self._holders.setdefault(key, set())
        known = self._of_job[number] = _Known(key, function.code, not function.by_name)
        return known

    def closed(self, number: int) -> tuple[int, set[int]]:
        """Forget a job: return its function's key, and the workers that shall forget it too."""
        known = self._of_job.pop(number, None)
        if known is None:
            return 0, set()
        return known.key, self._holders.pop(known.key) if known.own else set()

    def lost(self, worker: int) -> None:
        """Note that a worker has died with all that it had been sent."""
        for holders in self._holders.values():
            holders.discard(worker)
