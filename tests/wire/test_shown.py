"""How arguments are shown in errors: short, at once, and without running the user's code."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import functools
import pathlib
import time
from typing import Any, NamedTuple

import numpy
import pytest

from scoopmpi.tasks.limit import limited
from scoopmpi.tasks.wrapped import Starred
from scoopmpi.wire import shown


class Point:
    def __init__(self, x: Any) -> None:
        self.x = x

    def __repr__(self) -> str:
        raise AssertionError("shown by its __repr__")


class Slotted:
    __slots__ = ("x",)


@dataclasses.dataclass
class Setting:
    name: str
    values: dict[str, Any]


class Pair(NamedTuple):
    left: int
    right: str


class Colour(enum.Enum):
    RED = 1


class Level(enum.IntEnum):
    HIGH = 3


class LoudList(list[int]):
    def __iter__(self) -> Any:
        raise SystemExit

    def __len__(self) -> int:
        raise SystemExit

    def __repr__(self) -> str:
        time.sleep(1000)
        return ""


class Hidden:
    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        raise SystemExit


class Meta(type):
    @property
    def __name__(cls) -> str:  # type: ignore[override]
        raise SystemExit

    @property
    def __module__(cls) -> str:  # type: ignore[override]
        raise SystemExit


class Strange(metaclass=Meta):
    pass


def circle() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.3, "0.3"), ("x", "'x'"), (None, "None"), (True, "True"), (1 + 2j, "(1+2j)"),
        (b"a", "b'a'"), (..., "..."),
        ([1, 2], "[1, 2]"), ((1,), "(1,)"), ((), "()"), ({"a": [1]}, "{'a': [1]}"), ({3}, "{3}"),
        (frozenset(), "frozenset()"), (range(4), "range(0, 4)"), (circle(), "[[[[...]]]]"),
        (numpy.float64(0.5), "0.5"), (numpy.int32(7), "7"),
        (numpy.zeros((3, 4)), "array of shape (3, 4) of float64"), (numpy.array(3), "3"),
        (Point(1), "Point(x=1)"), (Slotted(), "Slotted"), (Pair(1, "b"), "Pair(left=1, right='b')"),
        (Setting("a", {"{b}": 2}), "Setting(name='a', values={'{b}': 2})"),
        ({"a: {}": 1}, "{'a: {}': 1}"),
        (Colour.RED, "Colour.RED"), (Level.HIGH, "Level.HIGH"),
        (LoudList([1, 2]), "LoudList([1, 2])"),
        (Hidden(), "Hidden"), (Strange(), "Strange()"), (object(), "object"), (len, "len"),
        (functools.partial(len, "a"), "partial(len)"), (Point, "Point"),
        (time, "module time"),
        (collections.Counter("a"), "Counter({'a': 1})"), (iter([]), "list_iterator"),
        (datetime.date(2030, 1, 2), "datetime.date(2030, 1, 2)"),
        (decimal.Decimal("1.5"), "Decimal('1.5')"),
        (pathlib.PurePosixPath("/a"), "PurePosixPath('/a')"),
    ],
)  # fmt: skip
def test_a_value(value: Any, text: str) -> None:
    assert shown.shown(value) == text


@pytest.mark.parametrize(
    "value",
    [
        "a" * 10**6, b"\0" * 10**6, [0] * 10**6, tuple(range(10**5)), dict.fromkeys(range(10**5)),
        [["a" * 100] * 100] * 100, Point([Point("x" * 999)] * 99), set(range(999)),
        {"k" * 500: "v" * 500}, Setting("n" * 99, dict.fromkeys("abcdefgh", "x" * 99)),
    ],
)  # fmt: skip
def test_what_is_long_is_cut_and_takes_no_time(value: Any) -> None:
    begun = time.thread_time()
    text = shown.shown(value)
    assert len(text) <= shown.MOST and "..." in text
    assert time.thread_time() - begun < 0.2


def test_a_number_that_python_refuses_to_print() -> None:
    assert shown.shown(10**5000) == "int of 16610 bits"


def test_a_path_keeps_its_end() -> None:
    assert shown.shown("/data/" + "x" * 200 + "/run_0007.h5").endswith("/run_0007.h5'")


def model(x: Any, mode: str = "") -> None:
    pass


def test_a_call_is_written_as_users_write_it() -> None:
    name = f"{__name__}.model"
    assert shown.called(model, (0.3,), {"mode": "x"}) == f"{name}(0.3, mode='x')"
    assert shown.called(limited(Starred(model), 5), ((0.3, "x"),)) == f"{name}(0.3, 'x')"
    assert shown.called(functools.partial(model, 3), ()) == f"partial({name})()"


def test_many_arguments_share_the_room() -> None:
    text = shown.arguments(("a" * 99, [1.5] * 99, "end"), {})
    assert len(text) <= shown.MOST and text.endswith(", 'end'")
    assert shown.arguments(range(1000), {}).endswith(", ...")
    assert len(shown.arguments(range(1000), {})) < shown.MOST + 10
