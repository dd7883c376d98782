"""Sources side by side, and which are refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scoopmpi.sweep.items.item import ItemsProblem
from scoopmpi.sweep.items.opening import Asked, opened
from tests.sweep.items.reading import values, written


def test_tables_side_by_side(tmp_path: Path) -> None:
    one, two = written(tmp_path, "a\n1\n2\n", "1"), written(tmp_path, "b,c\n3,4\n5,6\n", "2")
    found = opened(Asked((one, two), beside=True))
    assert (found.columns, found.size) == (("a", "b", "c"), 2)
    assert values(found) == [("1", "3", "4"), ("2", "5", "6")]


def test_an_array_gives_the_numbers_of_what_stands_beside_it(tmp_path: Path) -> None:
    data = (written(tmp_path, "a\nx\ny\n", "1"), written(tmp_path, "a\nz\n", "2"))
    found = opened(Asked(data, array="10-30:10"))
    assert found.columns == ("PBS_ARRAYID", "a")
    assert [(item.number, item.values) for item in found] == [
        (10, ("10", "x")), (20, ("20", "y")), (30, ("30", "z")),
    ]  # fmt: skip
    assert found.variables["SLURM_ARRAY_TASK_STEP"] == "10"


def test_both_need_the_same_number_of_items(tmp_path: Path) -> None:
    data = written(tmp_path, "a\nx\ny\n")
    with pytest.raises(ItemsProblem, match=r"-t has 3, .*t\.csv has 2"):
        opened(Asked((data,), array="1-3"))
    reading, writing = os.pipe()
    os.write(writing, b"a\nx\ny\n")
    os.close(writing)
    found = opened(Asked((f"/dev/fd/{reading}",), array="1-3"))
    os.close(reading)
    rows = iter(found)
    assert [next(rows).values, next(rows).values] == [("1", "x"), ("2", "y")]
    with pytest.raises(ItemsProblem, match="has fewer items"):
        next(rows)


def test_a_column_is_in_one_of_them_only(tmp_path: Path) -> None:
    one, two = written(tmp_path, "a,b\n1,2\n", "1"), written(tmp_path, "b\n3\n", "2")
    with pytest.raises(ItemsProblem, match=r"1 and .*2 both have the column b"):
        opened(Asked((one, two), beside=True))


def test_something_is_asked_for() -> None:
    with pytest.raises(ItemsProblem, match="which items"):
        opened(Asked())
