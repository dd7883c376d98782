"""Random nested programs over the in-memory ranks, whose workers die: as if run one by one."""

from __future__ import annotations

import itertools
import operator
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from scoopmpi import futures
from scoopmpi.process import identity
from scoopmpi.scheduling.batching import Policy
from scoopmpi.tasks import current_executor
from tests.support.link import MemoryTransport, Ranks

pytestmark = pytest.mark.timeout(60)
EAGER = Policy(target=0, shortest=0, message=0)
RETRIES = 60
"""More than workers can die: nobody is to be given up."""
SEEDS, AT_A_TIME = 400, 20


class Scene:
    """Where the tasks run: on these ranks, or at once, one by one."""

    ranks: Ranks | None = None


scene = Scene()


class Mischief(Exception):
    """A task's own."""


@pytest.fixture(autouse=True)
def _as_under_mpirun(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(identity.this, "started", True)
    yield
    scene.ranks = None
    current_executor.install(None)


@contextmanager
def farm_of(workers: int, seed: int) -> Iterator[Ranks]:
    """Ranks at whose end nothing is left behind."""
    ranks = Ranks(workers, seed, EAGER if seed % 2 else Policy(), retries=RETRIES)
    scene.ranks = ranks
    current_executor.install(ranks.executor)
    yield ranks
    ranks.settle()
    ranks.farm._scheduler.check()
    assert ranks.link.empty
    assert len(ranks.farm._jobs) == 1 and not len(ranks.farm._offers)
    for worker in ranks.workers:
        assert not (
            worker.hub.tasks.fibers.suspended or worker.batches.suspended or worker.hub.sharing
        )
        worker.hub.tasks.fibers.close()
    scene.ranks = None
    current_executor.install(None)


# Programs: a task is a number, which says what it does and how deep it is. Each way of asking for
# the values of others has its serial twin.


def meddles() -> None:
    """The task dies with its worker by chance, or the progress thread has its turn meanwhile."""
    ranks = scene.ranks
    if ranks is None:
        return
    if len(ranks.workers) > 1 and ranks.link.chance.random() < 0.01:
        ranks.die()
    for worker in ranks.workers:
        if worker.batches.current is not None and ranks.link.chance.random() < 0.3:
            worker.overdue.turn()


def leaf(task: int) -> Any:
    meddles()
    if task % 17 == 3:
        raise Mischief(task)
    return [task] if task % 2 else task


def harmless(tasks: list[int]) -> list[int]:
    return [task - task % 17 for task in tasks]


def rest(task: int) -> int:
    meddles()
    return task % 5


def caught(run: Callable[[], Any]) -> Any:
    try:
        return run()
    except Mischief as error:
        return "raised", error.args


def mapped(function: Callable[..., Any], tasks: Any) -> Any:
    return map(function, tasks) if scene.ranks is None else futures.map(function, tasks)


def a_map(tasks: list[int], chance: random.Random) -> Any:
    return caught(lambda: list(mapped(node, tasks)))


def a_map_of_an_iterator(tasks: list[int], chance: random.Random) -> Any:
    return caught(lambda: list(mapped(node, iter(tasks))))


def a_map_of_a_closure(tasks: list[int], chance: random.Random) -> Any:
    count = len(tasks)
    return caught(lambda: list(mapped(lambda task: (count, node(task)), tasks)))


def the_first_of_an_endless_map(tasks: list[int], chance: random.Random) -> Any:
    count, endless = chance.randrange(6), itertools.cycle(tasks or [0])
    return caught(lambda: list(itertools.islice(mapped(node, endless), count)))


def calls(tasks: list[int], chance: random.Random) -> Any:
    order = chance.sample(range(len(tasks)), len(tasks))
    if scene.ranks is None:
        return [caught(lambda task=task: node(task)) for task in tasks]  # type: ignore[misc]
    made = [futures.submit(node, task) for task in tasks]
    if len(tasks) % 3 == 0:
        futures.wait(made)
    if len(tasks) % 3 == 1:
        assert set(futures.as_completed(made)) == set(made)
    for place in order:
        caught(made[place].result)
    meddles()
    return [caught(call.result) for call in made]


def two_maps_of_which_one_is_left(tasks: list[int], chance: random.Random) -> Any:
    first, second = mapped(node, tasks), mapped(node, harmless(tasks))
    some = caught(lambda: list(itertools.islice(first, 2)))
    return some, caught(lambda: list(second))


def as_they_come(tasks: list[int], chance: random.Random) -> Any:
    fine = harmless(tasks)
    if scene.ranks is None:
        return sorted(map(str, map(leaf, fine)))
    return sorted(map(str, futures.map_as_completed(leaf, fine)))


def calls_of_which_half_is_cancelled(tasks: list[int], chance: random.Random) -> Any:
    if scene.ranks is None:
        return [caught(lambda task=task: node(task)) for task in tasks[1::2]]  # type: ignore[misc]
    made = [futures.submit(node, task) for task in tasks]
    for call in made[::2]:
        call.cancel()
    futures.map(node, tasks)  # and a map that nobody looks at
    return [caught(call.result) for call in made[1::2]]


def a_sum(tasks: list[int], chance: random.Random) -> Any:
    if scene.ranks is None or not tasks:
        return sum(rest(task) for task in tasks)
    return futures.mapReduce(rest, operator.add, tasks)


WAYS = (
    a_map, a_map_of_an_iterator, a_map_of_a_closure, the_first_of_an_endless_map, calls,
    two_maps_of_which_one_is_left, as_they_come, calls_of_which_half_is_cancelled, a_sum,
)  # fmt: skip


def node(task: int) -> Any:
    """A thousand a level: 3417 has children of 2000 to 2999."""
    meddles()
    depth, chance = task // 1000, random.Random(task)
    if depth == 0:
        return leaf(task)
    children = [(depth - 1) * 1000 + chance.randrange(1000) for _ in range(chance.randrange(9))]
    return chance.choice(WAYS)(children, chance)


@pytest.mark.parametrize("first", range(0, SEEDS, AT_A_TIME))
def test_random_programs_are_as_if_nobody_had_died(first: int) -> None:
    deaths = 0
    for seed in range(first, first + AT_A_TIME):
        chance = random.Random(seed)
        depth, count = chance.randrange(1, 4), chance.randrange(1, 6)
        tasks = [depth * 1000 + chance.randrange(1000) for _ in range(count)]
        expected = [caught(lambda task=task: node(task)) for task in tasks]  # type: ignore[misc]
        with farm_of(2 + seed % 5, seed) as ranks:
            made = [futures.submit(node, task) for task in tasks]
            found = [caught(call.result) for call in made]
            deaths += len(ranks.link.dead)
        assert found == expected, f"seed {seed}"
    assert deaths


# A death at every place.


class Counted:
    """Counts messages; what is behind the fatal one kills its sender, or else who was to get it."""

    def __init__(self, fatal: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent, self.fatal, self.due = 0, fatal, 0
        send = MemoryTransport.send

        def counting(transport: MemoryTransport, to: int, message: Any) -> None:
            send(transport, to, message)
            self.sent += 1
            if self.sent == self.fatal:
                self.due = transport.rank or to

        turn = Ranks.turn

        def dying(ranks: Ranks) -> None:
            due, self.due = self.due, 0
            for worker in list(ranks.workers):
                if worker.rank == due:
                    ranks.kill(worker)
            turn(ranks)

        monkeypatch.setattr(MemoryTransport, "send", counting)
        monkeypatch.setattr(Ranks, "turn", dying)


def square(x: int) -> int:
    return x * x


def tree(depth: int) -> int:
    return sum(futures.map(tree, [depth - 1] * 2)) if depth else 1


def calls_tree(depth: int) -> int:
    made = [futures.submit(calls_tree, depth - 1) for _ in range(2)] if depth else []
    return sum(call.result() for call in made) if made else 1


def small_program(ranks: Ranks) -> None:
    made = [futures.submit(tree, 3), futures.submit(calls_tree, 2)]
    assert list(futures.map(square, range(12))) == [x * x for x in range(12)]
    assert [call.result() for call in made] == [8, 4]
    assert sorted(futures.map_as_completed(square, range(5))) == [0, 1, 4, 9, 16]


@pytest.mark.parametrize("seed", range(6))
def test_a_worker_may_die_behind_every_message(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched, farm_of(3, seed) as ranks:
        undisturbed = Counted(0, patched)
        small_program(ranks)
    deaths = 0
    for fatal in range(4, undisturbed.sent + 1):  # before that nobody else has joined
        with monkeypatch.context() as patched:
            Counted(fatal, patched)
            with farm_of(3, seed) as ranks:
                small_program(ranks)
                deaths += len(ranks.link.dead)
    assert deaths > undisturbed.sent / 2, "the others are sent after the end"
