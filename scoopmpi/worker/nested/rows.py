"""The rows of arguments of a nested map: read from the user's iterables, a window at a time.

Never much further ahead than values were taken, so an iterable may have no end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from ...tasks.arguments import endless, further, rows, sized, snapshot

if TYPE_CHECKING:
    from ...tasks.reorder import ReorderBuffer

WINDOW = 1 << 16
"""Tasks of a map that are looked at in advance: 8 MB of rows."""


class RowSource:
    """Reads the rows of one map.

    ahead: tasks that are read at first, where reading may run code of the user's.
    outcomes: of the same map; says how many values were taken.
    """

    __slots__ = ("_outcomes", "_reading", "_rows", "_window", "ended", "endless", "error", "read")

    def __init__(
        self, iterables: Sequence[Iterable[Any]], ahead: int, outcomes: ReorderBuffer[Any]
    ) -> None:
        self._outcomes = outcomes
        self.endless = endless(iterables[0]) and all(map(endless, iterables))
        """True where the iterables are known to have no end."""
        self._rows: Iterator[tuple[Any, ...]]
        if all(map(sized, iterables)):
            self._window = WINDOW
            self._rows = zip(*map(snapshot, iterables), strict=False)
        else:
            self._window = ahead
            self._rows = rows(iterables)
        self.read = 0
        """Tasks whose arguments were read."""
        self.ended = self._reading = False
        self.error: BaseException | None = None
        """The exception of the user's iterators, behind the last row."""

    def next_rows(self, unread: bool) -> list[tuple[Any, ...]]:
        """Read the next window; runs the user's iterators.

        Returns no rows where there are none, where enough were read ahead of the values that were
        taken, or while this runs in another fiber. Not to be called after the end.
        unread: whether nobody takes values, so that all are to be read.
        """
        if self._reading:
            return []
        if not unread and self.read - self._outcomes.taken > 2 * self._window:
            return []
        read: list[tuple[Any, ...]] = []
        self._reading = True  # it may wait for other tasks meanwhile
        try:
            read.extend(islice(self._rows, self._window))  # keeps what came before an error
            self.ended = len(read) < self._window
        except Exception as error:
            self.error, self.ended = error, True
        finally:
            self._reading = False
            self._rows = further(self._rows)
        taken = self._outcomes.taken
        self._window = min(max(self._window, taken), WINDOW)  # as far ahead as was used
        self.read += len(read)
        return read

    def end(self) -> None:
        """Read no further."""
        self.ended = True

    @property
    def used_up(self) -> bool:
        """True where all rows were read, and the values of all tasks taken."""
        return self.ended and not self._reading and self._outcomes.taken >= self.read
