"""A farm over the in-memory link for tests: one interleaving for each seed; settled at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from scoopmpi.scheduling.batching import Policy
from tests.support.link import Ranks

SEEDS = range(12)
FEW = (0, 1, 5)
"""For tests of values, not of orders: one worker; two and three whose budgets are over at once."""
EAGER = Policy(target=0, shortest=0, message=0)  # every budget is over at once
ran: Counter[Any] = Counter()


class Current:
    """The ranks of the running test."""

    ranks: Ranks


current = Current()


@pytest.fixture(params=SEEDS)
def farm(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The executor of a farm that is at rest, with nothing under way, when the test has ended."""
    ran.clear()
    seed = request.param
    policy = EAGER if seed % 2 else Policy()
    ranks = current.ranks = Ranks(workers=1 + seed % 3, seed=seed, policy=policy)
    yield ranks.executor
    ranks.settle()
    ranks.farm._scheduler.check()
    assert ranks.link.empty


def square(x: int) -> int:
    return x * x


def counted(x: int) -> int:
    ran[x] += 1
    return x


def interrupted(x: int) -> int:
    """A task in the middle of which the progress thread has its turn, as a long task would."""
    ran[x] += 1
    if current.ranks.link.chance.random() < 0.2:
        for worker in current.ranks.workers:
            if worker.batches.current is not None:
                worker.overdue.turn()
    return x
