"""Files of items: their names, and that those of a later attempt are new."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoopmpi.sweep.conducting import choosing
from scoopmpi.sweep.outputs import directory
from scoopmpi.sweep.outputs.directory import Files, paths
from scoopmpi.sweep.outputs.sink import OutputProblem
from tests.sweep.outputs.items import ended, item


@pytest.mark.parametrize(
    ("number", "name"),
    [(1, "0001.out"), (9999, "9999.out"), (10_000, "from_00010000/00010000.out"),
     (1_234_567, "from_01230000/01234567.out")],
)  # fmt: skip
def test_names(number: int, name: str) -> None:
    assert paths("/d", number).out == f"/d/{name}"
    assert paths("/d", number).err == f"/d/{name[:-4]}.err"


@settings(max_examples=50)
@given(st.lists(st.integers(0, 10**8 - 1), unique=True, max_size=50))
def test_names_sort_as_numbers_do(numbers: list[int]) -> None:
    found = [paths("d", number).out for number in sorted(numbers)]
    assert sorted(found) == found and len(set(found)) == len(numbers)


def test_directories_stay_small() -> None:
    shards = {os.path.dirname(paths("d", number).out) for number in range(10**6, 10**6 + 20_000)}
    assert len(shards) == 2


def test_an_item_writes_and_a_later_attempt_begins_anew(tmp_path: Path) -> None:
    place = str(tmp_path / "out")
    directory.prepared(place)
    for number in (7, 12_345):
        files = Files(place, number)
        os.write(files.out, b"first")
        os.write(files.err, b"bad")
        left = os.dup(files.out)  # somebody in the background still has it
        files.close()
        again = Files(place, number)
        os.write(left, b"late")
        os.write(again.out, b"second")
        again.close()
        os.close(left)
        found = paths(place, number)
        assert Path(found.out).read_bytes() == b"second"
        assert not Path(found.err).exists()


def test_an_item_without_output_leaves_one_empty_file(tmp_path: Path) -> None:
    Files(str(tmp_path), 3).close()
    assert [one.name for one in tmp_path.iterdir()] == ["0003.out"]


def test_errors_may_go_where_the_rest_does(tmp_path: Path) -> None:
    first = Files(str(tmp_path), 1)
    os.write(first.err, b"bad")
    first.close()
    files = Files(str(tmp_path), 1, merged=True)
    assert files.out == files.err
    files.close()
    assert [one.name for one in tmp_path.iterdir()] == ["0001.out"]


def test_a_directory_that_cannot_be_is_refused_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name in ("file", "file/below", "a\0b"):
        with pytest.raises(OutputProblem, match="no files can be made there"):
            directory.prepared(str(tmp_path / name))
    assert directory.prepared(str(tmp_path / "new" / "one")) == str(tmp_path / "new" / "one")
    assert not list((tmp_path / "new" / "one").iterdir())


def test_what_workers_have_written_is_kept(tmp_path: Path) -> None:
    kept: list[int] = []
    place = str(tmp_path / "new")
    sink = choosing.sink(lambda one: kept.append(one.number), ["a"], "x", output_dir=place)
    assert os.path.isdir(place)
    sink.expected(item(4))
    sink.add(ended(4))
    assert kept == [4] and sink.close() == 0
