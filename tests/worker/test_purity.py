"""Which functions are known to keep nothing from one call to the next."""

from __future__ import annotations

import math
from random import random
from typing import Any

import pytest

from scoopmpi.worker.purity import stateless

kept: dict[str, list[int]] = {}
recall, note = kept.setdefault, kept.update
LIMIT = 3


def computes(x: int) -> float:
    return math.sqrt(x) + len(str(x)) + LIMIT


def draws(x: int) -> float:
    return random() * x


def returns_what_it_keeps(x: int) -> list[int]:
    return recall("values", [x])


def writes(x: int) -> None:
    note(values=[x])


@pytest.mark.parametrize("function", [computes, draws])
def test_functions_of_numbers_keep_nothing(function: Any) -> None:
    assert stateless(function)


@pytest.mark.parametrize("function", [returns_what_it_keeps, writes, print])
def test_a_method_of_a_list_or_dict_has_its_memory(function: Any) -> None:
    assert not stateless(function)
