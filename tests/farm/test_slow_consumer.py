"""What waits at rank 0 where the consumer is slow: the bytes, counted in ranks of one process."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Iterator
from typing import Any

import numpy
import pytest

from scoopmpi.farm import ahead
from scoopmpi.tasks.retry import RetryPolicy
from tests.support.memory_farm import current, ran
from tests.support.memory_farm import farm as farm

SIZE = 1 << 14
BOUND = 16 * SIZE
TASKS = 400


@pytest.fixture(autouse=True)
def small_bound(farm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """All sizes as in a real farm, divided by 256: large are 256 bytes, and 64 MiB are 256 KiB."""
    monkeypatch.setattr(ahead, "LARGE", ahead.LARGE // 256)
    monkeypatch.setattr(ahead, "AHEAD_BYTES", BOUND)
    monkeypatch.setattr(ahead, "BEHIND_BYTES", 4 * BOUND)
    scheduler = current.ranks.farm._scheduler
    scheduler.policy = scheduler.policy._replace(heaviest=scheduler.policy.heaviest // 256)


def heavy(x: int) -> bytes:
    ran[x] += 1
    return bytes(SIZE)


def of_size(size: int) -> bytes:
    ran[len(ran)] += 1
    return bytes(size)


def nap() -> None:
    """So long does the consumer take: everybody else does what they may do."""
    for _ in range(300):
        current.ranks.turn()


def under_way() -> int:
    """Tasks that workers may have: two batches, of 8 MiB or one task."""
    return 4 * len(current.ranks.workers)


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("arguments", [range(TASKS), None])
def test_results_do_not_come_faster_than_they_are_taken(
    farm: Any, ordered: bool, arguments: range | None
) -> None:
    """Of arguments with a length, which are handed out before the first result, and without."""
    tasks = iter(range(TASKS)) if arguments is None else arguments
    values = farm.map(heavy, tasks, ordered=ordered)
    for taken in range(1, 30):
        assert len(next(values)) == SIZE
        nap()
        assert len(ran) <= taken + BOUND // SIZE + under_way()
    assert sum(map(len, values)) == (TASKS - 29) * SIZE
    assert set(ran) == set(range(TASKS))


def test_a_function_that_gave_numbers_before_is_held_back_too(farm: Any) -> None:
    """Thousands of tasks are handed out then, before the first result."""
    for _ in range(2):
        assert all(value == b"1" for value in farm.map(bytes, [b"1"] * 100))
    values = farm.map(bytes, [SIZE] * TASKS)
    assert len(next(values)) == SIZE
    nap()
    outcomes = next(iter(current.ranks.farm._jobs.maps.values()))._waiting._waiting
    assert len(outcomes) <= BOUND // SIZE + under_way()
    assert sum(map(len, values)) == (TASKS - 1) * SIZE


def test_one_large_result_among_many_small_ones_counts_as_what_it_is(farm: Any) -> None:
    sizes = [4 * SIZE if x % 10 == 0 else 1 for x in range(TASKS)]
    values = farm.map(of_size, sizes)
    waiting = 0
    for taken, value in enumerate(itertools.islice(values, 60)):
        assert len(value) == sizes[taken]
        nap()
        waiting = max(waiting, sum(sizes[taken + 1 : len(ran)]))
    assert waiting <= BOUND + under_way() * 4 * SIZE
    assert list(map(len, values)) == sizes[60:]


def test_large_arguments_are_read_no_further_than_the_window_and_forgotten(farm: Any) -> None:
    alive: list[weakref.ref[Any]] = []

    def arrays() -> Iterator[Any]:
        for x in range(TASKS):
            array = numpy.full(SIZE // 8, float(x))
            alive.append(weakref.ref(array))
            yield array

    values = farm.map(numpy.sum, arrays())
    total = most = 0.0
    for value in itertools.islice(values, TASKS // 2):
        total += value
        nap()
        most = max(most, sum(each() is not None for each in alive))
    assert most <= BOUND // SIZE + under_way()
    assert total + sum(values) == SIZE // 8 * sum(range(TASKS))


def test_a_lost_worker_and_tasks_that_raise_do_not_open_the_gate(farm: Any) -> None:
    ranks = current.ranks
    values = farm.map(fails_at_first, range(TASKS), retry=RetryPolicy(2, 0.0, (OSError,)))
    for taken in range(1, 40):
        assert len(next(values)) == SIZE
        if taken == 20 and len(ranks.workers) > 1:
            ranks.kill(ranks.workers[0])
        nap()
        # Behind what comes again it may run further ahead.
        assert len(ran) <= taken + 4 * BOUND // SIZE + 12
    assert sum(map(len, values)) == (TASKS - 39) * SIZE


def fails_at_first(x: int) -> bytes:
    ran[x] += 1
    if ran[x] == 1 and x % 7 == 0:
        raise OSError("for the first time")
    return bytes(SIZE)
