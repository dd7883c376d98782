"""A farm on a clock of its own, in a batch job that ends; its tasks say when they have run."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from scoopmpi.farm.stop_before import StopBefore, Stopped
from scoopmpi.watching.observer import Observer
from tests.support.timed import Clock, TimedRanks

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


class Events(Observer):
    """What the farm says of jobs and batches."""

    def __init__(self) -> None:
        self.assigned: list[tuple[int, int]] = []
        self.paused: list[tuple[int, bool]] = []
        self.stopped: list[tuple[int, float]] = []

    def tasks_assigned(self, job: int, worker: int, start: int, tasks: int, attempt: int) -> None:
        self.assigned.append((job, start))

    def job_paused(self, job: int, paused: bool) -> None:
        self.paused.append((job, paused))

    def program_stopped(self, left: int, seconds: float) -> None:
        self.stopped.append((left, seconds))


class World:
    """One farm in a job that ends, and what has run on it."""

    def __init__(self, clock: Clock, workers: int, seed: int, margin: float | None = 1.0) -> None:
        self.clock, self.job = clock, Job()
        self.error = SystemExit(75)
        asked = StopBefore(self.job, margin, self.error, lambda: self.farm.interrupt(self.error))
        self.ranks = TimedRanks(clock, workers, seed, asked)
        self.farm, self.executor = self.ranks.farm, self.ranks.executor
        self.ran: list[Ran] = []

    def events(self) -> Events:
        """All that is told from now on."""
        reader = Events()
        self.farm.observe(reader)
        return reader

    @property
    def stopped(self) -> Stopped | None:
        assert self.farm.holding_back is not None
        return self.farm.holding_back.stopped

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
