"""Which attempt it is of a task: rank 0 counts, and the batch that runs knows."""

from __future__ import annotations

from typing import Any

import pytest

from scoopmpi.scheduling.batching import Policy
from tests.support.link import Ranks
from tests.support.memory_farm import EAGER, SEEDS

seen: list[tuple[int, int]] = []


class Scene:
    """The ranks of the running test."""

    ranks: Ranks


def attempt() -> int:
    """Return the attempt of the task that calls this."""
    worker = Scene.ranks.acting
    assert worker is not None
    batch: Any = worker.batches.current
    return int(batch.attempt)


def dies_twice(task: int) -> int:
    seen.append((task, attempt()))
    if task == 3 and attempt() < 3:
        Scene.ranks.die()
    return task


@pytest.mark.parametrize("seed", SEEDS)
def test_each_worker_that_died_with_a_task_is_an_attempt_more(seed: int) -> None:
    seen.clear()
    ranks = Scene.ranks = Ranks(4, seed, EAGER if seed % 2 else Policy())
    assert list(ranks.executor.map(dies_twice, range(40))) == list(range(40))
    assert [number for task, number in seen if task == 3] == [1, 2, 3]
    ranks.settle()
    ranks.farm._scheduler.check()
