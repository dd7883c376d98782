"""Messages that MPI has not taken yet: what they are made of is kept alive until it has.

Apart for each receiver, in order: one that sits in a long call takes nothing meanwhile, and what
others have taken must not stay in memory for it, nor a sender wait for it. Knows requests as what
can be tested, and no MPI.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any


class UnderWay:
    """The sends of one rank. failed: takes what testing one has raised."""

    def __init__(self, failed: Callable[[Any], None]) -> None:
        self._failed = failed
        self.sends: dict[int, deque[tuple[Any, Any]]] = {}
        """By receiver; those to whom nothing is under way are not there."""

    def add(self, to: int, request: Any, data: Any) -> None:
        """Keep the data of a send to a rank until it has been taken."""
        # In between a __del__ that prints may begin some, or let go of those that are empty.
        entry = request, data
        sends = self.sends.get(to)
        if sends is not None and self._added(sends, to, entry):
            return
        fresh = deque([entry])
        while (sends := self.sends.setdefault(to, fresh)) is not fresh:
            if self._added(sends, to, entry):
                return

    def _added(self, sends: deque[tuple[Any, Any]], to: int, entry: tuple[Any, Any]) -> bool:
        sends.append(entry)
        return self.sends.get(to) is sends

    def drop(self) -> None:
        """Let go of all that has been taken."""
        for to in tuple(self.sends):
            self._drop(to)

    def _drop(self, to: int) -> None:
        sends = self.sends.get(to)
        while sends:
            first = sends[0]
            try:
                if not first[0].Test():
                    return
            except Exception as problem:
                self._failed(problem)
            if sends and sends[0] is first:  # a __del__ that prints may have come between
                sends.popleft()
        if sends is not None and self.sends.get(to) is sends:
            del self.sends[to]
