"""mapReduce and mapScan: in any place, in any interleaving, what functools and itertools give."""

from __future__ import annotations

import functools
import itertools
import operator
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy
import pytest

from scoopmpi import futures
from scoopmpi.executors import reduction
from scoopmpi.process import identity
from scoopmpi.tasks import current_executor
from scoopmpi.tasks.pedigree import Strand
from tests.support.link import Ranks
from tests.worker.test_nested import EAGER

ranks: Ranks
ran: Counter[int] = Counter()


@pytest.fixture(params=["serial", 1, 2, 3, 4, 5])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Without a farm, and with farms of some workers in some interleaving."""
    global ranks
    monkeypatch.setattr(identity.this, "started", True)
    if request.param == "serial":
        yield None
        return
    ranks = Ranks(request.param, seed=request.param, policy=EAGER)
    current_executor.install(ranks.executor)
    yield ranks
    current_executor.install(None)
    ranks.settle()
    assert len(ranks.farm._jobs) == 1 and not len(ranks.farm._offers)
    assert not any(worker.hub.sharing for worker in ranks.workers)


def words(x: int) -> str:
    return f"{x} "


def double(x: int) -> int:
    return 2 * x


def slow_join(a: str, b: str) -> str:
    for worker in ranks.workers:
        if worker.batches.current is not None:
            worker.overdue.turn()
    return a + b


@pytest.mark.parametrize("count", [1, 2, 3, 7, 64, 1000])
def test_the_order_is_kept(place: Any, count: int) -> None:
    """Joining words is associative and not commutative."""
    numbers = range(count)
    expected = "".join(map(words, numbers))
    assert futures.mapReduce(words, operator.add, numbers) == expected
    if place is not None:
        assert futures.mapReduce(words, slow_join, numbers) == expected
    assert futures.mapScan(double, operator.add, numbers) == list(
        itertools.accumulate(2 * x for x in numbers)
    )


def counted(x: int) -> int:
    ran[x] += 1
    return x


@pytest.mark.parametrize("reduce", [futures.mapReduce, futures.mapScan])
def test_every_task_runs_once_whoever_takes_it(place: Any, reduce: Any) -> None:
    ran.clear()
    reduce(counted, operator.add, range(500))
    assert ran == dict.fromkeys(range(500), 1)


def test_running_words(place: Any) -> None:
    expected = list(itertools.accumulate(map(words, range(60))))
    assert futures.mapScan(words, operator.add, range(60)) == expected


def test_nothing_to_combine(place: Any) -> None:
    assert futures.mapScan(words, operator.add, []) == []
    with pytest.raises(TypeError, match="nothing to reduce"):
        futures.mapReduce(words, operator.add, iter(()))


def test_any_iterables(place: Any) -> None:
    assert futures.mapReduce(pow, operator.add, (x for x in range(5)), itertools.repeat(2)) == 30
    assert futures.mapReduce(pow, max, {2, 3}, [3, 3, 3]) == 27
    assert futures.mapReduce(double, operator.add, numpy.arange(4)) == 12
    assert futures.mapScan(abs, operator.mul, dict.fromkeys([1, -2, 3])) == [1, 2, 6]


def merged(a: list[int], b: list[int]) -> list[int]:
    """Changes what it is given, as reductions like to."""
    a.extend(b)
    return a


def alone(x: int) -> list[int]:
    return [x]


def test_a_reduction_may_change_what_it_is_given(place: Any) -> None:
    assert futures.mapReduce(alone, merged, range(300)) == list(range(300))


def picky(x: int) -> int:
    if x == 77:
        raise LookupError(x)
    return x


def refuses(a: int, b: int) -> int:
    raise ArithmeticError


def test_exceptions_come_out(place: Any) -> None:
    with pytest.raises(LookupError, match="77"):
        futures.mapReduce(picky, operator.add, range(100))
    with pytest.raises(LookupError, match="77"):
        futures.mapScan(picky, operator.add, range(100))
    with pytest.raises(ArithmeticError):
        futures.mapReduce(abs, refuses, range(10))
    with pytest.raises(TypeError, match="not callable"):
        futures.mapReduce(None, operator.add, range(10))  # type: ignore[arg-type]
    assert futures.mapReduce(abs, operator.add, range(10)) == 45


def inner(x: int) -> int:
    total: int = futures.mapReduce(double, operator.add, range(x + 1))
    return total + futures.mapScan(double, operator.add, range(x + 1))[-1]


def test_reductions_inside_tasks(place: Any) -> None:
    assert list(futures.map(inner, range(8))) == [2 * x * (x + 1) for x in range(8)]


def test_only_the_range_travels() -> None:
    rows = reduction.rows_of([range(1000), "x" * 1000])
    right = rows.right_half()
    copy, arguments = right.__reduce__()
    assert (len(rows), len(right)) == (500, 500)
    assert list(copy(*arguments).values(lambda x, y: x, 2, Strand())) == [500, 501]
    assert functools.reduce(operator.add, arguments[0][1]) == "x" * 500
