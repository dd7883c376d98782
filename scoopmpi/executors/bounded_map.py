"""A map with `buffersize`: calls of an executor, so many of them ahead of the consumer.

`BoundedMap` is what the executor knows of it, `BoundedValues` what its consumer holds.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from ..tasks.future import Future
from ..tasks.unfinished import tell_endless
from ..wire import failure
from .handed_in import HandedIn


class BoundedMap:
    """Calls that are handed in, row by row.

    name: the function's, for messages.
    call: hands in one row, and returns its future.
    rows: the rows of arguments; read as far as calls are handed in.
    size: calls at a time.
    endless: whether the rows are known to have no end.
    """

    asked = False

    def __init__(
        self,
        name: str,
        call: Callable[[Any], Future[Any]],
        rows: Iterator[Any],
        size: int,
        endless: bool,
    ) -> None:
        self._name = name
        self._call, self._rows, self._size, self._endless = call, rows, size, endless
        self.ahead = deque(map(call, islice(rows, size)))

    def hand_in(self) -> bool:
        """Hand in one more row; False where there is none."""
        handed_in = len(self.ahead)
        self.ahead.extend(map(self._call, islice(self._rows, 1)))
        return len(self.ahead) > handed_in

    def has_more(self) -> bool:
        """Return whether there is one more row; it is read, and nobody will run it."""
        return any(True for _ in self._rows)

    def close(self) -> None:
        """Let go of the rest: nobody wants it."""
        self.cancel()
        for future in self.ahead:
            future.cancel()

    # What an end calls, see `handed_in.OpenMap`.

    def finish(self, keep: bool) -> None:
        """Have the rest run where nobody has asked for a value, and nobody will."""
        if keep or self.asked:
            return
        if self._endless:
            tell_endless(self._name, len(self.ahead))
            return
        while self.ahead:
            self.ahead.popleft().exception()
            while len(self.ahead) < self._size and self.hand_in():
                pass

    def settled(self) -> bool:
        """Return True: what runs are calls, which are counted themselves."""
        return True

    def leave(self) -> None:
        """Do nothing: it is run by `finish`."""

    bound = leave

    def cancel(self) -> None:
        """Read no more rows."""
        self._rows = iter(())


class BoundedValues:
    """The values of such a map, in the hands of its consumer.

    handed_in: where the map is counted.
    deadline: when the last value has to be there, as `time.monotonic` counts; None: whenever.
    refused: returns whether the executor takes no more calls.
    refuse: raises what the executor raises then.
    collect: whether exceptions of tasks are values too.
    """

    _over = True  # until it is made: a signal may end that half-way

    def __init__(
        self,
        bounded: BoundedMap,
        handed_in: HandedIn,
        deadline: float | None,
        refused: Callable[[], bool],
        refuse: Callable[[], Any],
        collect: bool,
    ) -> None:
        self._map, self._handed_in, self._deadline = bounded, handed_in, deadline
        self._refused, self._refuse, self._collect = refused, refuse, collect
        self._over = False

    def __iter__(self) -> BoundedValues:
        return self

    def __next__(self) -> Any:
        self._map.asked = True
        if self._over:
            raise StopIteration
        try:
            return self._next()
        except BaseException:
            self.close()
            raise

    def _next(self) -> Any:
        bounded, deadline = self._map, self._deadline
        if not bounded.ahead:
            if self._refused() and bounded.has_more():
                self._refuse()  # the tasks after those in the buffer cannot be run any more
            raise StopIteration
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        future = bounded.ahead[0]
        error = future.exception(left)
        value: Any
        if error is None:
            value = future.result()
        elif self._collect and not getattr(type(error), "breaks_executor", False):
            value = failure.raisable(error)
        else:
            raise failure.raisable(error)
        del bounded.ahead[0]
        if not self._refused():
            bounded.hand_in()
        return value

    def close(self) -> None:
        """Let go of the rest: nobody wants it."""
        if not self._over:
            self._over = True
            self._handed_in.map_over(self._map, running=False)
            self._map.close()

    def __del__(self) -> None:
        if self._over:
            return
        if self._map.asked:
            self.close()
        else:
            self._handed_in.map_left(self._map)


def check_buffersize(size: object) -> None:
    """Raise TypeError or ValueError where that is no number of tasks that may be ahead."""
    if not isinstance(size, int):
        raise TypeError(f"buffersize is {size!r}, it must be an integer or None")
    if size < 1:
        raise ValueError(f"buffersize is {size}, it must be at least 1")
