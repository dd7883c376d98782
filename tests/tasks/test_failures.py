"""Failures in the places of values, retries and unknown keywords, without ranks.

What a farm makes of them is in `tests/farm/test_tried_again.py`.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import TimeoutError as WaitedTooLong
from typing import Any

import pytest

from scoopmpi import MPIExecutor, Pool, futures
from scoopmpi.process import identity
from scoopmpi.tasks import unknown_keywords
from scoopmpi.tasks.retry import asked
from tests.support.link import Ranks

tries: Counter[Any] = Counter()


@pytest.fixture(autouse=True, params=["serial", "farm", "task"])
def where(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where the test's maps are made: without a farm, by the program, or inside of a task."""
    from scoopmpi.tasks import current_executor

    tries.clear()
    monkeypatch.setattr(identity.this, "started", True)
    ranks = None if request.param == "serial" else Ranks(2, 1)
    current_executor.install(ranks and ranks.executor)
    yield request.param
    if ranks is not None:
        ranks.settle()
    current_executor.install(None)


def made(where: str, run: Callable[[], Any]) -> Any:
    return futures.submit(run).result() if where == "task" else run()


def model(x: int) -> int:
    tries[x] += 1
    if x % 3 == 1:
        raise ValueError(x)
    if x == 5:
        raise StopIteration("five")
    return x


def pair(x: int, y: int) -> int:
    return model(x) + y


def seen(found: Any) -> list[Any]:
    return [f"{type(x).__name__} {x}" if isinstance(x, Exception) else x for x in found]


RIGHT = [0, "ValueError 1", 2, 3, "ValueError 4", "TaskError a task raised StopIteration: five", 6]


def in_pool(name: str, asynchronous: bool = False) -> list[Any]:
    star = "starmap" in name
    with Pool() as pool:
        rows: Any = [(x, 0) for x in range(7)] if star else range(7)
        found = getattr(pool, name)(pair if star else model, rows, return_exceptions=True)
        return seen(found.get() if asynchronous else found)


WAYS: dict[str, Callable[[], list[Any]]] = {
    "map": lambda: seen(futures.map(model, range(7), return_exceptions=True)),
    "map of an iterator": lambda: seen(
        futures.map(model, iter(range(7)), return_exceptions=True, timeout=60)
    ),
    "executor": lambda: seen(MPIExecutor().map(model, range(7), return_exceptions=True)),
    "executor, buffer": lambda: seen(
        MPIExecutor().map(model, range(7), return_exceptions=True, buffersize=2)
    ),
    "executor, starmap": lambda: seen(
        MPIExecutor().starmap(pair, [(x, 0) for x in range(7)], return_exceptions=True)
    ),
    "pool.map": lambda: in_pool("map"),
    "pool.starmap": lambda: in_pool("starmap"),
    "pool.imap": lambda: in_pool("imap"),
}


@pytest.mark.parametrize("way", WAYS)
def test_failures_stand_in_their_places(where: str, way: str) -> None:
    assert made(where, WAYS[way]) == RIGHT


# Not on a farm that the test drives itself: a thread of the pool waits for it.
@pytest.mark.parametrize("where", ["serial", "task"], indirect=True)
@pytest.mark.parametrize("way", ["map_async", "starmap_async"])
def test_failures_stand_in_their_places_of_results_for_later(where: str, way: str) -> None:
    assert made(where, lambda: in_pool(way, True)) == RIGHT


def test_in_any_order(where: str) -> None:
    def run() -> list[Any]:
        values = futures.map_as_completed(model, range(7), return_exceptions=True)
        with Pool() as pool:
            others = pool.imap_unordered(model, range(7), return_exceptions=True)
            return [sorted(map(str, seen(values))), sorted(map(str, seen(others)))]

    assert made(where, run) == [sorted(map(str, RIGHT))] * 2


def one_by_one(values: Iterator[Any]) -> list[Any]:
    found: list[Any] = []
    while True:
        try:
            found.append(next(values))
        except StopIteration:
            return found
        except Exception as error:
            found.append(error)


@pytest.mark.parametrize("timeout", [None, 60])
def test_next_goes_on_behind_a_failure(where: str, timeout: float | None) -> None:
    def run() -> list[Any]:
        return seen(one_by_one(futures.map(model, range(7), timeout=timeout)))

    assert made(where, run) == RIGHT


def test_an_executors_map_ends_with_its_first_failure_as_pep_3148_has_it(where: str) -> None:
    def run() -> list[Any]:
        return seen(one_by_one(MPIExecutor().map(model, range(7))))

    assert made(where, run) == [0, "ValueError 1"]


def numbers() -> Iterator[int]:
    yield from (0, 1)
    raise LookupError("the program's own")


def test_what_is_no_tasks_failure_is_raised(where: str) -> None:
    def run() -> list[Any]:
        values = futures.map(model, numbers(), return_exceptions=True)
        found = seen([next(values), next(values)])
        with pytest.raises(LookupError, match="own"):
            next(values)
        if where != "farm":  # where time is counted in turns
            with pytest.raises(WaitedTooLong):
                list(futures.map(time.sleep, [0.05] * 9, timeout=0.01, return_exceptions=True))
        return found

    assert made(where, run) == [0, "ValueError 1"]


def broken() -> None:
    raise OSError("no licence")


def test_a_failed_initializer_is_no_tasks_failure(where: str) -> None:
    def run() -> str:
        executor = MPIExecutor(initializer=broken)
        with pytest.raises(Exception, match=r"initializer .*broken has failed") as caught:
            list(executor.map(model, range(3), return_exceptions=True, retries=5, retry_delay=60))
        return type(caught.value).__name__

    assert made(where, run) == "BrokenMPIExecutor"


# Errors say which task.


def notes(error: BaseException | None) -> str:
    """What a traceback shows of an exception and its causes."""
    found = ""
    while error is not None:
        found += " ".join(getattr(error, "__notes__", ())) + str(error)
        error = error.__cause__
    return found


def test_an_error_shows_the_call(where: str) -> None:
    def run() -> list[str]:
        (of_map,) = futures.map(pair, [4], [9], return_exceptions=True)
        return [notes(of_map), notes(futures.submit(pair, 4, y=[1]).exception())]

    of_map, of_call = made(where, run)
    assert f"Failed in {__name__}.pair(4, 9), task 0" in of_map
    assert f"Failed in submitted call {__name__}.pair(4, y=[1])" in of_call


@pytest.mark.parametrize("reduce", [futures.mapReduce, futures.mapScan])
def test_a_reduction_says_which_of_its_tasks_it_was(where: str, reduce: Any) -> None:
    def run() -> str:
        with pytest.raises(ValueError, match="4") as caught:
            reduce(pair, max, [0, 3, 4], [9, 9, 9])
        return notes(caught.value)

    text = made(where, run)
    assert f"Failed in {__name__}.pair(4, 9), task 2" in text and "Rows" not in text


SAME = ValueError("one object, which all raise")


def raises_the_same(x: int) -> None:
    raise SAME


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exceptions have no notes")
def test_notes_do_not_grow_without_an_end(where: str) -> None:
    def run() -> int:
        found = list(futures.map(raises_the_same, range(50), return_exceptions=True))
        return max(len(error.__notes__) for error in found)

    assert made(where, run) <= 11


# Retries in place; on a farm the same calls are tried again elsewhere.


def flaky(x: int, times: int = 2) -> int:
    tries[x] += 1
    if tries[x] <= times:
        raise OSError(x)
    return x


def test_what_raises_is_tried_again(where: str) -> None:
    def run() -> list[Any]:
        found = [*futures.map(flaky, [1, 2], retries=2, retry_delay=0.001)]
        found += MPIExecutor().map(flaky, [3], retries=2, retry_on=(OSError, KeyError))
        with Pool() as pool:
            found += pool.map(flaky, [4], retries=2)
            found += pool.imap(flaky, [5], retries=2)
            found.append(pool.submit(flaky, 6, retries=2).result())
        found.append(futures.submit(flaky, 7, times=1, retries=1).result())
        found.append(MPIExecutor().submit(flaky, 8, retries=2).result())
        found.append(futures.mapReduce(flaky, max, [9], retries=2))
        return found + futures.mapScan(flaky, max, [10], retries=2, retry_delay=0.001)

    assert made(where, run) == list(range(1, 11))


def test_the_last_error_says_how_often(where: str) -> None:
    def run() -> list[str]:
        errors = [
            *futures.map(flaky, [1], [9], retries=2, return_exceptions=True),
            futures.submit(flaky, 2, 9, retries=2).exception(),
        ]
        return [notes(error) for error in errors]

    for text in made(where, run):
        assert "attempt 3" in text or "Tried 3 times" in text
    assert tries == {1: 3, 2: 3}


def test_a_delay_that_would_outlast_the_timeout(where: str) -> None:
    begun = time.monotonic()

    def run() -> None:
        with pytest.raises((OSError, WaitedTooLong)):
            list(futures.map(flaky, [1], timeout=0.05, retries=2, retry_delay=600))

    made(where, run)
    assert time.monotonic() - begun < 30


def fetches(x: int, retries: int = 0) -> tuple[int, int]:
    return x, retries


def test_a_function_with_parameters_of_these_names_gets_them(where: str) -> None:
    assert futures.submit(fetches, 1, retries=5).result() == (1, 5)
    assert MPIExecutor().submit(fetches, 1, retries=5).result() == (1, 5)
    error = futures.submit(fetches, 1, retry_delay=0, retries=5).exception()
    assert isinstance(error, TypeError) and "retry_delay" in str(error)


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ({"retries": -1}, ValueError, "retries is -1"),
        ({"retries": 1.5}, TypeError, "retries is 1.5"),
        ({"retries": 1, "retry_delay": -1}, ValueError, "retry_delay is -1"),
        ({"retries": 1, "retry_delay": float("nan")}, ValueError, "retry_delay is nan"),
        ({"retries": 1, "retry_delay": float("inf")}, ValueError, "retry_delay is inf"),
        ({"retries": 1, "retry_delay": "1"}, TypeError, "retry_delay is '1'"),
        ({"retries": 1, "retry_on": "OSError"}, TypeError, "retry_on has 'OSError'"),
        ({"retries": 1, "retry_on": (OSError, 3)}, TypeError, "retry_on has 3"),
        ({"retries": 1, "retry_on": KeyboardInterrupt}, TypeError, "retry_on has <class"),
        ({"retries": 1, "retry_on": ()}, ValueError, "retry_on is empty"),
        ({"retry_delay": 1}, ValueError, "retry_delay changes nothing without retries="),
        ({"retry_on": OSError}, ValueError, "retry_on changes nothing without retries="),
    ],
)
def test_nonsense_is_refused(given: dict[str, Any], error: type[Exception], text: str) -> None:
    for call in (
        lambda: futures.map(model, [0], **given),
        lambda: futures.submit(model, 0, **given),
        lambda: MPIExecutor().map(model, [0], **given),
        lambda: Pool().map(model, [0], **given),
    ):
        with pytest.raises(error) as caught:
            call()
        assert text in str(caught.value)


def test_no_retries_are_none() -> None:
    assert asked(0, 3, OSError) is None


# Unknown keywords.


def test_an_unknown_keyword_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unknown_keywords, "_told", set())
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for _ in range(3):
            assert list(futures.map(model, [0], task_timout=3)) == [0]
        assert list(futures.map_as_completed(model, [0], buffersize=3, retry=3)) == [0]
        assert list(futures.map(model, [0], timeout=None, chunksize=3)) == [0]
    assert [str(each.message) for each in told] == [
        "map knows no task_timout=; did you mean task_timeout=? It has no effect.",
        "map_as_completed knows no buffersize=, it has no effect.",
        "map_as_completed knows no retry=; did you mean retries=? It has no effect.",
    ]
    assert {each.filename for each in told} == {__file__}
