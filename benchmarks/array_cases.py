"""Cases with large values, the same for every system: what travels, and what tasks do with it.

A case is one map of so many tasks, each with so many bytes; `job` makes of it what is measured on a
system. How a system maps is not known here. Everything that comes back is compared with what it has
to be, outside of what looks at large values only where the case says so. Tasks that look at two
elements show what sending costs; tasks that read all show what a user gets, as reading the array is
the work then, and what has only been mapped must be fetched.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np

Array = Any
KIB, MIB = 1 << 10, 1 << 20
SIZES = {"64 KiB": 64 * KIB, "1 MiB": MIB, "16 MiB": 16 * MIB, "100 MiB": 100 * MIB}
ITEM = 8


class System(NamedTuple):
    """How a system maps, each way as its manual says.

    lazily: values in order, to be taken one by one; all: a list of them; both take a function and
    iterables, as `map` does. calls: a list of the values of calls in a row, `(function, rows,
    keywords)`. by_value: whether functions may be closures.
    """

    lazily: Callable[..., Iterable[Any]]
    all: Callable[..., list[Any]]
    calls: Callable[[Callable[..., Any], Iterable[Any], dict[str, Any]], list[Any]]
    workers: int
    by_value: bool = False


class Case(NamedTuple):
    """A row of the table. way: how the values travel; read: whether tasks (for results the caller)
    read all of them; size in bytes; how many tasks; seconds that each takes at least."""

    way: str
    read: bool
    size: int
    tasks: int
    seconds: float = 0.0

    @property
    def name(self) -> str:
        return self.way + (", read" if self.read else "")

    @property
    def numbers(self) -> int:
        return self.size // ITEM

    def figure(self, took: float, workers: int) -> float:
        """GB/s; of tasks that take seconds, efficiency: their time / (workers x elapsed time)."""
        if self.seconds:
            return self.tasks * self.seconds / workers / took
        return self.tasks * self.size / took / 1e9


# Tasks.


def make(numbers: int) -> Array:
    return np.ones(numbers)


def make_in(seconds: float, numbers: int) -> Array:
    """Busy for so long, the making included."""
    end = time.perf_counter() + seconds
    made = np.ones(numbers)
    while time.perf_counter() < end:
        pass
    return made


def make_bytes(size: int) -> bytes:
    return b"1" * size


def look(row: int, table: Array) -> float:
    return float(table[0] + table[-1])


def read(row: int, table: Array) -> float:
    return float(table.sum())


def look_first(table: Array, row: int = 0) -> float:
    return look(row, table)


def read_first(table: Array, row: int = 0) -> float:
    return read(row, table)


def look_pair(pair: tuple[Array, int]) -> float:
    return look(pair[1], pair[0])


def read_pair(pair: tuple[Array, int]) -> float:
    return read(pair[1], pair[0])


def ends(data: bytes, row: int = 0) -> int:
    return data[0] + data[-1]


# Ways.


def expected(case: Case) -> list[float]:
    return [float(case.numbers if case.read else 2)] * case.tasks


def check(found: Iterable[Any], wanted: list[Any]) -> None:
    if list(found) != wanted:
        raise AssertionError("wrong values")


def results(system: System, case: Case) -> None:
    """Each is dropped when the next one comes; read: after it has been added up."""
    taken = 0
    for array in system.lazily(make, [case.numbers] * case.tasks):
        total = read(0, array) if case.read else look(0, array) / 2 * array.size
        assert total == case.numbers
        taken += 1
    assert taken == case.tasks


def kept(system: System, case: Case) -> None:
    arrays = system.all(make, [case.numbers] * case.tasks)
    check((look(0, array) for array in arrays), [2.0] * case.tasks)


def busy(system: System, case: Case) -> None:
    taken = system.lazily(make_in, [case.seconds] * case.tasks, [case.numbers] * case.tasks)
    check((look(0, array) for array in taken), [2.0] * case.tasks)


def distinct(system: System, case: Case, arrays: list[Array]) -> None:
    check(system.all(read_first if case.read else look_first, arrays), expected(case))


def same(system: System, case: Case, table: Array) -> None:
    task = read_first if case.read else look_first
    check(system.all(task, repeat(table, case.tasks), range(case.tasks)), expected(case))


def in_tuple(system: System, case: Case, table: Array) -> None:
    task = read_pair if case.read else look_pair
    check(system.all(task, [(table, row) for row in range(case.tasks)]), expected(case))


def keyword(system: System, case: Case, table: Array) -> None:
    task = read if case.read else look
    check(system.calls(task, range(case.tasks), {"table": table}), expected(case))


def in_partial(system: System, case: Case, table: Array) -> None:
    task = partial(read if case.read else look, table=table)
    check(system.all(task, range(case.tasks)), expected(case))


def closure(system: System, case: Case, table: Array) -> None:
    def task(row: int) -> float:
        return read(row, table) if case.read else look(row, table)

    check(system.all(task, range(case.tasks)), expected(case))


def bytes_results(system: System, case: Case) -> None:
    taken = system.lazily(make_bytes, [case.size] * case.tasks)
    check((len(data) for data in taken), [case.size] * case.tasks)


def bytes_arguments(system: System, case: Case, data: list[bytes]) -> None:
    check(system.all(ends, data), [98] * case.tasks)


def bytes_same(system: System, case: Case, data: bytes) -> None:
    check(system.all(ends, repeat(data, case.tasks), range(case.tasks)), [98] * case.tasks)


def nothing(case: Case) -> None:
    """Of what only results need."""


def table_of(case: Case) -> Array:
    return np.ones(case.numbers)


def many_of(case: Case) -> list[Array]:
    return [np.ones(case.numbers) for _ in range(case.tasks)]


def data_of(case: Case) -> bytes:
    return make_bytes(case.size)


def many_data_of(case: Case) -> list[bytes]:
    return [make_bytes(case.size) for _ in range(case.tasks)]


class Way(NamedTuple):
    """job: one map; needs: makes what it wants of the caller, before the clock runs."""

    job: Callable[..., None]
    needs: Callable[[Case], Any]


WAYS = {
    "results, dropped": Way(results, nothing),
    "results, kept": Way(kept, nothing),
    "distinct arguments": Way(distinct, many_of),
    "the same array": Way(same, table_of),
    "the same in a tuple": Way(in_tuple, table_of),
    "the same, submitted": Way(keyword, table_of),
    "in a partial": Way(in_partial, table_of),
    "in a closure": Way(closure, table_of),
    "bytes: results": Way(bytes_results, nothing),
    "bytes: arguments": Way(bytes_arguments, many_data_of),
    "bytes: the same": Way(bytes_same, data_of),
    "efficiency, 1 ms": Way(busy, nothing),
    "efficiency, 100 ms": Way(busy, nothing),
}
UNREAD = ("results, kept", "bytes", "efficiency")
"""There a second row would say nothing new."""
BYTES_SIZE = 16 * MIB
"""Where bytes and tasks that take time are measured."""


def cases(size: int, total: int, words: Iterable[str] = ()) -> list[Case]:
    """All cases of a size whose names begin with one of these words (none: all), each of them some
    `total` bytes in all, and at least two tasks for each of two workers."""
    count = max(4, total // size)
    found: list[Case] = []
    for way in WAYS:
        if not way.startswith(UNREAD[1:]):
            found += [Case(way, each, size, count) for each in (False, True)][: 2 - (way in UNREAD)]
        elif size == BYTES_SIZE:
            seconds = {"efficiency, 1 ms": 1e-3, "efficiency, 100 ms": 0.1}.get(way, 0.0)
            found.append(Case(way, False, size, 100 if seconds == 1e-3 else count, seconds))
    return [case for case in found if case.name.startswith(tuple(words) or "")]


def job(system: System, case: Case) -> Callable[[], None]:
    """One map of the case on the system, ready to be measured."""
    way = WAYS[case.way]
    needed = way.needs(case)
    return partial(way.job, system, case, *(() if needed is None else (needed,)))
