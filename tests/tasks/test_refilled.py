"""Iterators that change what they have given out: each row stays as it was when it was read."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from itertools import count, repeat
from typing import Any

import numpy as np
import pytest

from scoopmpi import futures
from scoopmpi.process import identity
from scoopmpi.tasks.arguments import Source
from tests.support.memory_farm import FEW, farm

__all__ = ["farm"]  # the fixture

ROWS = 60
Rows = Iterator[Any]


def refilled_array(size: int) -> Callable[[], Rows]:
    def rows() -> Rows:
        buffer = np.zeros(size)
        for number in range(ROWS):
            buffer[:] = number
            yield buffer

    return rows


def refilled_list() -> Rows:
    values = [0.0]
    for number in range(ROWS):
        values[0] = number
        yield values


def beside_a_number() -> Rows:
    for number, buffer in enumerate(refilled_array(40_000)()):
        yield buffer, number


def in_a_fresh_dict() -> Rows:
    for buffer in refilled_array(40)():
        yield {"x": buffer}


def late() -> Rows:
    buffer = np.zeros(40)
    for number in range(ROWS):
        buffer[0] = number // 25  # unchanged at first
        yield buffer


def ended_by_a_change() -> Rows:
    buffer = np.ones(40)
    yield buffer
    buffer[:] = 0


def ended_by_an_error() -> Rows:
    yield from ended_by_a_change()
    raise LookupError("no more")


CHANGING: list[Callable[[], Rows]] = [
    refilled_array(1), refilled_array(40_000), refilled_list, beside_a_number, in_a_fresh_dict,
    late, ended_by_a_change, ended_by_an_error,
]  # fmt: skip


def first_number(value: Any) -> float:
    while not isinstance(value, float | int):
        value = value["x"] if isinstance(value, dict) else value[0]
    return float(value)


def read(source: Source, at_once: int) -> list[Any]:
    while source.size is None:
        source.read_up_to(source.read + at_once)
    return list(source.columns(0, source.read)[0])


def one_by_one(rows: Callable[[], Rows]) -> list[float]:
    numbers: list[float] = []
    with contextlib.suppress(LookupError):
        numbers.extend(first_number(value) for value in rows())
    return numbers


@pytest.mark.parametrize("at_once", [1, 2, 7, 100])
@pytest.mark.parametrize("rows", CHANGING, ids=lambda rows: rows.__qualname__)
def test_each_row_stays_as_it_was_read(rows: Callable[[], Rows], at_once: int) -> None:
    source = Source([rows()])
    assert list(map(first_number, read(source, at_once))) == one_by_one(rows)
    assert (source.error is not None) == (rows is ended_by_an_error)


def test_what_does_not_change_is_not_copied() -> None:
    table, others = np.zeros(40_000), [np.zeros(9) for _ in range(ROWS)]
    source = Source([repeat(table, ROWS), iter(others), count()])
    read(source, 7)
    tables, rows, numbers = source.columns(0, ROWS)
    assert all(each is table for each in tables)
    assert all(row is other for row, other in zip(rows, others, strict=True))
    assert numbers == list(range(ROWS))


def test_a_constant_beside_what_changes_stays_one_object() -> None:
    table = np.zeros(40_000)
    source = Source([((table, buffer) for buffer in refilled_array(9)())])
    rows = read(source, 7)
    assert [row[1][0] for row in rows] == list(range(ROWS))
    assert len({id(row[0]) for row in rows}) == 1


def test_what_cannot_be_packed_is_left_as_it_is() -> None:
    lock, numbers = (each for each in [1]), iter(range(ROWS))
    rows = read(Source([((lock, number) for number in numbers)]), 7)
    assert all(row[0] is lock for row in rows) and len(rows) == ROWS


@pytest.mark.parametrize("farm", FEW, indirect=True)
@pytest.mark.parametrize("size", [3, 200_000])
def test_tasks_get_what_was_yielded(farm: Any, size: int) -> None:
    assert list(farm.map(first_number, refilled_array(size)())) == list(range(ROWS))
    table, rows = np.ones(size), refilled_array(size)()
    assert list(farm.map(sum_of_first, repeat(table), rows)) == list(range(1, ROWS + 1))


@pytest.mark.parametrize("farm", FEW, indirect=True)
def test_tasks_of_tasks_get_what_was_yielded(farm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity.this, "started", True)
    assert farm.submit(maps_what_is_refilled, 200).result(60) == list(range(ROWS))


def sum_of_first(table: Any, row: Any) -> float:
    return float(table[0] + row[0])


def maps_what_is_refilled(size: int) -> list[float]:
    return list(futures.map(first_number, refilled_array(size)()))
