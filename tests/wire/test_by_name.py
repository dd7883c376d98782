"""Functions that travel by their names: which do, and that a name means what it means now."""

from __future__ import annotations

import math
import pickle
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy
import pytest

from scoopmpi.program import naming
from scoopmpi.wire import payload

PROGRAM = """
def known(x): return x + 1
def below(x): return x + 2
class Known:
    @staticmethod
    def method(x): return x + 3
alias = known
"""


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A program of which workers have not got `below`."""
    module = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", module)
    exec(PROGRAM, vars(module))
    payload.names_on_workers(lambda: frozenset({"known:2", "Known"}))
    yield module
    payload.names_on_workers(lambda: None)


def test_only_what_others_find_goes_by_name(program: Any) -> None:
    def closed(x: int) -> int:
        return x

    for function in (program.known, math.sqrt, pow):
        frame = payload.pack_named(function)
        assert frame == pickle.dumps(function, 5) == payload.pack_named(function)
        assert frame is not None and payload.unpack_named(frame) is function
    program.hides = program.below
    others = (program.below, program.hides, program.Known.method, program.Known, closed)
    for function in (*others, lambda: 1, [].append, "text", None):
        assert payload.pack_named(function) is None


def test_data_takes_the_short_way_whatever_others_have_not(
    program: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    array = numpy.arange(3.0)
    values = [(array, 1), ((array, "a"), None), 2.5, ()]
    others = [(program.below, 1), ([program.below],), numpy.array([program.below, 1])]
    assert all(payload.unpack(payload.pack(each)) is not None for each in others)
    monkeypatch.setattr(payload, "_by_value", None)
    for value in values:
        assert repr(payload.unpack(payload.pack(value))) == repr(value)
    for value in others:
        with pytest.raises(TypeError):
            payload.pack(value)


def test_a_name_means_what_it_means_now(program: Any) -> None:
    first, frame = program.known, payload.pack_named(program.known)
    assert frame is not None and payload.unpack_named(frame) is first
    program.known = second = lambda x: x
    assert payload.pack_named(first) is None is payload.pack_named(second)
    assert payload.unpack_named(frame) is second
    del program.known
    with pytest.raises(AttributeError, match="known"):
        payload.unpack_named(frame)
    program.known = first
    payload.names_on_workers(frozenset)
    assert payload.pack_named(first) is None


def test_one_question_is_answered_as_all_are(program: Any) -> None:
    on_workers = frozenset({"known:2", "Known"})
    missing = naming.missing_names(on_workers)
    assert missing == {"below"}
    asked = {*vars(program), "no_such_name"}
    assert {name for name in asked if naming.is_missing(name, on_workers)} == missing
    assert not naming.is_missing("below", None)


def test_many_functions_are_not_kept(monkeypatch: pytest.MonkeyPatch, program: Any) -> None:
    monkeypatch.setattr(payload, "_MOST_NAMED", 3)
    for function in (math.sin, math.cos, math.tan, math.exp, math.log, math.sin):
        frame = payload.pack_named(function)
        assert frame is not None and payload.unpack_named(frame) is function
        assert len(payload._named) <= 3 and len(payload._by_frame) <= 3


@pytest.mark.parametrize(
    ("values", "small"),
    [
        ((), True),
        ((1, 2.5, None, True, 1j), True),
        (("a" * 1000, (1, "b")), False),
        (("a" * 900, (b"b" * 90, 3)), True),
        ((numpy.float64(1),), True),
        (("x" * 1001,), False),
        (((1,) * 2000,), True),
        (range(2000), True),
        (([1],), False),
        (((1, [2]),), False),
        ((object(),), False),
        ((type("Text", (str,), {})("x"),), False),
    ],
)
def test_what_is_short_and_cannot_change(values: Any, small: bool) -> None:
    assert payload.small(values) == small
