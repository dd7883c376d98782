"""The launcher's output on its way to ours, where somebody wants to know whether there is any.

Bytes pass unchanged and at once. What to do about silence is not decided here.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, TypeAlias

_AT_ONCE = select.PIPE_BUF
"""Bytes that a pipe with room takes without a wait (POSIX)."""
_ROOM_SECONDS = 0.05
"""So long a reader is waited for, before others have their turn."""
HasRoom: TypeAlias = Callable[[], bool]
"""Waits until a descriptor takes bytes; False where there is no use in waiting any longer."""


class Put(Protocol):
    """Writes bytes to a descriptor."""

    def __call__(self, target: int, data: bytes, has_room: HasRoom | None = None, /) -> None:
        """Write all that is for the descriptor. has_room: to be asked before; None: it has."""


class Passing:
    """Pipes in the place of two descriptors; one pipe where both are the same file.

    put: writes bytes to one of them.
    """

    def __init__(self, targets: Sequence[int], put: Put | None = None) -> None:
        self.passed = 0
        """Bytes, until now."""
        self.problem: OSError | None = None
        """Why some could not be written."""
        self.put = put or write
        self._targets: dict[int, int] = {}  # by the end of a pipe that is read
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

    def pass_on(self, source: int, given_up: Callable[[], bool] | None = None) -> bool:
        """Pass on what is there now and finds room.

        given_up: nobody else needs a turn any more, so that room is waited for until this is true.
        Returns False where nobody writes, or reads, any more.
        """
        target = self._targets[source]
        room = _room(target)
        if not room and given_up is None:
            return True
        data = os.read(source, _AT_ONCE)
        self.passed += len(data)
        has_room = None if room or given_up is None else partial(_waited, target, given_up)
        try:
            self.put(target, data, has_room)
        except OSError as problem:
            self.problem = problem
        else:
            if data:
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


def _room(target: int) -> bool:
    return bool(select.select([], [target], [], _ROOM_SECONDS)[1])


def _waited(target: int, given_up: Callable[[], bool]) -> bool:
    while not (room := _room(target)) and not given_up():
        pass
    return room


def write(target: int, data: bytes, has_room: HasRoom | None = None, /) -> None:
    """Write all of it, as fast as it is taken."""
    if data and has_room and not has_room():
        return
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(target, rest) :]
        except BlockingIOError:
            select.select([], [target], [])
