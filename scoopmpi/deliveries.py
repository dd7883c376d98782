"""Outcomes on their way to callers: what has to be done, by a thread that may run their code.

The farm's loop adds under its lock; whoever drives hands over without it. Threads may do so at the
same time: each delivery is done once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable


class Deliveries:
    """Things to do, in order."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()

    def add(self, deliver: Callable[[], None]) -> None:
        """One more."""
        self._waiting.append(deliver)

    def hand_over(self) -> None:
        """Do all of them; an exception of the user's code spoils no other's, and comes out last."""
        problem: BaseException | None = None
        while self._waiting:
            try:
                deliver = self._waiting.popleft()
            except IndexError:
                break  # another thread was faster
            try:
                deliver()
            except BaseException as error:
                problem = error
        if problem is not None:
            raise problem

    def __len__(self) -> int:
        return len(self._waiting)
