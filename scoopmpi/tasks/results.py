"""The values of a map on their way to the consumer: what every executor gives, a list at a time.

`Values` is what a consumer reads; `Results` is what an executor with an end needs besides: all
tasks can be run and their outcomes kept, and what nobody wants is let go. `IteratorResults` makes
the one from the other, where values are made as they are read (serial, inside tasks).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from itertools import chain
from typing import Any, Protocol

from ..wire import failure
from .outcomes import Raised, handed_over


class Values(Protocol):
    """The values of a map, in lists, as they come."""

    @property
    def settled(self) -> Callable[[], bool]:
        """Says whether no task of the map is to run, or runs, any more; keeps no values."""

    def __iter__(self) -> Iterator[Iterable[Any]]:
        """Return the lists, one after the other."""

    def __next__(self) -> Iterable[Any]:
        """Return the next values; raises what a task raised, and is at its end then."""


class Results(Values, Protocol):
    """The values of a map as an executor with an end needs them: it may finish it, or cancel."""

    def outcomes(self) -> list[Any]:
        """Return the next values, `Raised` for each task that failed; an empty list at the end."""

    def wait(self, timeout: float | None) -> bool:
        """Wait until there is something to give, or nothing will come; False after `timeout`."""

    def ask_first(self, failures_only: bool) -> None:
        """Have no task begin behind outcomes, or only behind failures, until `decided`."""

    def decided(self) -> None:
        """Let tasks begin again: what follows from the outcomes that were taken is known."""

    def run_out(self) -> None:
        """Have no task begin any more; the values of those that run come still."""

    def finish(self, keep: bool) -> None:
        """Have all tasks run. keep: whether somebody will take the outcomes later."""

    def leave(self) -> None:
        """Have the tasks run although nobody takes the values. For the garbage collector."""

    def bound(self) -> None:
        """Read no more from the user's iterators where values were taken: the program ends."""

    def watch(self, failed: Callable[[BaseException], object]) -> None:
        """Tell `failed` of errors of tasks whose outcomes nobody takes."""

    def close(self) -> None:
        """Let go of the rest: nobody wants it."""

    def cancel(self) -> None:
        """Have what has not run not run; the consumer gets CancelledError for it."""


class IteratorResults:
    """The values of a map that runs as it is read, one by one.

    values: runs the tasks.
    streamed: whether the user's iterables are read as values are taken.
    endless: whether they have no end.
    """

    def __init__(self, values: Values, streamed: bool, endless: bool) -> None:
        self._values: Iterator[Any] = chain.from_iterable(values)
        self._streamed, self._endless = streamed, endless
        self.settled = values.settled
        self._failed: Callable[[BaseException], object] = lambda error: None
        self._asked = False
        self._kept: deque[Any] = deque()
        self._ended = False

    def __iter__(self) -> IteratorResults:
        return self

    def __next__(self) -> Iterable[Any]:
        found = self.outcomes()
        if not found:
            raise StopIteration
        if isinstance(found[0], Raised):
            self.close()
            raise failure.raisable(found[0].error)
        return handed_over(found)

    def outcomes(self) -> list[Any]:
        """Return the next value, or a `Raised`, in a list; an empty list at the end."""
        self._asked = True
        return self._next()

    def _next(self) -> list[Any]:
        if self._kept:
            return [self._kept.popleft()]
        if self._ended:
            return []
        try:
            return [next(self._values)]
        except StopIteration:
            self.close()
            return []
        except Exception as error:
            self._failed(error)
            return [Raised(error)]

    def wait(self, timeout: float | None) -> bool:
        """Return True: a value is made when it is taken."""
        return True

    def finish(self, keep: bool) -> None:
        """Have all tasks run. keep: whether somebody will take the outcomes later."""
        if self._endless and not self._asked:
            self.close()
        kept, self._kept = self._kept, deque()
        while found := self._next():
            if keep:
                kept += found
        self._kept = kept

    def ask_first(self, failures_only: bool) -> None:
        """Do nothing: no task begins before the next value is asked for."""

    def decided(self) -> None:
        """Do nothing, as above."""

    def run_out(self) -> None:
        """Let go of the rest: nothing runs between two values."""
        self.close()

    def leave(self) -> None:
        """Do nothing: where there is no farm, a map that nobody reads is run by `finish`."""

    def bound(self) -> None:
        """Read no more from the user's iterators where values were taken: the program ends."""
        if self._asked and self._streamed:
            self.close()

    def watch(self, failed: Callable[[BaseException], object]) -> None:
        """Tell `failed` of errors of tasks, whether somebody takes them or not."""
        self._failed = failed

    def close(self) -> None:
        """Let go of the rest: nobody wants it."""
        self._ended = True
        self._kept.clear()
        self._values = iter(())

    def cancel(self) -> None:
        """Have what has not run not run; the consumer gets CancelledError for it."""
        if not self._ended:
            self.close()
            self._kept.append(Raised(CancelledError("the executor has been shut down")))
