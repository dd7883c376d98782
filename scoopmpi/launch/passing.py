"""The launcher's output on its way to ours, where somebody wants to know whether there is any.

Bytes pass unchanged and at once. What to do about silence is not decided here.
"""

from __future__ import annotations

import os
import selectors
from collections.abc import Sequence

_AT_ONCE = 1 << 16


class Passing:
    """Pipes in the place of two descriptors; one pipe where both are the same file."""

    def __init__(self, targets: Sequence[int]) -> None:
        self.passed = 0
        """Bytes, until now."""
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
        """To wait for."""
        return tuple(self._targets)

    def apart(self) -> None:
        """From now on what goes to the first goes to the second, too."""
        last = list(self._targets.values())[-1:]
        self._targets = dict.fromkeys(self._targets, *last)

    def pass_on(self, source: int) -> bool:
        """What is there now; False where nobody writes, or nobody reads, any more."""
        data = os.read(source, _AT_ONCE)
        self.passed += len(data)
        if data and _written(self._targets[source], data):
            return True
        del self._targets[source]
        os.close(source)
        return False

    def close_ends(self) -> None:
        """Only others write from now on."""
        ends, self.ends = {*self.ends}, (-1, -1)
        for end in ends - {-1}:
            os.close(end)

    def close(self) -> None:
        """Nothing passes any more."""
        self.close_ends()
        for source in self.sources:
            os.close(source)
        self._targets.clear()


def _same(one: int, other: int) -> bool:
    try:
        return os.path.sameopenfile(one, other)
    except OSError:
        return False  # closed by who started us


def _written(target: int, data: bytes) -> bool:
    """Write all of it, as fast as it is taken; whether there is still somebody to take it."""
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(target, rest) :]
        except BlockingIOError:
            with selectors.DefaultSelector() as taken:
                taken.register(target, selectors.EVENT_WRITE)
                taken.select()
        except OSError:
            return False
    return True
