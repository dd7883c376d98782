"""Farms of few workers whose tasks kill: these fail, every other caller gets its value.

The invariant: whoever dies, and whenever, a task fails with `WorkerLost` only if it has been
running, alone, in as many workers that died as may be; each other task has its value, once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from scoopmpi import futures, shared
from scoopmpi.farm import last_worker
from scoopmpi.process import identity
from scoopmpi.scheduling.batching import Policy
from scoopmpi.tasks import current_executor
from scoopmpi.wire.errors import WorkerLost
from tests.support.link import Ranks

pytestmark = pytest.mark.timeout(60)
EAGER = Policy(target=0, shortest=0, message=0)
SEEDS = range(30)
TASKS = 12


class Scene:
    """The ranks of the running test, which tasks kill their worker, and how likely others die."""

    ranks: Ranks
    killers: frozenset[int] = frozenset()


scene = Scene()


def farm(workers: int, seed: int = 0, retries: int = 2) -> Ranks:
    policy = EAGER if seed % 2 else Policy()
    scene.ranks = Ranks(workers, seed, policy, retries, successors=True)
    current_executor.install(scene.ranks.executor)
    return scene.ranks


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(identity.this, "started", True)
    yield
    current_executor.install(None)


def task(x: int) -> int:
    if x in scene.killers:
        scene.ranks.die()
    return x * x


def parent(x: int) -> int:
    return sum(futures.map(task, [x, x + 100]))


def outcome(call: Any) -> Any:
    return call.exception() or call.result()


def checked(found: list[Any], killers: frozenset[int], values: list[int], deaths: int) -> None:
    for index, got in enumerate(found):
        if index in killers:
            assert isinstance(got, WorkerLost) and got.index == index, got
            assert int(str(got).split()[0]) in (
                deaths,
                deaths + 1,
            )  # once more after a shared blame
        else:
            assert got == values[index]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("killers", [{0}, {3, 4}, {1, 5, 6, 9, 11}, set(range(TASKS))])
def test_calls_that_kill_fail_and_no_other(seed: int, killers: set[int]) -> None:
    scene.killers = frozenset(killers)
    ranks = farm(1 + seed % 3, seed, retries := seed % 4 % 3)
    last_worker_patience(ranks, 100)
    found = [outcome(call) for call in [futures.submit(task, x) for x in range(TASKS)]]
    checked(found, scene.killers, [x * x for x in range(TASKS)], retries + 1)
    assert futures.submit(abs, -42).result() == 42
    ranks.settle()
    ranks.farm._scheduler.check()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_map_that_kills_fails_where_it_kills(seed: int) -> None:
    """A batch has many tasks: none of its others is taken for the killer."""
    scene.killers = frozenset({seed % TASKS})
    ranks = farm(1 + seed % 3, seed)
    values = futures.map(task, range(TASKS))
    found: list[int] = []
    with pytest.raises(WorkerLost) as caught:
        found.extend(values)
    assert caught.value.index == seed % TASKS
    assert found == [x * x for x in range(seed % TASKS)]
    assert list(futures.map(abs, [-1, -2])) == [1, 2]
    ranks.settle()


@pytest.mark.parametrize("seed", SEEDS)
def test_nested_tasks_that_kill_fail_with_their_parents(seed: int) -> None:
    scene.killers = frozenset({2, 107})
    ranks = farm(1 + seed % 2, seed, retries=1)
    last_worker_patience(ranks, 1000)
    found = [outcome(call) for call in [futures.submit(parent, x) for x in range(9)]]
    for x, got in enumerate(found):
        if x in (2, 7):
            assert isinstance(got, WorkerLost)
        else:
            assert got == x * x + (x + 100) ** 2
    ranks.settle()
    for worker in ranks.workers:
        worker.hub.tasks.fibers.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_workers_that_are_killed_from_outside_cost_no_task(seed: int) -> None:
    scene.killers = frozenset()
    ranks = farm(1 + seed % 3, seed, retries=20)
    shared.setConst(table=[7])
    calls = [futures.submit(task, x) for x in range(60)]
    for _ in range(6):
        for _ in range(ranks.link.chance.randrange(60)):
            ranks.turn()
        if ranks.workers:
            ranks.kill(ranks.link.chance.choice(ranks.workers))
            # The news is on its way, then the successor, which may not die before it is there.
            while not (ranks.workers and ranks.farm.members.has_joined(ranks.workers[-1].rank)):
                ranks.turn()
    assert [call.result() for call in calls] == [x * x for x in range(60)]
    assert futures.submit(shared.getConst, "table").result() == [7]
    ranks.settle()


def last_worker_patience(ranks: Ranks, deaths: int) -> None:
    router: Any = ranks.farm._loop._router
    router._last_worker._patience = deaths


def test_where_nothing_gets_done_there_is_an_end() -> None:
    """It is not single tasks then: a library that crashes whatever it is asked, say."""
    scene.killers = frozenset(range(50))
    ranks = farm(2, retries=0)
    found = [outcome(call) for call in [futures.submit(task, x) for x in range(50)]]
    assert all(isinstance(error, WorkerLost) for error in found)
    assert len(ranks.link.dead) == 2 + last_worker.TASKS_IN_VAIN - 1
    assert str(found[-1]).startswith("no worker is left: 1 on ")


def test_a_large_farm_has_no_successor() -> None:
    """One process would keep the hosts of all of them."""
    ranks = farm(last_worker.MOST_WORKERS + 1)
    for worker in list(ranks.workers):
        ranks.turn()
        ranks.kill(worker)
    assert isinstance(futures.submit(abs, -1).exception(), WorkerLost)
    assert not ranks.workers


def test_two_in_a_row_that_died_before_they_joined_have_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The program cannot be imported here, say."""
    ranks = farm(1)
    assert futures.submit(abs, -1).result() == 1
    monkeypatch.setattr("scoopmpi.worker.worker.Worker.join", lambda *args: None)
    ranks.kill(ranks.workers[0])
    call = futures.submit(abs, -1)
    for _ in range(2):
        while not ranks.workers:
            ranks.turn()
        ranks.kill(ranks.workers[0])
    assert isinstance(call.exception(), WorkerLost)


def test_the_line_says_who_comes(caplog: pytest.LogCaptureFixture) -> None:
    scene.killers = frozenset({3})
    ranks = farm(1, retries=0)
    with caplog.at_level(logging.WARNING, "scoopmpi"):
        assert isinstance(futures.submit(task, 3).exception(), WorkerLost)
        assert futures.submit(task, 4).result() == 16
    assert "no worker is left: worker 2, on rank 0's host, takes its place" in caplog.text
    ranks.settle()
