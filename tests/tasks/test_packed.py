"""The function of one map after the other: packed anew unless it is the same for certain."""

from __future__ import annotations

from functools import partial

import pytest

from scoopmpi.program import naming
from scoopmpi.tasks.packed import LatestFunction
from scoopmpi.wire import payload


def first(x: int) -> int:
    return x


def second(x: int) -> int:
    return -x


def test_a_function_that_is_found_by_its_name_is_packed_once() -> None:
    functions = LatestFunction()
    packed = functions.packed(first)
    assert functions.packed(first) is packed
    assert payload.unpack(functions.packed(second).code) is second
    assert payload.unpack(functions.packed(first).code) is first


def test_a_function_by_value_is_packed_for_each_map_as_it_is_then() -> None:
    functions, steps = LatestFunction(), [1]
    shifted = partial(sum, steps)
    assert payload.unpack(functions.packed(shifted).code).args == ([1],)
    steps.append(2)
    assert payload.unpack(functions.packed(shifted).code).args == ([1, 2],)


def test_a_function_in_whose_place_another_has_come_goes_by_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    functions, before = LatestFunction(), first
    assert functions.packed(before).by_name
    monkeypatch.setitem(globals(), "first", second)
    packed = functions.packed(before)
    assert not packed.by_name and payload.unpack(packed.code)(3) == 3


def test_a_function_that_workers_lack_all_at_once_goes_by_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    functions = LatestFunction()
    assert functions.packed(first).by_name
    monkeypatch.setattr(first, "__module__", "__main__")
    monkeypatch.setattr(naming, "missing_names", lambda known: frozenset({"first"}))
    assert not functions.packed(first).by_name
