"""Executors and pools inside tasks, over the in-memory link: their ends wait for what runs."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from scoopmpi import futures
from scoopmpi.executors.mpi_executor import MPIExecutor
from scoopmpi.executors.pool import Pool
from scoopmpi.process import identity
from scoopmpi.tasks import current_executor
from tests.support.memory_farm import counted, current, farm, interrupted, ran

__all__ = ["farm"]  # the fixture

state: Counter[str] = Counter()


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(identity.this, "started", True)
    state.clear()
    yield
    current_executor.install(None)


def begins_and_ends(x: int) -> int:
    state["begun"] += 1
    assert list(futures.map(interrupted, range(3))) == [0, 1, 2]  # others have their turn
    state["ended"] += 1
    if x == 3:
        raise LookupError(x)
    return x


def leaves_a_block(how: str) -> tuple[int, bool]:
    """How many have begun when the block is left, and whether one of them still runs."""
    with MPIExecutor() as inner:
        if how == "buffered":
            values: Any = inner.map(begins_and_ends, itertools.count(), buffersize=6)
        else:
            values = inner.map(begins_and_ends, iter(range(40)), ordered=how != "unordered")
        if how == "raised":
            with pytest.raises(LookupError):
                list(values)
        else:
            next(values)
        del values
    return state["begun"], state["begun"] == state["ended"]


@pytest.mark.parametrize("how", ["raised", "dropped", "unordered", "buffered"])
def test_a_block_inside_a_task_waits_for_what_runs(farm: Any, how: str) -> None:
    begun, quiet = farm.submit(leaves_a_block, how).result()
    assert quiet, "something of it still ran, here or elsewhere"
    current.ranks.settle()
    assert state["begun"] == begun, "something of it began afterwards"


def joins(_: int) -> bool:
    pool = Pool()
    values = pool.imap(begins_and_ends, range(40))
    next(values)
    del values
    pool.close()
    pool.join()
    return state["begun"] == state["ended"]


def test_a_pool_inside_a_task_waits_for_what_runs(farm: Any) -> None:
    assert farm.submit(joins, 0).result()


# What nobody waits for.

kept: list[Any] = []


def hands_in(way: str) -> str:
    made = MPIExecutor()
    kept.append(made)
    if way == "calls":
        for x in range(50):
            made.submit(counted, x).add_done_callback(noted)
    elif way == "shutdown":
        for x in range(50):
            made.submit(counted, x).add_done_callback(noted)
        made.shutdown(wait=False)
    elif way == "map":
        kept.append(made.map(counted, iter(range(50))))
    elif way == "buffered":
        made.map(counted, iter(range(50)), buffersize=3)
    elif way == "pool":
        pool = Pool()
        for x in range(50):
            pool.apply_async(counted, (x,), callback=noted)
        pool.close()
    else:
        futures.map(hands_in, [way.partition(" ")[2]])
    return way


def noted(_: int | Future[int]) -> None:
    state["noted"] += 1


WAYS = ("calls", "shutdown", "map", "buffered", "pool", "deeper calls", "deeper deeper map")


@pytest.mark.parametrize("way", WAYS)
def test_what_a_task_has_handed_in_runs_before_the_program_ends(farm: Any, way: str) -> None:
    kept.clear()
    farm.submit(hands_in, way).result()
    farm.finish()
    assert ran == dict.fromkeys(range(50), 1)
    assert state["noted"] in ((50,) if way in ("calls", "shutdown", "pool") else (0, 50))


def test_a_program_that_failed_waits_for_executors_alone(farm: Any) -> None:
    kept.clear()
    farm.submit(hands_in, "calls").result()
    farm.finish(maps=False)
    assert ran == dict.fromkeys(range(50), 1)


def submits_and_waits_not(depth: int) -> None:
    for x in range(5):
        futures.submit(sleeps, 100 * depth + x)
    if depth:
        futures.submit(submits_and_waits_not, depth - 1)


def sleeps(x: int) -> None:
    list(futures.map(interrupted, [1000 + x]))  # others have their turn
    state["slept"] += 1


def test_calls_that_nobody_waits_for_run_before_the_program_ends(farm: Any) -> None:
    """Those of tasks that have ended, which have left some themselves, too."""
    for _ in range(3):
        farm.submit(submits_and_waits_not, 2)
    farm.finish()
    assert state["slept"] == 45


def test_a_program_that_failed_does_not_wait_for_them(farm: Any) -> None:
    for x in range(5):
        farm.submit(never_ends, x)
    farm.finish(maps=False)
    state["woken"] = 1


def never_ends(_: int) -> None:
    current_executor.wait_until(lambda: state["woken"] > 0)


def reads_late(x: int) -> list[int]:
    values = futures.map(counted, iter(range(100 * x, 100 * x + 5)))
    current_executor.wait_until(lambda: state["woken"] > 0)
    found = list(values)
    state["read"] += len(found)
    return found


def leaves_readers(_: int) -> None:
    futures.map(reads_late, range(1, 5))


def test_a_task_that_still_runs_may_read_its_maps(farm: Any) -> None:
    farm.submit(leaves_readers, 0).result()
    turn, turns = current.ranks.turn, itertools.count()

    def and_wakes() -> None:
        state["woken"] = next(turns) > 500
        turn()

    current.ranks.turn = and_wakes  # type: ignore[method-assign]
    farm.finish()
    assert state["read"] == 20 and set(ran.values()) == {1} and len(ran) == 20
