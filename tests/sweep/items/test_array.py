"""Ranges of job arrays: as batch systems spell them, and without a list."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoopmpi.sweep.items.array import ARRAY_ID, Numbers
from scoopmpi.sweep.items.item import ItemsProblem


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1-3", [1, 2, 3]),
        ("5", [5]),
        ("0", [0]),
        ("1-3,15", [1, 2, 3, 15]),
        ("15, 1-3", [15, 1, 2, 3]),
        ("0-9:5", [0, 5]),
        ("1-10:4", [1, 5, 9]),
        ("7-7", [7]),
        ("007-009", [7, 8, 9]),
        ("1-5:2,2-5:2", [1, 3, 5, 2, 4]),
    ],
)
def test_ranges(text: str, numbers: list[int]) -> None:
    found = Numbers(text)
    assert [item.number for item in found] == numbers
    assert [item.values for item in found] == [(str(number),) for number in numbers]
    assert (found.size, found.columns) == (len(numbers), (ARRAY_ID,))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no range"),
        ("a-b", "no range"),
        ("1-", "no range"),
        ("-5", "no range"),
        ("1-5-9", "no range"),
        ("1-3,", "no range"),
        ("1-1" + "0" * 30, "no range"),
        ("٣-٥", "no range"),
        ("10-1", "10-1 goes backwards; 1-10 is meant"),
        ("1-10:0", "no step"),
        ("1-10%5", "-t 1-10, and -n 5"),
        ("1-10,3", "3 is there twice"),
        ("3,3", "3 is there twice"),
        ("0-100:6,2-100:4", "is there twice"),
    ],
)
def test_what_is_no_range(text: str, said: str) -> None:
    with pytest.raises(ItemsProblem, match=said):
        Numbers(text)


@settings(max_examples=200)
@given(
    parts=st.lists(
        st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(1, 9)), min_size=1, max_size=4
    )
)
def test_a_number_that_is_there_twice_is_always_found(parts: list[tuple[int, int, int]]) -> None:
    text = ",".join(f"{first}-{first + more}:{step}" for first, more, step in parts)
    numbers = [n for first, more, step in parts for n in range(first, first + more + 1, step)]
    if len(set(numbers)) < len(numbers):
        with pytest.raises(ItemsProblem, match="is there twice"):
            Numbers(text)
    else:
        assert [item.number for item in Numbers(text)] == numbers


def test_a_long_range_takes_no_memory_and_no_time() -> None:
    found = Numbers("1-1000000000,2000000000-999999999999999999:7")
    assert found.size == 10**9 + (10**18 - 1 - 2 * 10**9) // 7 + 1
    assert [item.number for item in itertools.islice(found, 2)] == [1, 2]
    assert Numbers(",".join(map(str, range(20_000)))).size == 20_000


def test_what_slurm_and_grid_engine_say_of_the_array() -> None:
    assert Numbers("5-20:5").variables == {
        "SLURM_ARRAY_TASK_MIN": "5", "SLURM_ARRAY_TASK_MAX": "20",
        "SLURM_ARRAY_TASK_STEP": "5", "SLURM_ARRAY_TASK_COUNT": "4",
        "SGE_TASK_FIRST": "5", "SGE_TASK_LAST": "20", "SGE_TASK_STEPSIZE": "5",
    }  # fmt: skip
    several = Numbers("7,1-3").variables
    assert [several[f"SLURM_ARRAY_TASK_{name}"] for name in ("MIN", "MAX", "STEP")] == [
        "1",
        "7",
        "1",
    ]
