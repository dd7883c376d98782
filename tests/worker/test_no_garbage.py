"""What is large goes when it is done with, on all ranks: nothing waits for Python's collector.

That comes by after so many objects, however large they are: 1 GiB of arrays was 14 objects.
"""

from __future__ import annotations

import functools
import gc
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from scoopmpi import futures
from scoopmpi.wire.messages import Run
from tests.support import memory_farm
from tests.support.memory_farm import current

farm = memory_farm.farm
COUNT = 1 << 17


def make(number: float) -> Any:
    return np.full(COUNT, number)


def take(array: Any, _: int = 0) -> float:
    return float(array[0])


def refuse(array: Any) -> None:
    raise ValueError("refused")


def parent(number: float) -> float:
    return sum(map(take, futures.map(make, [number] * 3)))


def arrays() -> Iterator[Any]:
    return map(make, range(20))


def results(farm: Any) -> None:
    for _ in farm.map(make, range(20)):
        pass


def arguments(farm: Any) -> None:
    list(farm.map(take, arrays()))


def the_same(farm: Any) -> None:
    array = make(0)
    list(farm.map(take, itertools.repeat(array), range(20)))
    list(farm.map(functools.partial(take, array), range(20)))


def calls(farm: Any) -> None:
    for call in [farm.submit(take, array) for array in arrays()]:
        call.result()
    for call in [farm.submit(make, 1) for _ in range(10)]:
        call.result()


def failures(farm: Any) -> None:
    list(farm.map(refuse, arrays(), return_exceptions=True))
    for call in [farm.submit(refuse, array) for array in arrays()]:
        call.exception()


def abandoned(farm: Any) -> None:
    next(farm.map(make, range(200)))


def nests(farm: Any) -> None:
    list(farm.map(parent, range(5)))


@pytest.mark.parametrize("farm", memory_farm.FEW, indirect=True)
@pytest.mark.parametrize(
    "program", [results, arguments, the_same, calls, failures, abandoned, nests]
)
@pytest.mark.filterwarnings("ignore:the program was not started by scoopmpi")
def test_nothing_is_left_for_the_collector(farm: Any, program: Callable[[Any], None]) -> None:
    program(farm)  # once before: what is made on first use
    current.ranks.settle()
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        program(farm)
        current.ranks.settle()
        gc.collect()
        left = {type(each).__qualname__ for each in gc.garbage}
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
    assert not left & {"Running", "Run", "Packed", "PickleBuffer", "memoryview", "bytearray"}, left


@pytest.mark.parametrize("farm", memory_farm.FEW, indirect=True)
@pytest.mark.filterwarnings("ignore:the program was not started by scoopmpi")
def test_a_worker_that_has_answered_holds_no_batch(farm: Any) -> None:
    """Also not its first one: 2 GiB of arguments stayed until the worker ended."""
    others = runs()
    for program in (arguments, calls, nests):
        program(farm)
        current.ranks.settle()
        assert not [each for each in runs() if not any(each is other for other in others)]


def runs() -> list[Any]:
    gc.collect()
    return [each for each in gc.get_objects() if type(each) is Run]
