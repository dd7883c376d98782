"""Remembered paces on a whole farm in memory: what a function's next map goes out as."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from scoopmpi.scheduling.ranges import Batch
from scoopmpi.scheduling.scheduler import Scheduler
from tests.support.link import Ranks


def one(x: int) -> int:
    return x


def other(x: int) -> int:
    return -x


def made(constant: int) -> Callable[[int], int]:
    return lambda x: x + constant


@pytest.fixture(params=range(4))
def ranks(request: pytest.FixtureRequest) -> Iterator[Ranks]:
    found = Ranks(workers=1 + request.param, seed=request.param)
    yield found
    found.settle()
    found.farm._scheduler.check()
    assert found.link.empty


def batches(ranks: Ranks, monkeypatch: pytest.MonkeyPatch) -> list[Batch]:
    """Return a list that gets every batch that the scheduler hands out from now on."""
    found: list[Batch] = []
    hand = Scheduler._hand

    def noting(scheduler: Scheduler, *args: Any) -> Any:
        assignment = hand(scheduler, *args)
        found.append(assignment.batch)
        return assignment

    monkeypatch.setattr(Scheduler, "_hand", noting)
    return found


@pytest.mark.parametrize("make", [lambda: one, lambda: partial(one), lambda: made(0)])
def test_the_second_map_goes_out_in_as_many_batches_as_workers(
    ranks: Ranks, monkeypatch: pytest.MonkeyPatch, make: Callable[[], Any]
) -> None:
    for _ in range(3):
        assert list(ranks.executor.map(make(), range(48))) == list(range(48))
    ranks.settle()
    found = batches(ranks, monkeypatch)
    assert list(ranks.executor.map(make(), range(48))) == list(range(48))
    assert sorted(batch.start for batch in found) == [
        place * 48 // len(ranks.workers) for place in range(len(ranks.workers))
    ]


def test_functions_in_turn_over_the_link(ranks: Ranks) -> None:
    for _ in range(2):
        assert list(ranks.executor.map(one, range(20))) == list(range(20))
        assert list(ranks.executor.map(other, range(20))) == [-x for x in range(20)]
    ranks.settle()
    kept = ranks.farm.maps._paces._kept
    assert len(kept) == 2
    assert all(known.pace is not None and known.pace.remembered for known in kept.values())
    assert not ranks.farm.maps._paces._latest


def test_a_map_that_fails_or_is_given_up_leaves_nothing_open(ranks: Ranks) -> None:
    with pytest.raises(ZeroDivisionError):
        list(ranks.executor.map(lambda x: 1 // x, range(20)))
    with pytest.raises(TypeError):
        ranks.executor.map(one, 3)
    given_up = ranks.executor.map(one, range(10_000))
    next(given_up)
    del given_up
    ranks.settle()
    assert not ranks.farm.maps._paces._latest
    assert not ranks.farm.maps._paces._code_of
