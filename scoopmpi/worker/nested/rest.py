"""What a worker finishes before the program ends: maps that its tasks have left, their executors.

Rank 0 asks, once or more often; the answer is given at once, and again when nothing is left. The
worker's own thread does what is to be done, in a fiber. `asked` and `look` are called with the
worker's lock held.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from ...wire.messages import Finish, Rest
from .left import LeftMaps


class Finishing(Protocol):
    """What may have something to finish."""

    def waits(self, maps: bool) -> bool:
        """Whether it has; of maps that nobody reads too, or of executors alone."""

    def finish(self, maps: bool = True) -> None:
        """Finish it."""


class Resting:
    """One worker's part of the end.

    left: maps that nobody reads.
    executors: those behind the worker's own and behind the serial one, for threads of tasks.
    """

    def __init__(
        self, send: Callable[[Rest], None], left: LeftMaps, executors: Sequence[Finishing]
    ) -> None:
        self._send, self._left, self._executors = send, left, executors
        self._asked: Finish | None = None
        self._at_work = False

    def asked(self, message: Finish) -> None:
        """The program has ended."""
        self._asked = message
        if not self.look():
            self._send(Rest(message.token, False))

    def look(self) -> bool:
        """Answer if nothing is left; whether that is so, or nobody has asked."""
        asked = self._asked
        if asked is None:
            return True
        if self._at_work or self._executors_wait:
            return False
        if asked.maps:
            self._left.leave_unread()  # only now: executors take the values of their own
            if self._left.under_way:
                return False
        self._send(Rest(asked.token, True))
        self._asked = None
        return True

    @property
    def _executors_wait(self) -> bool:
        assert self._asked is not None
        return any(each.waits(self._asked.maps) for each in self._executors)

    def work(self) -> Callable[[], None] | None:
        """Something to do for a fiber, as it waits."""
        if self._asked is None or self._at_work or not self._executors_wait:
            return None
        return self._finish

    def _finish(self) -> None:
        assert self._asked is not None
        maps, self._at_work = self._asked.maps, True
        try:
            for each in self._executors:
                each.finish(maps)
        finally:
            self._at_work = False
