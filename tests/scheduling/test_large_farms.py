"""How large batches are where a round of messages takes rank 0 longer than a batch should."""

from __future__ import annotations

import pytest

from scoopmpi.scheduling.batching import Pace, Policy, Remaining, size
from tests.support.jobs import untouched

POLICY = Policy(message=30e-6)
WORKERS = 10_000
ROUND = 0.3
"""Seconds that rank 0 needs for a message to each of them."""


@pytest.mark.parametrize("seconds", [0.001, 0.01, 0.1, 0.2])
def test_rank_0_is_at_leisure_while_much_remains(seconds: float) -> None:
    tasks = size(POLICY, untouched(10**8), WORKERS, Pace(seconds))
    assert 3 * ROUND - seconds < tasks * seconds <= 3 * ROUND * (1 + 1e-9)


def test_towards_the_end_batches_are_no_shorter_than_rank_0_can_hand_out() -> None:
    few_queued = Remaining(queued=100_000, unfinished=10**6, all=10**7)
    assert size(POLICY, few_queued, WORKERS, Pace(0.03)) == 7  # two thirds of a round
    most_queued = Remaining(queued=100_000, unfinished=10**5, all=10**7)
    assert size(POLICY, most_queued, WORKERS, Pace(0.03)) == 10  # all of one, shared


def test_first_batches_end_one_after_the_other() -> None:
    sizes = [
        size(POLICY, Remaining(400_000, 400_000, 400_000, handed=handed), WORKERS, None)
        for handed in range(6)
    ]
    assert sizes == [1, 2, 3, 4, 1, 2]


@pytest.mark.parametrize(("workers", "tasks"), [(WORKERS, 150_000), (900, 10**6)])
def test_few_workers_and_few_tasks_begin_one_by_one(workers: int, tasks: int) -> None:
    left = Remaining(tasks, tasks, tasks, handed=3)
    assert size(POLICY, left, workers, None) == 1
