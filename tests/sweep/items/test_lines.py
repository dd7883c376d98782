"""Lists: an item for each line."""

from __future__ import annotations

from pathlib import Path

import pytest

from scoopmpi.sweep.items.item import ItemsProblem, Source
from scoopmpi.sweep.items.opening import Asked, opened
from tests.sweep.items.reading import values, written


def lines(folder: Path, content: str | bytes) -> Source:
    return opened(Asked(lines=written(folder, content)))


@pytest.mark.parametrize(
    ("content", "read"),
    [
        ("a\nb\n", ["a", "b"]),
        ("a\r\nb\r\n", ["a", "b"]),
        ("\n\na\n \n\r\n\t\nb", ["a", "b"]),
        (' "a", b \n# c\n', [' "a", b ', "# c"]),
        ("a\rb\n", ["a\rb"]),
        ("a\r\r\n", ["a\r"]),
        ("\ufeffa\x0bb\x85c\u2028d\n", ["a\x0bb\x85c\u2028d"]),
        ("-rf\n$(touch x)\n;\n", ["-rf", "$(touch x)", ";"]),
        ("", []),
    ],
)
def test_a_line_is_an_item_as_it_is(tmp_path: Path, content: str, read: list[str]) -> None:
    found = lines(tmp_path, content)
    assert found.columns == ("ITEM",)
    assert [(item.number, *item.values) for item in found] == list(enumerate(read, 1))
    assert found.size == len(read)


def test_nulls_may_end_lines(tmp_path: Path) -> None:
    path = written(tmp_path, b"a\nb\0\0 \0\r\n\0c\xff")
    found = opened(Asked(lines=path, null=True))
    assert values(found) == [("a\nb",), (" ",), ("\r\n",), ("c\udcff",)]
    assert found.size == 4


def test_lines_that_no_program_can_be_given(tmp_path: Path) -> None:
    with pytest.raises(ItemsProblem, match=r"line 2: a NUL byte.*-print0"):
        lines(tmp_path, "a\nb\0c\0")
    assert values(lines(tmp_path, b"\xff\n")) == [("\udcff",)]
