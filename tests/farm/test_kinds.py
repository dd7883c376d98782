"""Large objects of each kind over the in-memory link, by each way to a task, and back."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from tests.support import memory_farm
from tests.support.kinds import KINDS, equal, expected
from tests.support.ways import WAYS

farm = memory_farm.farm
pytestmark = pytest.mark.parametrize("farm", [0, 5], indirect=True)


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_by_each_way(farm: Any, name: str) -> None:
    for way, values in WAYS.items():
        for value in values(farm, name):
            assert equal(value, expected(name)), way


# Beside what does not travel.


class NoPickle:
    def __reduce__(self) -> Any:
        raise ValueError("I do not travel")


def refuse(number: int) -> Any:
    raise ValueError(f"refused on arrival: {number}")


class NoUnpickle:
    def __init__(self, number: int) -> None:
        self.number = number

    def __reduce__(self) -> Any:
        return refuse, (self.number,)


def total(pair: Any) -> float:
    return float(pair[0].sum())


def with_stowaway(number: int) -> Any:
    array = np.full(1 << 17, number)
    return array if number % 3 else [array, (NoPickle(), NoUnpickle(number))[number % 2]]


@pytest.mark.parametrize("stowaway", [NoPickle(), NoUnpickle(7)], ids=["packing", "opening"])
def test_arguments_beside_one_that_does_not_travel(farm: Any, stowaway: Any) -> None:
    """It fails alone; the others have their values, also where all hold the same array."""
    array = np.arange(float(1 << 17))
    for arrays in (itertools.repeat(array), iter(array * 1 for _ in range(10))):
        rows = [(next(arrays), stowaway if number == 4 else number) for number in range(10)]
        values = list(farm.map(total, rows, return_exceptions=True))
        assert "pickled" in str(values.pop(4))
        assert values == [array.sum()] * 9


def test_results_beside_one_that_does_not_travel(farm: Any) -> None:
    values = list(farm.map(with_stowaway, range(10), return_exceptions=True))
    for number, value in enumerate(values):
        if number % 3:
            assert (value == number).all() and value.shape == (1 << 17,)
        else:
            assert "pickled" in str(value)
