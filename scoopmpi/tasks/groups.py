"""Groups: what a cell of a notebook has made, or one call of another library's `Parallel`.

A map or a call belongs to the group in which the program makes it, and so do all that its tasks
make, on whatever worker: its number travels in the origin of a job (`pedigree`). A group may be
inside another. Groups are given up as a whole (`Executor.give_up`), and of what tasks print it is
known for which group they have run. Without groups nothing of this is loaded.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from .pedigree import program

MOST_INNER = 10_000
"""Groups inside others that are remembered: what older ones still print is nobody's."""
_inner: ContextVar[int | None] = ContextVar("group", default=None)


class Groups:
    """The groups of one program, which have numbers."""

    def __init__(self) -> None:
        self._number = itertools.count(1).__next__
        self._around: dict[int, int] = {}
        self.outer: Callable[[], int | None] = lambda: None
        """Returns the group of what the calling thread makes outside of `inside`: of its cell."""

    def now(self) -> int | None:
        """Return the group of what the calling thread makes now."""
        number = _inner.get()
        return self.outer() if number is None else number

    def new(self) -> int:
        """Return the number of a new group, inside the one of now."""
        number, around = self._number(), self.now()
        if around is not None:
            self._around[number] = around
            if len(self._around) > MOST_INNER:  # a notebook may run for days
                self._around.pop(next(iter(self._around)), None)
        return number

    def new_outermost(self) -> int:
        """Return the number of a new group that is inside no other."""
        return self._number()

    @contextmanager
    def inside(self, number: int) -> Iterator[None]:
        """Have what is made in this block belong to a group."""
        token = _inner.set(number)
        try:
            yield
        finally:
            _inner.reset(token)

    def over(self, number: int) -> None:
        """Forget a group of which nothing runs any more."""
        self._around.pop(number, None)

    def within(self, number: int | None) -> Iterator[int]:
        """Yield a group and those around it, from the inside."""
        while number is not None:
            yield number
            number = self._around.get(number)

    def all_in(self, number: int) -> set[int | None]:
        """Return a group and those inside it."""
        return {number, *(each for each in list(self._around) if number in self.within(each))}


groups = Groups()
"""Those of this process's program."""
program.group = groups.now
