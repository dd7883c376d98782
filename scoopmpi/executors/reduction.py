"""Reductions over the farm: a map whose values are combined where they arise.

A task holds a range of the map. It keeps the right half waiting as a call that others may take
(lazy splitting: Tzannes et al., ACM TOPLAS 36(3), 2014), works on the left from its front, and goes
on with the right where nobody took it. So a farm that is busy anyway splits log(n) times, and an
idle one is filled in log(workers) steps. Values meet on workers, in the order of the tasks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from ..concurrency.timeouts import seconds
from ..tasks import current_executor
from ..tasks.arguments import length, sized, snapshot
from ..tasks.future import Future
from ..tasks.limit import NO_LIMIT, limited
from ..tasks.pedigree import UNPLACED, Strand, sent
from ..tasks.wrapped import Retry, passes_on
from ..wire.messages import Origin

BLOCK_SECONDS = 0.001
"""How long tasks run between two looks at what others took."""


class Rows:
    """The tasks `start` to `stop - 1` of a map, in columns of arguments; only these travel.

    origin: of the map, from the first argument in the columns on; None before a task has them.
    """

    def __init__(
        self, columns: Sequence[Any], start: int, stop: int, origin: Origin | None = None
    ) -> None:
        self.columns, self.start, self.stop, self.origin = columns, start, stop, origin

    def __reduce__(self) -> Any:
        columns = [column[self.start : self.stop] for column in self.columns]
        origin = None if self.origin is None else sent(self.origin, self.start)
        return Rows, (columns, 0, self.stop - self.start, origin)

    @property
    def count(self) -> int:
        """How many tasks these are; more than len() can say, for a range that has no end."""
        return self.stop - self.start

    def __len__(self) -> int:
        return self.count

    def right_half(self) -> Rows:
        """Take the right half away, and return it."""
        middle = (self.start + self.stop + 1) // 2
        right, self.stop = Rows(self.columns, middle, self.stop, self.origin), middle
        return right

    @passes_on
    def values(self, mapping: Callable[..., Any], most: int, strand: Strand) -> list[Any]:
        """Take tasks from the front, and return their mapped values.

        most: how many tasks at most. strand: is to say who runs.
        Not by `map`, for which a StopIteration of the mapping would be the end of the values.
        """
        start, self.start = self.start, min(self.start + most, self.stop)
        columns = [column[start : self.start] for column in self.columns]
        values: list[Any] = []
        unplaced, strand.start, strand.values = strand.origin, start, values
        strand.origin = self.origin or UNPLACED
        try:
            if len(columns) == 1:
                for argument in columns[0]:
                    values.append(mapping(argument))  # noqa: PERF401 (its length says who runs)
            else:
                for row in zip(*columns, strict=True):
                    values.append(mapping(*row))  # noqa: PERF401
        except Exception as error:
            _noted(error, mapping, [column[len(values)] for column in columns], strand.index)
            raise
        strand.origin = unplaced  # values are combined as they meet: nobody can repeat that
        return values


def _noted(error: Exception, mapping: Callable[..., Any], row: Sequence[Any], index: int) -> None:
    """Have an exception say which task it is of: the call that fails with it is one of ours."""
    from ..wire import errors, failure, shown  # late: nothing may fail

    task = errors.words(shown.called(mapping, row), index)
    failure.note(error, f"Failed in {task}".rstrip(","))


def rows_of(iterables: Sequence[Iterable[Any]]) -> Rows:
    """Return all tasks of a map: as many as the shortest iterable has. Reads the iterables."""
    if not iterables:
        raise TypeError("there must be at least one iterable of arguments")
    columns: list[Any]
    if all(map(sized, iterables)):
        columns = list(map(snapshot, iterables))
    else:
        rows = list(zip(*iterables, strict=False))
        columns = list(zip(*rows, strict=True)) or [()]
    return Rows(columns, 0, min(map(length, columns)))


class Reduction:
    """The combination of the tasks of a range; made inside a task.

    mapping: the user's function of one task. operation: combines two values.
    """

    counts_as_map = True
    known_as = "a reduction"
    """What errors call a part of it."""

    def __init__(self, mapping: Callable[..., Any], operation: Callable[[Any, Any], Any]) -> None:
        self.mapping, self.operation = mapping, operation
        executor = current_executor.current()
        self._fork = executor.fork  # None where all runs in place
        self._of = executor.strand  # of the call that this is made in
        unplaced = (*UNPLACED[:4], self._of.origin[4])
        self._strand = Strand.of(unplaced, mapping, begun=self._of.attempt)
        self._waiting: list[tuple[Future[Any], Rows]] = []  # right halves, the nearest last

    @classmethod
    @passes_on
    def of(cls, mapping: Callable[..., Any], operation: Callable[..., Any], rows: Rows) -> Any:
        """Return the combined values of a range: this is the task that others may take."""
        return cls(mapping, operation).combined(rows)

    @passes_on
    def combined(self, rows: Rows) -> Any:
        """Return the combined values of a range, sharing the work with whoever is free."""
        if rows.origin is None:
            rows.origin = self._of.origin
        outer, self._of.inner = self._of.inner, self._strand
        try:
            self._work_through(rows)
            while self._waiting:
                right, rows = self._waiting.pop()
                if right.cancel():
                    self._work_through(rows)
                else:
                    self.join(right.result())
        finally:
            self._of.inner = outer
            for right, _ in self._waiting:
                right.cancel()
        return self.outcome()

    @passes_on
    def _work_through(self, rows: Rows) -> None:
        block = 1
        while rows.count:
            while self._fork is not None and rows.count > 1 and self._all_taken():
                right = rows.right_half()
                call = self._fork(type(self).of, self.mapping, self.operation, right)
                self._waiting.append((call, right))
            begun = time.monotonic()
            self.add(rows.values(self.mapping, block, self._strand))
            passed = time.monotonic() - begun
            block = min(2 * block, 1024) if passed < BLOCK_SECONDS else max(1, block // 2)

    def _all_taken(self) -> bool:
        return all(right.running() or right.done() for right, _ in self._waiting)

    def add(self, values: Iterable[Any]) -> None:
        """Combine with the values of tasks that follow."""
        raise NotImplementedError

    def join(self, later: Any) -> None:
        """Combine with the outcome of another range, which follows."""
        raise NotImplementedError

    def outcome(self) -> Any:
        """Return what all tasks so far have been combined to."""
        raise NotImplementedError


class Total(Reduction):
    """The values combined to one."""

    known_as = "mapReduce"
    _empty = True
    _value: Any = None

    @passes_on
    def add(self, values: Iterable[Any]) -> None:
        for value in values:
            self.join(value)

    @passes_on
    def join(self, later: Any) -> None:
        self._value = later if self._empty else self.operation(self._value, later)
        self._empty = False

    def outcome(self) -> Any:
        if self._empty:
            raise TypeError("there is nothing to reduce: the iterables are empty")
        return self._value


class Prefixes(Reduction):
    """The values combined from the first up to each."""

    known_as = "mapScan"

    def __init__(self, mapping: Callable[..., Any], operation: Callable[[Any, Any], Any]) -> None:
        super().__init__(mapping, operation)
        self._prefixes: list[Any] = []

    @passes_on
    def add(self, values: Iterable[Any]) -> None:
        for value in values:
            last = self._prefixes[-1:]
            self._prefixes.append(self.operation(last[0], value) if last else value)

    @passes_on
    def join(self, later: Any) -> None:
        shifted = partial(self.operation, self._prefixes[-1])
        self._prefixes.extend(current_executor.current().map(shifted, later))

    def outcome(self) -> Any:
        return self._prefixes


def reduced(
    kind: type[Reduction],
    mapping: Callable[..., Any],
    operation: Callable[[Any, Any], Any],
    iterables: Sequence[Iterable[Any]],
    timeout: float | None,
    task_timeout: float | None = None,
    retry: Retry | None = None,
) -> Any:
    """Reduce a whole map, and return the outcome; the caller waits for it.

    kind: which reduction. mapping, operation, iterables, timeout, task_timeout: as for
        `futures.mapReduce`, with its errors.
    retry: how calls of `mapping` that raise are tried again.
    """
    for function in (mapping, operation):
        if not callable(function):
            raise TypeError(f"{function!r} is not callable: map and reduction must be functions")
    timeout = seconds(timeout)
    rows = rows_of(iterables)
    # Both are of a call of the user's, not of the tasks into which they are gathered here.
    mapping = limited(mapping, task_timeout)
    if retry is not None:
        mapping = retry.in_place(mapping, None if timeout is None else time.monotonic() + timeout)
    call = current_executor.current().submit(
        kind.of, mapping, operation, rows, task_timeout=NO_LIMIT
    )
    return call.result(timeout)
