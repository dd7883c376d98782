"""The arguments of a map, in columns: kept where they have a length, read as needed where not.

`read_up_to` runs the user's iterators: its caller sees to it that one thread at a time does so.
"""

from __future__ import annotations

import itertools
import sys
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from operator import length_hint
from typing import Any

from ..wire import payload


class Arriving(ABC):
    """An iterable whose rows come from elsewhere, each when it is there; they stay as they are."""

    @abstractmethod
    def __iter__(self) -> Iterator[Any]:
        """Return an iterator, which waits for rows that are not there."""

    @abstractmethod
    def here(self, wanted: int) -> int:
        """Return how many of so many rows can be read without waiting: all, where it has ended."""


class Source:
    """The arguments of a map: columns with a length, or iterators that are read as needed.

    iterables: one for each argument of the function, at least one.
    """

    def __init__(self, iterables: Sequence[Iterable[Any]]) -> None:
        self.size: int | None = None
        """How many tasks there are; known from the start, or when an iterator has ended."""
        self.read = 0
        """How many tasks have been read."""
        self.error: BaseException | None = None
        """The exception of an iterator that has ended the map."""
        self.elsewhere: BaseException | None = None
        """The exception of an iterator in another thread than its maker's, in which it may work."""
        self.endless = all(map(endless, iterables))
        """True where the iterables are known to have no end."""
        self._arriving = [each for each in iterables if isinstance(each, Arriving)]
        self._maker = threading.get_ident()
        self._dropped = 0
        rows_known = counted(iterables)
        if rows_known is not None:
            self._columns = [known(iterable, rows_known) for iterable in iterables]
            self.size = self.read = min(map(length, self._columns))  # what was copied counts
            self._rows: Iterator[Any] = iter(())
        else:
            self._columns = [[] for _ in iterables]
            self._rows = rows(iterables)
        self.streamed = self.size is None
        """True where the user's iterators are read as needed."""

    def read_up_to(self, tasks: int) -> None:
        """Read the iterators until so many tasks are known, or one ends or raises; user code.

        Of what is still arriving it reads no more than is here. Called in a block of
        `uninterrupted`, as columns must stay as long as each other: that lets signals in meanwhile.
        """
        wanted = tasks - self.read
        for each in self._arriving:
            wanted = min(wanted, each.here(wanted))
        if self.size is not None or wanted <= 0:
            return
        from ..concurrency.signal_scopes import came_of_signal, scopes  # late: a file for workers

        read: list[tuple[Any, ...]] = []
        try:
            # Extend keeps what came before an error.
            scopes.interruptible(partial(read.extend, islice(self._rows, wanted)))
            if len(read) < wanted:
                self.error = self.elsewhere  # it has ended, so that was its end
                self.size = self.read + len(read)
        except Exception as error:
            if came_of_signal(error):
                raise
            if threading.get_ident() == self._maker or self.elsewhere is not None:
                self.error = error
                self.size = self.read + len(read)
            self.elsewhere = error
        finally:
            for column, values in zip(self._columns, zip(*read, strict=True), strict=False):
                column.extend(values)
            self.read += len(read)
            self._rows = further(self._rows)

    def end_at(self, tasks: int) -> None:
        """Take no more than so many tasks from the iterators."""
        self.size = self.read = tasks
        self._rows = iter(())

    def fail(self, error: BaseException) -> None:
        """End the arguments where reading them has raised what is no Exception."""
        self.error = error
        self.end_at(self.read)

    def columns(self, start: int, stop: int) -> list[Sequence[Any]]:
        """Return the arguments of the tasks `start` to `stop - 1`, which have been read."""
        offset = self._dropped
        return [column[start - offset : stop - offset] for column in self._columns]

    def forget(self, start: int, stop: int) -> None:
        """Let go of the arguments of tasks that are never asked for again, as they are large."""
        first = max(0, start - self._dropped)
        last = max(first, stop - self._dropped)
        for column in self._columns:
            column[first:last] = [None] * (last - first)

    def drop_before(self, index: int) -> None:
        """Forget the tasks before `index`, which are never asked for again."""
        gone = index - self._dropped
        if self.streamed and gone > 1024 and 2 * gone > self.read - self._dropped:
            for column in self._columns:
                del column[:gone]
            self._dropped = index


_SEQUENCES = frozenset({range, list, tuple, str, bytes})  # a subclass may iterate otherwise
_EMPTY: dict[Any, Any] = {}
_VIEWS = (type(_EMPTY.keys()), type(_EMPTY.values()), type(_EMPTY.items()))
_COLLECTIONS = frozenset({dict, set, frozenset, deque, *_VIEWS})
_SIZED = _SEQUENCES | _COLLECTIONS
_PERHAPS_ENDLESS = frozenset({range, itertools.count, itertools.cycle, itertools.repeat})
_STILL = _SEQUENCES | {itertools.repeat, itertools.count}
"""They run no code that could change what they have given out."""


def rows(iterables: Sequence[Iterable[Any]]) -> Iterator[tuple[Any, ...]]:
    """Return the rows of iterables, each as it was when it was read."""
    plain = zip(*iterables, strict=False)
    moving = [not _still(iterable) for iterable in iterables]
    if not any(moving):
        return plain
    from .refilled import Rows  # late: a file that most maps do without

    return Rows(plain, moving)


def _still(iterable: Iterable[Any]) -> bool:
    """Return whether it is known not to change what it has given out."""
    return type(iterable) in _STILL or isinstance(iterable, Arriving)


def further(rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Return what to read of rows from now on, the same or what is faster."""
    further: Iterator[tuple[Any, ...]] = getattr(rows, "further", rows)
    return further


def sized(iterable: Iterable[Any]) -> bool:
    """Return whether an iterable has a length, and iterating it runs no code of the user."""
    return type(iterable) in _SIZED or payload.is_array(iterable)


REPEATED = 1 << 20
"""Rows that a repeated object may have to be taken for a list of it, of 8 bytes each."""


def counted(iterables: Sequence[Iterable[Any]]) -> int | None:
    """Return how many rows iterables give, None where that shows only when they are read.

    A repeated object is as good as a list of it: where a map is known to be small its tasks are
    shared out at once. `map(f, repeat(x), range(128))` with tasks of 0.1 ms: efficiency 0.70
    without, 0.93 as with a list.
    """
    if all(map(sized, iterables)):
        return min(map(length, iterables))
    lengths, repeated = [], False
    for iterable in iterables:
        if type(iterable) is itertools.repeat:
            repeated = True
            if not endless(iterable):
                lengths.append(length_hint(iterable))
        elif sized(iterable):
            lengths.append(length(iterable))
        else:
            return None
    rows = min(lengths, default=None)
    return None if rows is None or (repeated and rows > REPEATED) else rows


def known(column: Any, rows: int) -> Any:
    """Return what `counted` knows as a sequence of at least so many rows."""
    return list(islice(column, rows)) if type(column) is itertools.repeat else snapshot(column)


def snapshot(column: Any) -> Any:
    """Return a sized iterable as a sequence that later changes of the caller's do not reach."""
    if type(column) in _COLLECTIONS:
        return list(column)
    return column.copy() if type(column) is list or payload.is_array(column) else column


def length(column: Any) -> int:
    """Return the length of a sized iterable, also of a range of more than `sys.maxsize`."""
    try:
        return len(column)
    except OverflowError:
        start, stop, step = column.start, column.stop, column.step
        return int(max(0, (stop - start + step + (-1 if step > 0 else 1)) // step))


def endless(iterable: Iterable[Any]) -> bool:
    """Return whether an iterable is known to have no end, or none that anybody could reach."""
    kind = type(iterable)
    if kind not in _PERHAPS_ENDLESS:
        return False
    if kind is range:
        return length(iterable) > sys.maxsize
    return kind is not itertools.repeat or length_hint(iterable, -1) < 0
