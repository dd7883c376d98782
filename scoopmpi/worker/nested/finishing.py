"""What a worker finishes before the program ends: what its tasks have left, and their executors.

Rank 0 asks, once or more often; the answer is given at once, and again when nothing is left. The
worker's own thread does what is to be done, in a fiber. `asked` and `look` are called with the
worker's lock held.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from ...wire.messages import Finish, Message, Rest
from .unread_maps import UnreadMaps


class Unfinished(Protocol):
    """An executor, or several, that may have something to finish."""

    def waits(self, maps: bool) -> bool:
        """Return True where it has. maps: as in `Finish`."""

    def finish(self, maps: bool = True) -> None:
        """Return when it has finished that."""


class Finishing:
    """One worker's part of the end.

    send: takes a message for the farm.
    executors: those behind the worker's own and behind the serial one, for threads of tasks.
    calls_left: says whether calls of tasks that have ended are still to run.
    """

    def __init__(
        self,
        send: Callable[[Message], None],
        maps: UnreadMaps,
        executors: Sequence[Unfinished],
        calls_left: Callable[[], bool],
    ) -> None:
        self._send, self._maps, self._executors = send, maps, executors
        self._calls_left = calls_left
        self._asked: Finish | None = None
        self._at_work = False

    def asked(self, message: Finish) -> None:
        """Finish what is left, as the program has ended, and tell rank 0."""
        self._asked = message
        if not self.look():
            self._send(Rest(message.token, False))

    def look(self) -> bool:
        """Answer if nothing is left; return True where that is so, or nobody has asked."""
        asked = self._asked
        if asked is None:
            return True
        if self._at_work or self._executors_wait(asked):
            return False
        if asked.maps:
            self._maps.leave_all()  # only now: executors take the values of their own
            if self._maps.under_way or self._calls_left():
                return False
        self._send(Rest(asked.token, True))
        self._asked = None
        return True

    def work(self) -> Callable[[], None] | None:
        """Return something to do in a fiber, as it waits."""
        if self._asked is None or self._at_work or not self._executors_wait(self._asked):
            return None
        return self._finish

    def _executors_wait(self, asked: Finish) -> bool:
        return any(each.waits(asked.maps) for each in self._executors)

    def _finish(self) -> None:
        assert self._asked is not None
        maps, self._at_work = self._asked.maps, True
        try:
            for each in self._executors:
                each.finish(maps)
        finally:
            self._at_work = False
