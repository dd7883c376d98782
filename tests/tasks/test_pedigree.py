"""Who a task is depends on the program alone: the same in any interleaving, and never twice."""

from __future__ import annotations

import operator
import random
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import scoopmpi
from scoopmpi import MPIExecutor, Pool, futures, task
from scoopmpi.executors import debug_task
from scoopmpi.process import identity
from scoopmpi.scheduling.batching import Policy
from scoopmpi.tasks import current_executor, pedigree
from tests.support.link import Ranks
from tests.support.memory_farm import EAGER

SEEDS = range(8)
scene: Any = None
"""The ranks of the running test, None without a farm."""


@pytest.fixture(autouse=True)
def _started(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(identity.this, "started", True)
    fresh = pedigree.Program()
    for user in _USERS:
        monkeypatch.setattr(f"scoopmpi.{user}.program", fresh)
    yield
    current_executor.install(None)


_USERS = ("task", "tasks.serial", "tasks.pedigree", "worker.nested.hub", "executors.debug_task",
          "executors.farm_executor")  # fmt: skip
"""Modules with the program of this process, which each test has for itself."""


def on_farm(work: Callable[[], Any], seed: int) -> Any:
    """Return what work gives on a farm of some workers, in the interleaving of a seed."""
    global scene
    policy = EAGER if seed % 2 else Policy()
    scene = ranks = Ranks(1 + seed % 4, seed=seed, policy=policy)
    current_executor.install(ranks.executor)
    try:
        scoopmpi.seed(5)
        found = work()
        ranks.settle()
        return found
    finally:
        current_executor.install(None)
        scene = None


def in_place(work: Callable[[], Any]) -> Any:
    """Return what work gives without a farm."""
    current_executor.install(None)
    scoopmpi.seed(5)
    return work()


def me() -> tuple[Any, ...]:
    """Return the key of the running task, from which its numbers are drawn."""
    if scene is not None and random.random() < 0.1:
        for worker in scene.workers:  # as when a task outlives its budget
            if worker.batches.current is not None:
                worker.overdue.turn()
    return task._stream()


def grown(shape: int) -> list[Any]:
    """A task that makes jobs of its own, as many as its shape says, each kind in any order."""
    chance = random.Random(shape)
    found: list[Any] = [me()]
    for _ in range(chance.randrange(4) if shape else 0):
        count = chance.choice([1, 2, 5])
        below = [chance.randrange(1 + shape // 6) * chance.randrange(2) for _ in range(count)]
        kind = chance.choice(["map", "completed", "calls", "reduce", "scan", "executor"])
        if kind == "map":
            found.extend(futures.map(grown, below))
        elif kind == "completed":
            found.extend(sorted(futures.map_as_completed(grown, below), key=repr))
        elif kind == "calls":
            found.extend(call.result() for call in [futures.submit(grown, x) for x in below])
        elif kind == "reduce":
            found.append(futures.mapReduce(grown, operator.add, below))
        elif kind == "scan":
            found.append(futures.mapScan(grown, operator.add, below)[-1])
        else:
            with MPIExecutor() as executor:
                found.extend(executor.map(grown, below))
        assert task._stream() == found[0], "others ran in its place, or on top of it"
    return found


def program(shape: int) -> list[Any]:
    chance = random.Random(-shape - 1)
    shapes = [chance.randrange(1, 1000) for _ in range(6)]
    found = [*futures.map(grown, shapes), *Pool().map(grown, shapes[:2])]
    calls = [futures.submit(grown, x) for x in shapes[:3]]
    found += [futures.mapReduce(grown, operator.add, shapes), *Pool().imap(grown, shapes)]
    with MPIExecutor() as executor:
        found += executor.map(grown, shapes, buffersize=2)
    return [*found, *(call.result() for call in calls)]


def keys(found: Any) -> list[Any]:
    """Return all keys of what `program` gives."""
    if isinstance(found, tuple):
        return [found]
    return [key for each in found for key in keys(each)]


@pytest.mark.parametrize("shape", range(5))
def test_all_keys_differ_and_are_the_same_in_any_interleaving(shape: int) -> None:
    expected = in_place(lambda: program(shape))
    assert len(set(keys(expected))) == len(keys(expected)) > 30
    for seed in SEEDS:
        assert on_farm(lambda: program(shape), seed) == expected


def drawn(_: int) -> tuple[float, ...]:
    first = task.rng().random()
    list(futures.map(abs, range(3)))
    assert task.rng() is task.rng(), "one generator for a task"
    return first, task.rng().random(), task.random().random(), task.random().random()


def test_numbers_go_on_within_a_task_and_differ_between_tasks() -> None:
    expected = in_place(lambda: list(futures.map(drawn, range(50))))
    numbers = [number for each in expected for number in each]
    assert len(set(numbers)) == len(numbers)
    for seed in SEEDS:
        assert on_farm(lambda: list(futures.map(drawn, range(50))), seed) == expected


def test_a_stream_is_that_of_numpy_with_the_place_as_key() -> None:
    """So that one task can be repeated by hand; the page says so."""
    from numpy.random import SeedSequence, default_rng

    in_place(lambda: list(futures.map(abs, [1])))
    values = list(futures.map(drawn, range(3)))
    assert values[2][0] == default_rng(SeedSequence(5, spawn_key=(2, 2))).random()


def described(_: int) -> tuple[Any, ...]:
    return task.index, task.job, task.function, task.attempt, task.rank, task.deadline


def test_a_task_knows_its_place_and_no_limit() -> None:
    def work() -> Any:
        calls = [futures.submit(described, x) for x in range(3)]
        maps = [list(futures.map(described, range(2))) for _ in range(2)]
        return [call.result() for call in calls], maps

    expected = (
        [(x, 0, "tests.tasks.test_pedigree.described", 1, 0, None) for x in range(3)],
        [
            [(x, job, "tests.tasks.test_pedigree.described", 1, 0, None) for x in range(2)]
            for job in (1, 2)
        ],
    )
    assert in_place(work) == expected
    for seed in SEEDS:
        assert on_farm(work, seed) == expected


def fails_first(_: int) -> tuple[Any, ...]:
    numbers = task.rng().random(), *futures.map(drawn, range(2))
    if task.attempt < 3:
        raise OSError(numbers)
    return task.attempt, numbers


def fails_inside(_: int) -> list[Any]:
    return list(futures.map(fails_first, range(3), retries=2))


def test_a_task_that_is_tried_again_draws_the_same() -> None:
    def work() -> Any:
        again = list(futures.map(fails_first, range(4), retries=2))
        return again, list(futures.map(fails_inside, range(3)))

    again, _ = expected = in_place(work)
    assert {attempt for attempt, _ in again} == {3}
    once = in_place(lambda: list(futures.map(drawn, range(1))))
    assert again[0][1][0] == once[0][0]
    for seed in SEEDS:
        assert on_farm(work, seed) == expected


def debugged(executor: Any, capsys: pytest.CaptureFixture[str]) -> str:
    """Return what the second task of the second map prints where it is debugged."""
    executor.task = debug_task.DebugTask("shown:1")
    current_executor.install(executor)
    scoopmpi.seed(5)
    with pytest.raises(SystemExit):
        list(futures.map(drawn, range(3)))
        list(futures.map(shown, range(3)))
    return capsys.readouterr().out


def shown(_: int) -> None:
    print(drawn(0), list(futures.map(drawn, range(3))), futures.submit(drawn, 0).result())


@pytest.mark.filterwarnings("ignore")
def test_a_task_draws_the_same_where_it_is_debugged(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(debug_task, "can_be_asked", lambda: False)
    in_place(lambda: [*futures.map(drawn, range(3)), *futures.map(shown, range(3))])
    expected = capsys.readouterr().out.splitlines()[1] + "\n"
    assert debugged(debug_task.DebugSerial(), capsys) == expected
    ranks = Ranks(2, seed=1, policy=EAGER)
    assert debugged(debug_task.DebugFarm(ranks.farm), capsys) == expected
    ranks.settle()


def placed(_: int) -> list[tuple[int, int]]:
    return [(task.job, task.index)]


def test_a_reduction_is_a_map_of_the_program() -> None:
    def work() -> Any:
        first = futures.mapReduce(placed, operator.add, range(40))
        second = list(futures.map(placed, range(2)))
        return first, second, futures.submit(placed, 0).result()

    expected = [(1, x) for x in range(40)], [[(2, 0)], [(2, 1)]], [(0, 0)]
    assert in_place(work) == expected
    for seed in SEEDS:
        assert on_farm(work, seed) == expected


def chain(depth: int) -> int:
    if depth:
        next(futures.map(chain, [depth - 1]))
    return task._stream()[1][-1]


def test_keys_of_a_deep_chain_are_worked_out_without_recursion() -> None:
    maker: Any = 0
    for _ in range(100_000):
        maker = [(5, maker, 1, 0, None), 0]
    key = pedigree.key_of(maker)
    assert 0 < key < 1 << 128
    assert maker[2] == key, "and kept, as the next one needs it"
    for seed in range(3):
        assert on_farm(lambda: list(futures.map(chain, [60])), seed) == [0]


@pytest.mark.parametrize(
    "name", ["index", "job", "function", "attempt", "deadline", "seconds_left"]
)
def test_outside_of_tasks_an_error_says_so(name: str) -> None:
    with pytest.raises(RuntimeError, match="no task runs here"):
        getattr(task, name)
    with pytest.raises(RuntimeError, match="no task runs here"):
        task.rng()
    assert task.rank == 0 and task.host


def test_only_what_there_is_has_a_name() -> None:
    with pytest.raises(AttributeError, match="no attribute 'idnex'"):
        _ = task.idnex
    assert set(dir(task)) == set(task.__all__)


def in_thread(_: int) -> list[str]:
    said: list[str] = []

    def ask() -> None:
        for what in (lambda: task.index, task.rng, lambda: list(futures.map(drawn, [1]))):
            try:
                said.append(str(what()))
            except RuntimeError as error:
                said.append(str(error))

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    return said


def test_a_thread_of_a_task_has_no_numbers_that_depend_on_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scoopmpi.seed(5)
    said = in_thread(0)
    assert "no task runs here" in said[0] and "no task runs here" in said[1]


def test_values_are_combined_without_numbers() -> None:
    def combine(a: float, b: float) -> float:
        return task.rng().random()

    with pytest.raises(RuntimeError, match="to combine values"):
        in_place(lambda: futures.mapReduce(abs, combine, range(3)))


@pytest.mark.parametrize("number", [1.0, "5", True, None.__class__])
def test_a_seed_is_an_integer(number: Any) -> None:
    with pytest.raises(TypeError, match="it must be an integer from 0 on"):
        scoopmpi.seed(number)


def test_seeds() -> None:
    first = scoopmpi.seed()
    assert first == scoopmpi.seed() > 1 << 64, "drawn once, and enough for many runs"
    with pytest.raises(ValueError, match="-1"):
        scoopmpi.seed(-1)
    assert scoopmpi.seed(5) == scoopmpi.seed() == 5
    values = list(futures.map(drawn, range(3)))
    assert list(futures.map(drawn, range(3))) != values
    scoopmpi.seed(5)
    assert list(futures.map(drawn, range(3))) == values, "a seed begins anew"


def seeds(number: int) -> int:
    assert scoopmpi.seed() == 5
    return scoopmpi.seed(number)


def test_a_task_may_ask_for_the_seed_and_not_set_it() -> None:
    with pytest.raises(RuntimeError, match="for the program"):
        in_place(lambda: list(futures.map(seeds, [7])))


def test_nor_may_its_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity.this, "rank", 1)
    with pytest.raises(RuntimeError, match="for the program"):
        scoopmpi.seed(7)
    with pytest.raises(RuntimeError, match="ask in the task, and pass it on"):
        scoopmpi.seed()


def test_a_worker_that_imports_the_program_leaves_the_seed_to_rank_0(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(identity.this, "importing", True)
    assert scoopmpi.seed(9) == 9
    with pytest.raises(RuntimeError, match="not known while a worker imports"):
        scoopmpi.seed()
    monkeypatch.setattr(identity.this, "importing", False)
    assert scoopmpi.seed() != 9


class Kept(dict[str, str]):
    """A checkpoint, as far as it keeps the seed."""

    def fact(self, name: str) -> str | None:
        return self.get(name)

    def tell(self, **facts: str) -> None:
        self.update(facts)


def test_a_checkpoint_has_the_seed_unless_it_is_fixed() -> None:
    first, kept = pedigree.Program(), Kept()
    first.keep_in(kept)
    assert kept == {"seed": str(first.seed)}
    second = pedigree.Program()
    second.keep_in(kept)
    assert second.seed == first.seed
    given = pedigree.Program()
    given.begin(5, pedigree.OPTION)
    given.keep_in(kept)
    assert given.seed == 5 and kept == {"seed": "5"}
    broken = Kept(seed="five")
    (third := pedigree.Program()).keep_in(broken)
    assert broken == {"seed": str(third.seed)}


def test_the_option_in_vain_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    program = pedigree.Program()
    program.begin(7, pedigree.OPTION)
    program.begin(7, "scoopmpi.seed(7)")
    program.begin(7, pedigree.OPTION)
    program.begin(5, "scoopmpi.seed(5)")
    program.begin(6, "scoopmpi.seed(6)")
    assert caplog.messages == ["--seed 7 has no effect: scoopmpi.seed(5) gives 5"]
