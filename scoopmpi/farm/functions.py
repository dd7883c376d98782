"""Which function has which key, and which workers have its code.

A map's function is sent to a worker once, with its first batch; afterwards its key says it. A
function that is found by name keeps its key for all maps; one that travels by value belongs to
its map alone, as what it closes over may be another the next time.
"""

from __future__ import annotations

from typing import Any

from ..tasks.packed import Function
from ..wire.messages import Frame


class Functions:
    """The functions of all maps that are open."""

    def __init__(self) -> None:
        self._found_by_name: dict[Any, int] = {}  # code to key, negative
        self._of_map: dict[int, tuple[int, Frame]] = {}
        self._holders: dict[int, set[int]] = {}

    def opened(self, number: int, function: Function) -> None:
        """A map with this number has begun."""
        key = number
        if function.by_name:
            key = self._found_by_name.setdefault(function.code, -1 - len(self._found_by_name))
        self._of_map[number] = key, function.code
        self._holders.setdefault(key, set())

    def sent(self, number: int, worker: int) -> tuple[int, Frame | None]:
        """The key for a batch of the map, and the code where the worker does not have it yet.

        Key 0 is for submitted calls, which bring their own functions.
        """
        if number not in self._of_map:
            return 0, None
        key, code = self._of_map[number]
        if worker in self._holders[key]:
            return key, None
        self._holders[key].add(worker)
        return key, code

    def closed(self, number: int) -> tuple[int, set[int]]:
        """A map has ended: its function's key, and the workers that shall forget it."""
        if number not in self._of_map:
            return 0, set()
        key, _ = self._of_map.pop(number)
        return key, self._holders.pop(key) if key == number else set()

    def lost(self, worker: int) -> None:
        """A worker has died with all that it had been sent."""
        for holders in self._holders.values():
            holders.discard(worker)
