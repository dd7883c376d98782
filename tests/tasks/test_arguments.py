"""What is known of the iterables of a map: their length, whether they end, and their errors."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scoopmpi.tasks import arguments
from scoopmpi.tasks.arguments import REPEATED, Source, endless, length, sized


@pytest.mark.parametrize(
    "column",
    [range(10, 0, -1), range(0), range(5, 1), range(7, 7, -1), range(2, 7, 3), range(10, 0, -3)],
    ids=str,
)
def test_the_length_of_a_range(column: range) -> None:
    assert length(column) == len(column)


def test_what_is_known_to_have_no_end() -> None:
    for column in (itertools.count(), itertools.repeat(1), itertools.cycle("x"), range(2**63)):
        assert endless(column)
    for other in (itertools.repeat(1, 5), range(10**18), iter([]), broken(), [1], Path(), "x"):
        assert not endless(other)  # type: ignore[arg-type]
    assert not sized({}.items().__iter__()) and sized({}.items())


def test_a_repeated_object_is_as_good_as_a_list_of_it() -> None:
    """So that the map is known to be small, and shared out at once."""
    for table, rows in ((itertools.repeat("x"), range(5)), (itertools.repeat("x", 5), range(9))):
        made = Source([table, rows])
        assert made.size == made.read == 5 and not made.streamed
        assert made.columns(3, 5) == [["x", "x"], range(3, 5)]
    alone = Source([itertools.repeat("x", 3)])
    assert alone.size == 3 and alone.columns(0, 3) == [["x"] * 3]


def test_where_the_end_is_not_known_rows_are_read() -> None:
    endless, many = itertools.repeat("x"), range(REPEATED + 1)
    for columns in (
        [endless],
        [endless, iter("abc")],
        [endless, itertools.count()],
        [endless, many],
    ):
        made = Source(columns)
        assert made.size is None and made.streamed
        made.read_up_to(2)
        assert made.read == 2 and made.columns(0, 2)[0] == ["x", "x"]
    assert Source([many]).size == len(many), "without a repeated object nothing has to be written"


def test_an_error_in_another_thread_counts_when_the_makers_finds_it_too() -> None:
    made = Source([broken()])
    reader = threading.Thread(target=made.read_up_to, args=(10,))
    reader.start()
    reader.join(20)
    assert made.size is None and made.error is None and made.read == 3
    made.read_up_to(10)
    assert made.size == 3 and isinstance(made.error, LookupError)


def broken() -> Iterator[int]:
    yield from range(3)
    raise LookupError("no more")


def test_a_list_that_another_thread_shortens_counts_as_it_was_copied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values, counted = list(range(10)), arguments.counted

    def shortened(iterables: Any) -> int | None:
        found = counted(iterables)
        del values[4:]
        return found

    monkeypatch.setattr(arguments, "counted", shortened)
    made = Source([values, itertools.repeat("x")])
    assert made.size == made.read == 4
    assert made.columns(0, 4) == [[0, 1, 2, 3], ["x"] * 4]
