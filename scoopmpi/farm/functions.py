"""Which function has which key, which workers have its code, and what a worker knows of them.

A map's function is sent to a worker once, with its first batch; afterwards its key says it. A
function that is found by name keeps its key for all maps; one that travels by value belongs to
its map alone, as what it closes over may be another the next time.
"""

from __future__ import annotations

from typing import Any

from ..wire import payload
from ..wire.messages import Frame
from .map_job import Function


class Functions:
    """The functions of all maps that are open."""

    def __init__(self) -> None:
        self._lasting: dict[Any, int] = {}  # code to key, negative
        self._of_map: dict[int, tuple[int, Frame]] = {}
        self._holders: dict[int, set[int]] = {}

    def opened(self, number: int, function: Function) -> None:
        """A map with this number has begun."""
        key = number
        if function.lasting:
            key = self._lasting.setdefault(function.code, -1 - len(self._lasting))
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


class Known:
    """The functions that a worker has been sent."""

    def __init__(self) -> None:
        self._codes: dict[int, Frame] = {}
        self._functions: dict[int, Any] = {}

    def learn(self, key: int, code: Frame | None) -> None:
        """A message has brought a function's code, or only said its key."""
        if code is not None:
            self._codes[key] = code

    def function(self, key: int) -> Any:
        """The function, None for key 0; raises what unpickling it raises."""
        if key and key not in self._functions:
            self._functions[key] = payload.unpack(self._codes[key])
        return self._functions.get(key)

    def forget(self, key: int) -> None:
        """Its map has ended."""
        self._codes.pop(key, None)
        self._functions.pop(key, None)
