"""Workers that die, in memory: what they held runs elsewhere, exactly once for the caller."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from scoopmpi import futures, shared
from scoopmpi.process import identity
from scoopmpi.scheduling.batching import Policy
from scoopmpi.tasks import current_executor
from scoopmpi.wire.errors import WorkerLost
from tests.support.link import Ranks

pytestmark = pytest.mark.timeout(60)
EAGER = Policy(target=0, shortest=0, message=0)
SEEDS = range(40)


class Scene:
    """The ranks of the running test, and how likely a task dies with its worker."""

    ranks: Ranks
    deaths = 0.0


scene = Scene()


def risky() -> None:
    """Dies with its worker by chance, as long as two are left."""
    ranks = scene.ranks
    if len(ranks.workers) > 1 and ranks.link.chance.random() < scene.deaths:
        ranks.die()


@pytest.fixture
def ranks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(identity.this, "started", True)
    seed = request.param
    policy = EAGER if seed % 2 else Policy()
    scene.ranks = Ranks(workers=2 + seed % 5, seed=seed, policy=policy, retries=20)
    scene.deaths = 0.02
    current_executor.install(scene.ranks.executor)
    yield scene.ranks
    scene.ranks.settle()
    scene.ranks.farm._scheduler.check()
    for worker in scene.ranks.workers:
        worker.hub.tasks.fibers.close()
    current_executor.install(None)


def square(x: int) -> int:
    risky()
    return x * x


def tree(depth: int) -> int:
    risky()
    if not depth:
        return 1
    if depth % 2:
        return sum(futures.map(tree, [depth - 1] * 3))
    return sum(call.result() for call in [futures.submit(tree, depth - 1) for _ in range(3)])


@pytest.mark.parametrize("ranks", SEEDS, indirect=True)
def test_maps_are_as_if_nobody_had_died(ranks: Any) -> None:
    assert list(futures.map(square, range(200))) == [x * x for x in range(200)]


@pytest.mark.parametrize("ranks", SEEDS, indirect=True)
def test_calls_are_as_if_nobody_had_died(ranks: Any) -> None:
    calls = [futures.submit(square, x) for x in range(100)]
    assert [call.result() for call in calls] == [x * x for x in range(100)]


@pytest.mark.parametrize("ranks", SEEDS, indirect=True)
def test_nested_tasks_are_as_if_nobody_had_died(ranks: Any) -> None:
    assert [call.result() for call in [futures.submit(tree, 4) for _ in range(3)]] == [81] * 3


def reads(name: str) -> Any:
    risky()
    return shared.getConst(name)


@pytest.mark.parametrize("ranks", SEEDS, indirect=True)
def test_constants_come_although_who_was_to_send_them_on_died(ranks: Any) -> None:
    chance = ranks.link.chance
    for number in range(3):
        shared.setConst(**{f"table{number}": [number]})
        for _ in range(chance.randrange(20)):
            ranks.turn()
        if len(ranks.workers) > 1 and chance.random() < 0.7:
            ranks.kill(chance.choice(ranks.workers))
        names = [f"table{n}" for n in range(number + 1)]
        assert list(futures.map(reads, names * 5)) == [[n] for n in range(number + 1)] * 5


def never_alone(x: int) -> int:
    if x == 3:
        scene.ranks.die()
    return x


def outcomes(calls: list[Any]) -> list[Any]:
    return [call.exception() or call.result() for call in calls]


def with_retries(retries: int, workers: int) -> Ranks:
    found = scene.ranks = Ranks(workers, seed=1, retries=retries)
    current_executor.install(found.executor)
    return found


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_a_task_that_kills_its_workers_fails_and_no_other(
    retries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity.this, "started", True)
    ranks = with_retries(retries, workers=5)
    found = outcomes([futures.submit(never_alone, x) for x in range(8)])
    lost = found.pop(3)
    assert found == [0, 1, 2, 4, 5, 6, 7]
    assert isinstance(lost, WorkerLost)
    assert (lost.index, lost.rank in ranks.link.dead) == (3, True)
    workers = "1 worker" if retries == 0 else f"{retries + 1} workers"
    assert f"{workers} died running submitted call {__name__}.never_alone(3), the" in str(lost)
    assert len(ranks.link.dead) == retries + 1
    assert futures.submit(abs, -42).result() == 42
    ranks.settle()
    current_executor.install(None)


def test_where_nobody_is_left_every_caller_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity.this, "started", True)
    with_retries(9, workers=2)
    found = outcomes([futures.submit(never_alone, x) for x in (3, 3, 3)])
    assert all(isinstance(error, WorkerLost) for error in found)
    here = socket.gethostname()
    assert {str(error) for error in found} == {f"no worker is left: 1 on {here}, 2 on {here} died"}
    with pytest.raises(WorkerLost, match="no worker is left"):
        futures.submit(abs, -42).result()
    current_executor.install(None)


def sets_and_dies(x: int) -> Any:
    shared.setConst(**{f"from{x}": x})
    if not scene.ranks.link.dead:
        scene.ranks.die()
    return shared.getConst(f"from{x}")


def test_a_task_that_comes_again_may_set_its_constant_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(identity.this, "started", True)
    ranks = with_retries(2, workers=3)
    calls = [futures.submit(sets_and_dies, x) for x in range(4)]
    assert outcomes(calls) == [0, 1, 2, 3]
    with pytest.raises(TypeError, match="from1"):
        shared.setConst(from1=2)
    assert len(ranks.link.dead) == 1
    ranks.settle()
    current_executor.install(None)


def fatal_child(x: int) -> int:
    scene.ranks.die()
    return x


def parent(x: int) -> Any:
    return [call.result() for call in [futures.submit(fatal_child, y) for y in range(2)]]


@pytest.mark.parametrize("seed", range(12))
def test_a_nested_task_that_kills_its_workers_does_not_kill_them_all(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its parent is blamed where it dies with it, as the child that comes again is a new one."""
    monkeypatch.setattr(identity.this, "started", True)
    ranks = scene.ranks = Ranks(12, seed=seed, retries=1)
    current_executor.install(ranks.executor)
    assert isinstance(futures.submit(parent, 0).exception(), WorkerLost)
    assert futures.submit(abs, -42).result() == 42
    assert len(ranks.link.dead) < 11
    ranks.settle()
    current_executor.install(None)


def test_what_is_opened_after_the_last_worker_died_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may die while the function or the arguments are packed."""
    monkeypatch.setattr(identity.this, "started", True)
    ranks = with_retries(0, workers=1)
    assert futures.submit(abs, -1).result() == 1
    monkeypatch.setattr(ranks.farm, "wait_for_first_worker", lambda: None)  # it has looked before
    ranks.kill(ranks.workers[0])
    while ranks.farm.error is None:
        ranks.turn()
    with pytest.raises(WorkerLost, match="no worker is left"):
        futures.submit(abs, -1).result()
    with pytest.raises(WorkerLost, match="no worker is left"):
        list(futures.map(abs, [-1]))
    assert not ranks.farm.busy
    current_executor.install(None)
