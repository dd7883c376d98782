"""Nested jobs on real ranks: they spread, nobody who waits holds a rank, everything comes back."""

from __future__ import annotations

import asyncio
import operator
import random
import threading
import time
from concurrent.futures import wait
from typing import Any

import numpy
import pytest

from scoopmpi import futures
from scoopmpi.process import identity

pytestmark = [pytest.mark.mpi, pytest.mark.timeout(60)]


def tree(depth: int) -> int:
    return 1 if depth == 0 else 1 + sum(futures.map(tree, [depth - 1] * 2))


def mixed(depth: int) -> int:
    if depth == 0:
        return 1
    call = futures.submit(mixed, depth - 1)
    return 1 + next(futures.map(mixed, [depth - 1])) + call.result()


def chain(depth: int) -> int:
    return 0 if depth == 0 else 1 + futures.submit(chain, depth - 1).result()


def test_recursion(lead: Any) -> None:
    def body(executor: Any) -> None:
        assert executor.submit(tree, 10).result(timeout=30) == 2**11 - 1
        assert list(executor.map(mixed, [8, 7, 6])) == [2**9 - 1, 2**8 - 1, 2**7 - 1]
        if identity.this.size > 1:
            assert executor.submit(chain, 500).result(timeout=30) == 500

    lead(body)


def rank_after_a_nap(_: int) -> int:
    time.sleep(0.15)
    return identity.this.rank


def ranks_of_naps(count: int) -> list[int]:
    return list(futures.map(rank_after_a_nap, range(count)))


@pytest.mark.once
def test_one_tasks_map_uses_all_workers(lead: Any) -> None:
    def body(executor: Any) -> None:
        if not hasattr(executor, "farm"):
            return
        workers = executor.farm.members.size
        executor.farm.wait_until(lambda: not executor.farm.members.importing, 10)
        begun = time.monotonic()
        seen = executor.submit(ranks_of_naps, 3 * workers).result(timeout=30)
        assert set(seen) == set(range(1, workers + 1))
        assert time.monotonic() - begun < 0.15 * 3 * 1.6 + 0.3

    lead(body)


def naps_for(seconds: float) -> int:
    time.sleep(seconds)
    return identity.this.rank


def waits_for_slow_children(count: int) -> list[int]:
    return list(futures.map(naps_for, [0.0] + [2.0] * count))


@pytest.mark.once
def test_a_task_that_waits_for_slow_children_lets_its_rank_work(lead: Any) -> None:
    def body(executor: Any) -> None:
        if not hasattr(executor, "farm") or executor.farm.members.size < 2:
            return
        executor.farm.wait_until(lambda: not executor.farm.members.importing, 10)
        others = executor.farm.members.size - 1
        parent = executor.submit(waits_for_slow_children, others)
        time.sleep(0.5)
        quick = set(executor.map(naps_for, [0.001] * 20))
        assert not parent.done(), "the quick tasks waited for the slow one"
        near, *far = parent.result(timeout=20)
        assert len({near, *far}) == 1 + others and quick == {near}

    lead(body)


def computes_while_others_run(_: int) -> float:
    """Submits, then computes without asking anybody: the call must run elsewhere meanwhile."""
    call = futures.submit(rank_after_a_nap, 0)
    begun = time.monotonic()
    while time.monotonic() - begun < 0.6:
        pass
    ready = call.running() or call.done()
    call.result()
    return ready


@pytest.mark.once
def test_a_task_that_computes_gives_its_calls_away(lead: Any) -> None:
    def body(executor: Any) -> None:
        if hasattr(executor, "farm") and executor.farm.members.size > 1:
            assert executor.submit(computes_while_others_run, 0).result(timeout=30)

    lead(body)


async def gathered(count: int) -> list[int]:
    calls = [asyncio.wrap_future(futures.submit(abs, -x)) for x in range(count)]
    return list(await asyncio.wait_for(asyncio.gather(*calls), 20))


def in_a_loop(count: int) -> list[int]:
    return asyncio.run(gathered(count))


def test_a_task_that_waits_in_an_asyncio_loop(lead: Any) -> None:
    def body(executor: Any) -> None:
        assert list(executor.map(in_a_loop, [3] * 6)) == [[0, 1, 2]] * 6

    lead(body)


def total(rows: numpy.ndarray) -> float:
    return float(rows.sum())


def of_arrays(size: int) -> float:
    blocks = [numpy.full(size, float(x)) for x in range(12)]
    halves = list(futures.map(numpy.negative, blocks))
    for x, half in enumerate(halves):
        assert numpy.array_equal(half, numpy.full(size, -float(x)))
    blocks[0][:] = 5
    return sum(futures.map(total, halves))


def test_large_arrays_pass_between_tasks(lead: Any) -> None:
    def body(executor: Any) -> None:
        sizes = [10, 50_000, 100_000]
        assert list(executor.map(of_arrays, sizes)) == [-66.0 * size for size in sizes]

    lead(body)


def one_in_ten_fails(x: int) -> int:
    if x % 10 == 7:
        raise LookupError(x)
    return x


def survives(x: int) -> int:
    calls = [futures.submit(one_in_ten_fails, x + y) for y in range(8)]
    wait(calls, timeout=30)
    return sum((call.exception() is None and call.result()) or 0 for call in calls)


def reduces(x: int) -> int:
    found: int = futures.mapReduce(abs, operator.add, range(x + 1))
    return found


def abandons(x: int) -> int:
    values = futures.map(one_in_ten_fails, range(x, 10_000))
    return next(values) if x % 10 != 7 else x


def naps_at_random(x: int) -> int:
    chance = random.Random(x)
    time.sleep(chance.choice([0, 0, 0.001, 0.02]))
    if x < 4:
        return x
    return sum(futures.map(naps_at_random, [x // 4] * chance.randrange(1, 4))) * 0 + x


TASKS = (survives, reduces, abandons, naps_at_random, tree, mixed)


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.once)])
def test_storm_of_nests(lead: Any, seed: int) -> None:
    """Threads hand in nested jobs of all kinds; nothing is lost and nothing is left behind."""
    problems: list[BaseException] = []

    def body(executor: Any) -> None:
        if not hasattr(executor, "farm"):
            return

        def act(number: int) -> None:
            chance = random.Random(100 * seed + number)
            end = time.monotonic() + 3
            while time.monotonic() < end and not problems:
                task = chance.choice(TASKS)
                xs = [chance.randrange(7) for _ in range(chance.randrange(1, 20))]
                try:
                    assert list(executor.map(task, xs)) == [expected(task, x) for x in xs]
                except BaseException as problem:
                    problems.append(problem)

        threads = [threading.Thread(target=act, args=(n,), daemon=True) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=40)
            assert not thread.is_alive(), "a thread waits for ever"
        assert not problems, problems
        farm = executor.farm
        farm.wait_until(lambda: len(farm._jobs) == 1 and not farm._scheduler.busy, 10)
        assert len(farm._jobs) == len(farm._scheduler._jobs) == 1, "jobs are left behind"
        assert not len(farm._offers) and not len(farm._dispatch)

    lead(body)


def expected(task: Any, x: int) -> int:
    if task is survives:
        return sum(y for y in range(x, x + 8) if y % 10 != 7)
    if task is reduces:
        return x * (x + 1) // 2
    if task in (tree, mixed):
        return int(2 ** (x + 1) - 1)
    return x
