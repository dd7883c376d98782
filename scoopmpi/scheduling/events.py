"""What happens in virtual time, one thing after the other: the simulator's clock.

No farm, no decisions: who has something happen says what.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Any


class Events:
    """Things that will happen; of two at one time the one that was told first comes first."""

    def __init__(self) -> None:
        self._events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._sequence = count()

    def at(self, time: float, happens: Callable[..., None], *facts: Any) -> None:
        """Have `happens(time, *facts)` called at that time."""
        heappush(self._events, (time, next(self._sequence), happens, facts))

    def run(self, done: Callable[[], bool]) -> None:
        """Have things happen until `done`."""
        while not done():
            time, _, happens, facts = heappop(self._events)
            happens(time, *facts)
