"""A map with `buffersize`: calls of an executor, so many of them ahead of the consumer."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, MutableMapping
from itertools import islice
from typing import Any

from ..tasks.future import Future
from ..tasks.unfinished import tell_endless
from ..wire import failure


class Buffer:
    """Calls that are handed in, row by row; what an executor knows of such a map.

    name: the function's. call: hands in one row. rows: the rows of arguments.
    size: calls at a time. endless: whether the rows are known to have no end.
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

    def read(self) -> bool:
        """One more row; False where there is none."""
        rows = len(self.ahead)
        self.ahead.extend(map(self._call, islice(self._rows, 1)))
        return len(self.ahead) > rows

    def more(self) -> bool:
        """Whether there is one more, which nobody will run."""
        return any(True for _ in self._rows)

    def finish(self, keep: bool) -> None:
        """Have the rest run where nobody has asked for a value, and nobody will."""
        if keep or self.asked:
            return
        if self._endless:
            tell_endless(self._name, len(self.ahead))
            return
        while self.ahead:
            self.ahead.popleft().exception()
            while len(self.ahead) < self._size and self.read():
                pass

    def settled(self) -> bool:
        """True: what runs are calls."""
        return True

    def leave(self) -> None:
        """Nothing: it is run by `finish`."""

    bound = leave

    def cancel(self) -> None:
        """No more is read."""
        self._rows = iter(())

    def close(self) -> None:
        """Nobody wants the rest."""
        self.cancel()
        for future in self.ahead:
            future.cancel()


class Buffered:
    """The values of such a map, in the hands of its consumer.

    maps: of the executor, and whether somebody may still read their values.
    refused: whether the executor takes no more calls. refuse: raises what it raises then.
    """

    def __init__(
        self,
        buffer: Buffer,
        maps: MutableMapping[Any, bool],
        deadline: float | None,
        refused: Callable[[], bool],
        refuse: Callable[[], Any],
    ) -> None:
        self._buffer, self._maps, self._deadline = buffer, maps, deadline
        self._refused, self._refuse = refused, refuse
        self._over = False
        maps[buffer] = True

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        self._buffer.asked = True
        if self._over:
            raise StopIteration
        try:
            return self._next()
        except BaseException:
            self.close()
            raise

    def _next(self) -> Any:
        buffer, deadline = self._buffer, self._deadline
        if not buffer.ahead:
            if self._refused() and buffer.more():
                self._refuse()  # the tasks after those in the buffer cannot be run any more
            raise StopIteration
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        try:
            value = buffer.ahead[0].result(left)
        except StopIteration as error:
            raise failure.raisable(error) from error.__cause__ or error
        del buffer.ahead[0]
        if not self._refused():
            buffer.read()
        return value

    def close(self) -> None:
        """Nobody wants the rest."""
        if not self._over:
            self._over = True
            self._maps.pop(self._buffer, None)
            self._buffer.close()

    def __del__(self) -> None:
        if self._buffer.asked:
            self.close()
        elif self._buffer in self._maps:
            self._maps[self._buffer] = False
