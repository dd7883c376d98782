"""Strange outcomes, ranges and seconds by `futures`, by pools and inside tasks."""

from __future__ import annotations

import asyncio
import gc
import itertools
import math
import operator
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from scoopmpi import futures, shared
from scoopmpi.concurrency import timeouts
from scoopmpi.executors.pool import Pool
from scoopmpi.process import identity
from scoopmpi.tasks import current_executor
from scoopmpi.wire import errors
from scoopmpi.worker.purity import stateless
from tests.executors.conformance.outcomes import (
    KINDS,
    LONG,
    WRONG,
    exhausts,
    raises,
    stop_value,
    stops,
)
from tests.support.memory_farm import FEW, farm, square

__all__ = ["farm"]  # the fixture

HUGE = 2**70


@pytest.fixture(autouse=True)
def current(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    monkeypatch.setattr(identity.this, "started", True)
    if "farm" in request.fixturenames:
        current_executor.install(request.getfixturevalue("farm"))
    yield
    current_executor.install(None)


# Outcomes.


def what_comes(kind: type[BaseException]) -> list[Any]:
    """By all ways that a task has; type and arguments of each error."""
    future = futures.submit(raises, kind, 3)
    futures.wait([future])
    errors = [futures.Future.exception(future)]
    for call in (
        lambda: futures.submit(raises, kind, 3).result(),
        lambda: list(futures.map(raises, [kind], [3])),
        lambda: list(futures.map_as_completed(raises, [kind], [3])),
        lambda: futures.mapReduce(raises, operator.add, [kind] * 3, itertools.repeat(3)),
        lambda: futures.mapScan(raises, operator.add, [kind], [3]),
        lambda: Pool().apply(raises, (kind, 3)),
        lambda: Pool().starmap(raises, [(kind, 3)]),
        lambda: Pool().imap(Raising(kind), [3]).next(),
    ):
        try:
            call()
        except BaseException as error:
            errors.append(error)
    return [(type(error), error and error.args, stop_value(error)) for error in errors]


class Raising:
    def __init__(self, kind: type[BaseException]) -> None:
        self.kind = kind

    def __call__(self, x: int) -> int:
        return raises(self.kind, x)


@pytest.mark.parametrize("farm", FEW, indirect=True)
@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_task_raises_arrives_as_it_was(farm: Any, kind: Any, inside: bool) -> None:
    found = farm.submit(what_comes, kind).result() if inside else what_comes(kind)
    assert len(found) == 9
    for arrived, arguments, value in found:
        if issubclass(arrived, errors.TaskError):  # by an iterator, for which it is the end
            assert kind is StopIteration and value == 3
        else:
            assert (arrived, arguments) == (kind, (3,))


@pytest.mark.parametrize("task", [stops, exhausts])
def test_no_reduction_ends_early(farm: Any, task: Any) -> None:
    for call in (futures.mapReduce, futures.mapScan):
        with pytest.raises(StopIteration):
            call(task, operator.add, range(10))


def test_without_a_farm_too() -> None:
    for kind in KINDS:
        for arrived, arguments, value in what_comes(kind):
            if issubclass(arrived, errors.TaskError):
                assert kind is StopIteration and value == 3
            else:
                assert (arrived, arguments) == (kind, (3,))


def test_what_may_stop_is_looked_at_after_each_task() -> None:
    assert stateless(square) and not stateless(stops) and not stateless(exhausts)


def test_a_cancelled_error_of_asyncio_is_the_tasks_own(farm: Any) -> None:
    async def one() -> None:
        future = farm.submit(raises, LookupError, 3)
        with pytest.raises(LookupError):
            await asyncio.wrap_future(future)

    futures.wait([farm.submit(square, 1)])
    with pytest.raises(asyncio.CancelledError):
        farm.submit(raises, asyncio.CancelledError, 3).result()


# Ranges.


def in_all_ways(column: range) -> list[list[int]]:
    def most(values: Any) -> list[int]:
        return list(itertools.islice(values, 10))

    return [
        most(futures.map(square, column)),
        most(futures.map(add, column, itertools.count())),
        most(futures.map(add, range(100), column)),
        most(Pool().imap(square, column)),
        [futures.mapReduce(add, operator.add, column, range(7))],
        futures.mapScan(add, operator.add, range(7), column),
    ]


def serially(column: range) -> list[list[int]]:
    some = list(itertools.islice(column, 10))
    sums = list(itertools.accumulate(x + y for x, y in zip(some, range(7), strict=False)))
    return [
        [x * x for x in some],
        [x + y for x, y in zip(some, itertools.count(), strict=False)],
        [x + y for x, y in zip(some, range(100), strict=False)],
        [x * x for x in some],
        [sums[-1]],
        sums,
    ]


def add(x: int, y: int) -> int:
    return x + y


RANGES = [
    range(2**63), range(HUGE, HUGE + 5), range(10, 0, -1), range(2**64, 0, -(2**62)),
    range(-HUGE, HUGE, 3), range(HUGE, -HUGE, -7), range(3),
]  # fmt: skip


@pytest.mark.parametrize("farm", FEW, indirect=True)
@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("column", RANGES, ids=str)
def test_ranges_of_any_length(farm: Any, column: range, inside: bool) -> None:
    found = farm.submit(in_all_ways, column).result() if inside else in_all_ways(column)
    assert found == serially(column)


@pytest.mark.parametrize("column", RANGES, ids=str)
def test_ranges_of_any_length_without_a_farm(column: range) -> None:
    assert in_all_ways(column) == serially(column)


def test_empty_ranges(farm: Any) -> None:
    for column in (range(0), range(5, 1), range(1, 5, -1), range(HUGE, -HUGE)):
        assert list(futures.map(square, column)) == futures.mapScan(square, add, column) == []
        with pytest.raises(TypeError, match="nothing to reduce"):
            futures.mapReduce(square, add, column)


# Seconds.


def waits() -> list[Any]:
    future = futures.submit(square, 2)
    result = Pool().apply_async(square, (2,))
    result.wait()
    return [
        future.result, future.exception, result.get, result.wait,
        lambda t: Pool().imap(square, [1]).next(t),
        lambda t: futures.wait([future], t),
        lambda t: list(futures.as_completed([future], t)),
        lambda t: list(futures.map(square, [1], timeout=t)),
        lambda t: list(futures.map_as_completed(square, [1], timeout=t)),
        lambda t: futures.mapReduce(square, add, [1], timeout=t),
        lambda t: futures.mapScan(square, add, [1], timeout=t),
    ]  # fmt: skip


def told_errors() -> list[str]:
    """What is said about wrong seconds; nothing where one was taken."""
    unraisable: list[Any] = []
    before, sys.unraisablehook = sys.unraisablehook, unraisable.append
    said = []
    try:
        for wait in waits():
            for wrong in (*WRONG, math.nan):
                try:
                    wait(wrong)
                except (TypeError, ValueError) as error:
                    said.append(f"{type(error).__name__}: {error}")
                else:
                    said.append(f"taken: {wrong!r}")
        gc.collect()
    finally:
        sys.unraisablehook = before
    return [*said, *map(str, unraisable)]


def check(said: list[str]) -> None:
    assert len(said) == 11 * (len(WRONG) + 1)
    for line in said:
        kind = "ValueError: timeout is nan" if "nan" in line else "TypeError: timeout is "
        assert line.startswith(kind), line


@pytest.mark.parametrize("farm", FEW, indirect=True)
@pytest.mark.parametrize("inside", [False, True])
def test_wrong_seconds_are_named(farm: Any, inside: bool) -> None:
    check(farm.submit(told_errors).result() if inside else told_errors())


def test_wrong_seconds_are_named_without_a_farm() -> None:
    check(told_errors())


def test_seconds_of_every_kind(farm: Any) -> None:
    for wait in waits():
        for seconds in LONG:
            wait(seconds)


def test_a_negative_wait_is_for_ever_as_in_scoop(farm: Any) -> None:
    calls = [futures.submit(square, x) for x in range(20)]
    assert futures.wait(calls, -1).done == set(calls)
    assert set(futures.as_completed(calls, -2.5)) == set(calls)


def test_constants_too() -> None:
    for wrong in WRONG:
        with pytest.raises(TypeError, match="timeout is"):
            shared.getConst("never", wrong)


def test_one_meaning() -> None:
    assert timeouts.seconds(None) is timeouts.seconds(math.inf) is timeouts.seconds(10**400) is None
    assert timeouts.seconds(-(10**400)) == -math.inf
    assert timeouts.seconds(2.5) == 2.5 and timeouts.seconds(0) == 0 and timeouts.seconds(-1) == -1
