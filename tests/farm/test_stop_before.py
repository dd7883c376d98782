"""The end of the batch job over the in-memory link: nothing begins that it would cut.

The invariant, in any interleaving: a task begins only where it ends in time if it takes as long as
the longest of its function so far; each task is done or left, and both are counted; and whoever
waits for a task that is left hears of it.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from scoopmpi.farm.stop_before import StopBefore
from scoopmpi.farm.tasks_left import MapLeft, TasksLeft
from tests.support.timed import Clock, TimedRanks, clock

__all__ = ["clock"]
NAME = f"{__name__}.simulate"
HEARD = 1.0
"""Seconds after which what a task has taken is known to all that follows from it."""


class Job:
    """The batch job: when it ends."""

    at: float | None = None
    began: float | None = None


class Ran(NamedTuple):
    """One task that has run."""

    function: str
    index: int
    began: float
    ended: float


class World:
    """One farm in a job that ends, and what has run on it."""

    def __init__(self, clock: Clock, workers: int, seed: int, margin: float | None = 1.0) -> None:
        self.clock, self.job = clock, Job()
        self.error = SystemExit(75)
        asked = StopBefore(self.job, margin, self.error, lambda: self.farm.interrupt(self.error))
        self.ranks = TimedRanks(clock, workers, seed, asked)
        self.farm, self.executor = self.ranks.farm, self.ranks.executor
        self.ran: list[Ran] = []

    def ends_in(self, seconds: float) -> None:
        self.job.at = self.clock.now + seconds

    def check(self, margin: float = 1.0) -> None:
        """What has run was right, whatever it was."""
        assert self.job.at is not None
        latest = self.job.at - margin
        for name in {each.function for each in self.ran}:
            mine = [each for each in self.ran if each.function == name]
            ended = deque(sorted((each.ended, each.ended - each.began) for each in mine))
            longest = 0.0
            for each in sorted(mine, key=lambda each: each.began):
                while ended and ended[0][0] <= each.began - HEARD:
                    longest = max(longest, ended.popleft()[1])
                assert each.began + longest <= latest, "it would have been cut"
        assert len({(each.function, each.index) for each in self.ran}) == len(self.ran)


class Current:
    """The world of the running test, for its tasks."""

    world: World


@pytest.fixture
def world(clock: Clock) -> Callable[..., World]:
    def made(*facts: Any, **more: Any) -> World:
        Current.world = World(clock, *facts, **more)
        return Current.world

    return made


def run(name: str, index: int, seconds: float) -> int:
    world = Current.world
    began = world.clock.time()
    world.ranks.spend(seconds)
    world.ran.append(Ran(name, index, began, world.clock.time()))
    return index


def simulate(index: int, seconds: float) -> int:
    return run("simulate", index, seconds)


def analyse(index: int, seconds: float) -> int:
    return run("analyse", index, seconds)


@pytest.mark.parametrize("seed", range(60))
def test_nothing_begins_that_would_be_cut_and_all_are_counted(
    seed: int, world: Callable[..., World]
) -> None:
    chance = random.Random(seed)
    made = world(workers=1 + seed % 4, seed=seed)
    made.ends_in(6.0)
    longest = chance.choice([0.003, 0.05, 0.5, 2.0])
    lengths = [longest * chance.choice([1.0, 1.0, chance.random()]) for _ in range(30_000)]
    values: list[int] = []
    with pytest.raises(SystemExit) as raised:
        values.extend(made.executor.map(simulate, range(30_000), lengths))
    assert raised.value is made.error
    made.check()
    left, seconds = made.farm.stopped or (None, 0.0)
    assert left == TasksLeft((MapLeft(NAME, len(made.ran), 30_000),), 0, 0)
    assert 0.9 <= seconds <= 1.0 + longest + 1.0
    assert values == list(range(len(values))) and len(values) <= len(made.ran)
    # As much as possible was run: nobody has idled before that was necessary.
    assert made.clock.now > made.job.at - 1.0 - longest - 0.3
    if longest > 0.01:  # what a message takes here counts for more than such a task
        assert len(made.ran) > 0.5 * made.ranks.farm.members.size * (5.0 - longest) / longest - 5
