"""A map that runs out: no task begins any more, and each that has begun has its outcome."""

from __future__ import annotations

import gc
import weakref
from collections import Counter
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from scoopmpi.scheduling.batching import Policy
from scoopmpi.tasks import retry
from scoopmpi.tasks.executor import MapOptions
from scoopmpi.tasks.outcomes import Raised
from scoopmpi.watching.observer import Observer
from tests.support.link import Ranks

SEEDS = range(10)
ran: Counter[int] = Counter()


class World:
    ranks: Ranks


def task(x: int) -> int:
    ran[x] += 1
    if x % 50 == 49 and ran[x] == 1 and World.ranks.link.chance.random() < 0.5:
        World.ranks.die()
    if x % 7 == 3:
        raise ValueError(x)
    return x


@pytest.fixture(params=SEEDS)
def ranks(request: pytest.FixtureRequest) -> Iterator[Ranks]:
    ran.clear()
    seed = request.param
    eager = Policy(target=0, shortest=0, message=0)
    World.ranks = Ranks(3, seed, eager if seed % 2 else Policy(), successors=True)
    yield World.ranks
    World.ranks.settle()
    World.ranks.farm._scheduler.check()


@pytest.mark.parametrize("enough", [0, 1, 60])
def test_what_has_begun_has_its_outcome_and_nothing_begins(ranks: Ranks, enough: int) -> None:
    options = MapOptions(ordered=False, retry=retry.asked(3, None, ValueError), window=200)
    results = ranks.executor.results(task, [iter(range(5000))], options)
    came: list[Any] = []
    while len(came) < enough:
        came += results.outcomes()
    results.run_out()
    while outcomes := results.outcomes():
        came += outcomes
    values = [value for value in came if type(value) is not Raised]
    # What a dead worker had, and what was to be tried again, is queued and stays so.
    if not ranks.link.dead:
        assert sorted(values) == sorted(x for x in ran if x % 7 != 3)
    assert len(values) == len(set(values)) and set(values) <= set(ran)
    assert len(ran) < 1000
    assert results.outcomes() == []


class Sizes(Observer):
    def __init__(self) -> None:
        self.told: list[tuple[str, int | None]] = []

    def job_begun(
        self, job: int, kind: str, name: str, size: int | None, progress: bool | str | None
    ) -> None:
        if kind == "map":
            self.told.append(("begun", size))

    def job_grew(self, job: int, tasks: int) -> None:
        self.told.append(("grew", tasks))

    def job_sized(self, job: int, size: int) -> None:
        self.told.append(("sized", size))


def test_readers_hear_how_many_tasks_a_generator_is_said_to_give(ranks: Ranks) -> None:
    reader = Sizes()
    ranks.farm.observe(reader)
    options = MapOptions(ordered=False, size=20)
    results = ranks.executor.results(abs, [iter(range(20))], options)
    found: list[Any] = []
    while outcomes := results.outcomes():
        found += outcomes
    assert sorted(found) == list(range(20))
    assert reader.told == [("begun", 20)]


class Argument:
    alive: ClassVar[weakref.WeakSet[Argument]] = weakref.WeakSet()

    def __init__(self, number: int) -> None:
        self.number = number
        self.alive.add(self)


def number_of(argument: Argument) -> int:
    return argument.number


def test_a_task_that_takes_long_keeps_no_arguments_of_others(ranks: Ranks) -> None:
    """Where outcomes come as they are there; the window counts those that have not come."""
    options = MapOptions(ordered=False, window=100)
    results = ranks.executor.results(number_of, [map(Argument, range(3000))], options)
    came = most = 0
    scheduler, slow = ranks.farm._scheduler, None
    while slow is None:
        came += len(results.outcomes())
        holds = [each for each in ranks.workers if scheduler.knows(each.rank)]
        slow = next((each for each in holds if scheduler.held(each.rank)), None)
    look = 500
    ranks.workers.remove(slow)  # it has its turn again at the end
    while came < 2500:
        came += len(results.outcomes())
        if came >= look:
            look += 500
            gc.collect()
            most = max(most, sum(1 for each in Argument.alive if each.number < 2900))
    ranks.workers.append(slow)
    assert 0 < most <= 250
    while outcomes := results.outcomes():
        came += len(outcomes)
    assert came == 3000
