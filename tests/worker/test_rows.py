"""How far a nested map reads ahead: enough to be fast, never to the end of what has none."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from scoopmpi.tasks.reorder import ReorderBuffer
from scoopmpi.worker.nested import rows
from scoopmpi.worker.nested.rows import RowSource


class Done(NamedTuple):
    start: int
    stop: int


def source_of(*iterables: Any) -> tuple[RowSource, ReorderBuffer[Done]]:
    outcomes: ReorderBuffer[Done] = ReorderBuffer(ordered=True)
    return RowSource(iterables, 4, outcomes), outcomes


def take(outcomes: ReorderBuffer[Done], stop: int) -> None:
    outcomes.add(Done(outcomes.taken, stop))
    assert outcomes.take() is not None


def test_what_has_a_length_is_read_at_once() -> None:
    source, outcomes = source_of(range(9), "abcdefghi")
    assert source.next_rows(unread=False) == list(zip(range(9), "abcdefghi", strict=True))
    assert source.ended and source.read == 9 and not source.used_up
    take(outcomes, 9)
    assert source.used_up


def test_a_large_map_is_read_in_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "WINDOW", 16)
    source, _ = source_of(range(40))
    sizes = [len(source.next_rows(unread=True)) for _ in range(3)]
    assert sizes == [16, 16, 8] and source.ended


def test_an_iterator_is_read_as_far_ahead_as_values_were_taken() -> None:
    source, outcomes = source_of(itertools.count())
    read = 0
    while more := source.next_rows(unread=False):
        read += len(more)
    assert read == source.read == 12, "three windows of four, while nothing is taken"
    take(outcomes, 12)
    assert len(source.next_rows(unread=False)) == 4
    assert len(source.next_rows(unread=False)) == 12, "the window grows with what was used"
    assert source.endless and not source.ended


def failing() -> Iterator[int]:
    yield from range(6)
    raise ValueError("no more")


def test_what_comes_before_an_error_is_kept() -> None:
    source, _ = source_of(failing())
    assert len(source.next_rows(unread=False)) == 4 and not source.ended
    assert source.next_rows(unread=False) == [(4,), (5,)]
    assert source.ended and str(source.error) == "no more"


def test_reading_that_waits_is_not_begun_twice() -> None:
    inner: list[Any] = []

    def asks() -> Iterator[int]:
        inner.append(source.next_rows(unread=False))
        yield 1

    source, _ = source_of(asks())
    assert source.next_rows(unread=False) == [(1,)] and inner == [[]]
