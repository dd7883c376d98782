"""Everything at once on real ranks: threads that map, submit, cancel, abandon and fail, by seed."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from typing import Any

import numpy
import pytest

pytestmark = [pytest.mark.mpi, pytest.mark.timeout(60)]
THREADS, SECONDS = 6, 3.0


def square(x: int) -> int:
    return x * x


def uneven(x: int) -> int:
    time.sleep(random.Random(x).choice([0, 0, 0.001, 0.07]))
    return x


def fails_at_seven(x: int) -> int:
    if x == 7:
        raise ValueError(x)
    return x


def copies(x: int) -> list[int]:
    return [x] * x


def numbers(count: int, seed: int) -> Iterator[int]:
    chance = random.Random(seed)
    for x in range(count):
        if chance.random() < 0.001:
            time.sleep(0.001)
        yield x


def maps(executor: Any, chance: random.Random) -> None:
    count = chance.randrange(3000)
    expected = [x * x for x in range(count)]
    assert list(executor.map(square, range(count))) == expected
    assert list(executor.map(square, numbers(count, count))) == expected


def unordered(executor: Any, chance: random.Random) -> None:
    count = chance.randrange(1, 50)
    assert sorted(executor.map(uneven, range(count), ordered=False)) == list(range(count))


def abandons(executor: Any, chance: random.Random) -> None:
    values = executor.map(square, range(100_000))
    for x in range(chance.randrange(50)):
        assert next(values) == x * x


def fails(executor: Any, chance: random.Random) -> None:
    values, found = executor.map(fails_at_seven, range(20)), []
    with pytest.raises(ValueError, match="7"):
        for value in values:
            found.append(value)  # noqa: PERF402 (what came before the error counts)
    assert found == list(range(7))


def cancels(executor: Any, chance: random.Random) -> None:
    futures = [executor.submit(square, x) for x in range(100)]
    for future in futures[::3]:
        future.cancel()
    assert not wait(futures, timeout=30).not_done
    for x, future in enumerate(futures):
        assert future.cancelled() or future.result() == x * x


def arrays(executor: Any, chance: random.Random) -> None:
    rows = [numpy.full(chance.choice([3, 10_000, 30_000]), float(x)) for x in range(12)]
    for row, value in zip(rows, executor.map(numpy.negative, rows), strict=True):
        assert numpy.array_equal(-row, value)


def lists(executor: Any, chance: random.Random) -> None:
    count = chance.randrange(200)
    assert list(executor.map(copies, range(count))) == [[x] * x for x in range(count)]


KINDS: tuple[Callable[[Any, random.Random], None], ...] = (
    maps, unordered, abandons, fails, cancels, arrays, lists,
)  # fmt: skip


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.once)])
def test_storm(lead: Any, seed: int) -> None:
    problems: list[BaseException] = []

    def body(executor: Any) -> None:
        if not hasattr(executor, "farm"):
            return

        def act(number: int) -> None:
            chance = random.Random(100 * seed + number)
            end = time.monotonic() + SECONDS
            while time.monotonic() < end and not problems:
                try:
                    chance.choice(KINDS)(executor, chance)
                except BaseException as problem:
                    problems.append(problem)

        threads = [threading.Thread(target=act, args=(n,), daemon=True) for n in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=40)
            assert not thread.is_alive(), "a thread waits for ever"
        assert not problems, problems
        farm = executor.farm
        farm.wait_until(lambda: len(farm._jobs) == 1 and not farm.busy, 20)  # maps left unread
        assert len(farm._jobs) == len(farm._scheduler._jobs) == 1, "jobs are left behind"
        assert not farm._calls.waiting and not len(farm._dispatch)

    lead(body)
