"""The launcher's output on its way to ours, where somebody wants to know whether there is any.

Bytes pass unchanged and at once. What to do about silence is not decided here.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Sequence

_AT_ONCE = select.PIPE_BUF
"""Bytes that a pipe with room takes without a wait (POSIX)."""
_ROOM_SECONDS = 0.05
"""So long a reader is waited for, before others have their turn."""


class Passing:
    """Pipes in the place of two descriptors; one pipe where both are the same file.

    put: writes bytes to one of them, all of them.
    """

    def __init__(
        self, targets: Sequence[int], put: Callable[[int, bytes], None] | None = None
    ) -> None:  # fmt: skip
        self.passed = 0
        """Bytes, until now."""
        self.problem: OSError | None = None
        """Why some could not be written."""
        self.put = put or write
        """Writes bytes to one of them, all of them."""
        self.sift: Callable[[int, bytes], bytes] = lambda target, data: data
        """Takes what is for us out of bytes for one of them, and returns the rest: text."""
        self.put_text: Callable[[int, bytes], None] = write
        """Writes such text, all of it."""
        self._targets: dict[int, int] = {}  # by the end of a pipe that is read
        self._waiting: dict[int, bytes] = {}  # text that has found no room, by the same
        self._given_up = False
        joined = _same(*targets)
        ends = [self._pipe(target) for target in targets[: 1 if joined else 2]]
        self.ends = (ends[0], ends[-1])
        """What the launcher writes to."""

    def _pipe(self, target: int) -> int:
        read, write = os.pipe()
        self._targets[read] = target
        return write

    @property
    def sources(self) -> tuple[int, ...]:
        """Return the descriptors to wait for."""
        return tuple(self._targets)

    def apart(self) -> None:
        """Send what goes to the first descriptor to the second, too, from now on."""
        last = list(self._targets.values())[-1:]
        self._targets = dict.fromkeys(self._targets, *last)

    @property
    def waiting(self) -> tuple[int, ...]:
        """Return the descriptors from which text was read that waits for its reader."""
        return tuple(self._waiting)

    def give_up(self) -> None:
        """Wait for nobody any more who does not read."""
        self._given_up = True
        self._waiting.clear()

    def pass_on(self, source: int, last: bool = False) -> bool:
        """Pass on what is there now and finds room.

        last: the job is over; what is no text needs no room.
        Returns False where nobody writes, or reads, any more.
        """
        target = self._targets[source]
        room = bool(select.select([], [target], [], _ROOM_SECONDS)[1])
        if not room and (not last or source in self._waiting):
            return True
        text = self._waiting.pop(source, b"")
        data = text or os.read(source, _AT_ONCE)
        try:
            if text:
                self.put_text(target, text)
            elif room:
                self.put(target, data)
            elif (text := self.sift(target, data)) and not self._given_up:
                self._waiting[source] = text
        except OSError as problem:
            self.problem = problem
        else:
            self.passed += len(data)
            if data or source in self._waiting:
                return True
        del self._targets[source]
        os.close(source)
        return False

    def close_ends(self) -> None:
        """Let only others write from now on."""
        ends, self.ends = {*self.ends}, (-1, -1)
        for end in ends - {-1}:
            os.close(end)

    def close(self) -> None:
        """Let nothing pass any more."""
        self.close_ends()
        for source in self.sources:
            os.close(source)
        self._targets.clear()


def _same(one: int, other: int) -> bool:
    try:
        return os.path.sameopenfile(one, other)
    except OSError:
        return False  # closed by who started us


def write(target: int, data: bytes) -> None:
    """Write all of it, as fast as it is taken."""
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(target, rest) :]
        except BlockingIOError:
            select.select([], [target], [])
