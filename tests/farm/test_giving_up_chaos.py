"""Random nested programs over the in-memory ranks, of which some are given up while workers die:
all others are as if run one by one, and nothing is left behind."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from concurrent.futures import CancelledError
from typing import Any

import pytest

from scoopmpi import futures
from scoopmpi.process import identity
from scoopmpi.process.signals import OWN
from scoopmpi.tasks import current_executor
from scoopmpi.tasks.groups import groups
from tests.farm import test_chaos_in_memory as chaos
from tests.support.link import Ranks

pytestmark = pytest.mark.timeout(120)
SEEDS, AT_A_TIME = 90, 30
GONE = "given up"
HIT = "hit by the interrupt of another"


class Seen:
    """What tasks have met."""

    hits = 0


seen = Seen()


@pytest.fixture(autouse=True)
def _as_under_mpirun(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(identity.this, "started", True)
    monkeypatch.setattr(chaos, "meddles", meddles)
    seen.hits = 0
    yield
    chaos.scene.ranks = None
    current_executor.install(None)


meddles_too = chaos.meddles


def meddles() -> None:
    """As ever; and the progress thread's signal arrives in the task, if one was sent."""
    ranks = chaos.scene.ranks
    meddles_too()
    if ranks is None or ranks.acting is None or ranks.link.chance.random() < 0.3:
        return
    worker = ranks.acting
    given_up = worker.overdue._given_up
    if given_up is not None and given_up.look():
        try:
            worker.overdue.called(OWN, sys._getframe())
        except KeyboardInterrupt:
            seen.hits += 1
            raise


def outcome(future: Any) -> Any:
    try:
        return chaos.caught(future.result)
    except CancelledError:
        return GONE
    except KeyboardInterrupt:
        return HIT


def values(found: Any) -> Any:
    try:
        return chaos.caught(lambda: list(found))
    except CancelledError:
        return GONE
    except KeyboardInterrupt:
        return HIT


class GivesUp:
    """Gives groups up, each at a turn of its own."""

    def __init__(self, ranks: Ranks, due: dict[int, int]) -> None:
        self._ranks, self._due, self._turn = ranks, due, ranks.turn
        self._turns = 0
        ranks.turn = self.turn  # type: ignore[method-assign]

    def turn(self) -> None:
        self._turns += 1
        for group in [group for group, when in self._due.items() if when <= self._turns]:
            del self._due[group]
            self._ranks.executor.give_up(group)
        self._turn()


def expected(task: int) -> Any:
    return chaos.caught(lambda: chaos.node(task))


def each_node(tasks: list[int]) -> Any:
    return chaos.caught(lambda: [chaos.node(task) for task in tasks])


@pytest.mark.parametrize("first", range(0, SEEDS, AT_A_TIME))
def test_what_is_not_given_up_is_as_if_nothing_had_happened(first: int) -> None:
    given = 0
    for seed in range(first, first + AT_A_TIME):
        chance = random.Random(seed)
        depth, count = chance.randrange(1, 4), chance.randrange(1, 6)
        tasks = [depth * 1000 + chance.randrange(1000) for _ in range(count)]
        wanted = [expected(task) for task in tasks]
        with chaos.farm_of(2 + seed % 5, seed) as ranks:
            mine = [groups.new() for _ in range(3)]
            GivesUp(ranks, {group: chance.randrange(300) for group in mine[:2]})
            made = []
            for task in tasks:
                with groups.inside(chance.choice(mine)):
                    made.append((groups.now(), futures.submit(chaos.node, task)))
            maps = []
            for group in mine:
                with groups.inside(group):
                    maps.append(futures.map(chaos.node, chaos.harmless(tasks)))
                    futures.map(chaos.node, tasks)  # nobody reads it
            found = [(group, outcome(call)) for group, call in made]
            lists = [values(maps.pop(0)) for _ in mine]
            if seed % 3 == 0:
                ranks.farm.finish()
        for (group, value), right in zip(found, wanted, strict=True):
            gone = value == GONE and group in mine[:2]
            given += gone
            assert gone or value == right, f"seed {seed}: {group} of {mine}"
        right = each_node(chaos.harmless(tasks))
        for group, value in zip(mine, lists, strict=True):
            gone = value == GONE and group in mine[:2]
            given += gone
            assert gone or value == right, f"seed {seed}: {group} of {mine}"
    assert given and seen.hits
