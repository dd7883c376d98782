"""What failed or took too long is tried again in the next run, and costs its neighbours nothing."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from scoopmpi import futures
from scoopmpi.wire.errors import TaskTimeout
from tests.checkpoint.test_record import SEEDS, ran, running

pytestmark = pytest.mark.timeout(60)
Program = Callable[[], Any]


class World:
    """What tasks find outside of the program."""

    broken: frozenset[Any] = frozenset()


def fragile(x: Any) -> Any:
    ran[x] += 1
    if x in World.broken:
        raise OSError(f"no room for {x}")
    return x


def outcomes(values: Iterable[Any]) -> list[Any]:
    """Of maps of one task each, of a map as far as it goes, and of calls."""
    given = list(values)
    found: list[Any] = []
    for iterator in (futures.map(fragile, given), *(futures.map(fragile, [x]) for x in given[:5])):
        try:
            found.append(list(iterator))
        except OSError as error:
            found.append(str(error))
    calls = [futures.submit(fragile, f"call {x}") for x in given]
    return [found, [str(call.exception() or call.result()) for call in calls]]


@pytest.mark.parametrize("seed", SEEDS)
def test_what_failed_is_tried_again(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "run.ckpt"
    World.broken = frozenset({3, 11, 12, "call 7"})
    with running(path, seed):
        before = outcomes(range(40))
        assert before[0][0] == "no room for 3"
    with running(path, seed, keep_failures=True):
        assert outcomes(range(40)) == before
        assert not World.broken & ran.keys()  # a map that has failed may have been given up
    with running(path, seed):
        outcomes(range(40))
        assert {3, "call 7"} <= ran.keys()
    World.broken = frozenset()
    with running(path, seed):
        after = outcomes(range(40))
        assert ran[3] == 2 and ran["call 7"] == 1
        assert after[0] == [list(range(40)), *([x] for x in range(5))]
        assert after[1] == [f"call {x}" for x in range(40)]
    for keep in (True, False):
        with running(path, seed, keep_failures=keep):
            assert outcomes(range(40)) == after
            assert not ran
    with running(path, seed, keep_failures=True):  # a failure that was tried again is none
        assert list(futures.map(fragile, [-1, *range(40)])) == [-1, *range(40)]
        assert ran == {-1: 1}


@pytest.mark.parametrize("seed", SEEDS)
def test_what_failed_again_costs_its_batch_nothing(tmp_path: Path, seed: int) -> None:
    """A task that is first in its batch, too, whose next outcome begins where the batch does."""
    chance = random.Random(seed)
    tried, World.broken = frozenset(range(200)), frozenset(range(0, 200, 2))
    for number in range(5):
        with running(tmp_path / "run.ckpt", seed + number):
            found = list(futures.map(fragile, range(200), return_exceptions=True))
            assert [x for x in found if isinstance(x, int)] == sorted({*range(200)} - World.broken)
            assert ran == dict.fromkeys(tried, 1)
        tried = World.broken
        World.broken = frozenset(x for x in World.broken if number < 3 and chance.random() < 0.8)
    World.broken = frozenset()


def late(x: int) -> int:
    ran[x] += 1
    if x in World.broken:
        raise TaskTimeout("too long", 1, "here")
    return x


@pytest.mark.parametrize("seed", SEEDS)
def test_a_task_that_took_too_long_costs_its_neighbours_nothing(tmp_path: Path, seed: int) -> None:
    World.broken = frozenset({4, 5, 9})
    with running(tmp_path / "run.ckpt", seed) as ranks:
        values = futures.map(late, range(12))
        ranks.settle()
        with pytest.raises(TaskTimeout):
            list(values)
    World.broken = frozenset()
    with running(tmp_path / "run.ckpt", seed, keep_failures=True):
        assert list(futures.map(late, range(12))) == list(range(12))
        assert ran == dict.fromkeys((4, 5, 9), 1)
