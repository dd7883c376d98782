"""Programs that go on from a checkpoint, in memory: the same values, and only what is missing."""

from __future__ import annotations

import logging
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pytest

from scoopmpi import futures, shared
from scoopmpi.checkpoint import code_digest, digests, record
from scoopmpi.process import identity
from scoopmpi.scheduling.batching import Policy
from scoopmpi.tasks import current_executor
from scoopmpi.wire.errors import WorkerLost
from tests.support.link import Ranks

pytestmark = pytest.mark.timeout(60)
EAGER = Policy(target=0, shortest=0, message=0)
SEEDS = range(10)
ran: Counter[Any] = Counter()


class Scene:
    """The ranks of the running program."""

    ranks: Ranks
    value = 0


@contextmanager
def running(
    path: Path, seed: int, retries: int = 2, keep_failures: bool = False
) -> Iterator[Ranks]:
    """A run of a program, with other workers and another interleaving for each seed."""
    ran.clear()
    policy = EAGER if seed % 2 else Policy()
    ranks = Scene.ranks = Ranks(1 + seed % 4, seed, policy, retries)
    checkpoint = record.opened(path, ranks.farm.sharing, "a test", keep_failures)
    ranks.executor.checkpoint = checkpoint
    current_executor.install(ranks.executor)
    before, identity.this.started = identity.this.started, True
    try:
        yield ranks
        ranks.settle()
    finally:
        identity.this.started = before
        current_executor.install(None)
        checkpoint.close(ended=True)


def square(x: int) -> int:
    ran[x] += 1
    return x * x


def mixed(x: Any) -> Any:
    """Numbers, lists, arrays of bytes, failures."""
    ran[x if isinstance(x, int) else "other"] += 1
    if isinstance(x, int) and x % 7 == 3:
        raise ValueError(f"no {x}", x)
    return [x, bytearray(b"x" * (x % 5))] if isinstance(x, int) and x % 2 else x


def all_of(calls: list[Any]) -> list[Any]:
    return [repr(call.exception()) if call.exception() else call.result() for call in calls]


def program(numbers: int) -> list[Any]:
    """Maps in order, unordered, over a generator; calls; values and failures."""
    first = list(futures.map(square, range(numbers)))
    streamed = list(futures.map(square, (x for x in range(1000, 1000 + numbers))))
    unordered = sorted(futures.map_as_completed(square, range(2000, 2000 + numbers)))
    calls = all_of([futures.submit(mixed, x) for x in range(3000, 3000 + numbers)])
    lists = list(futures.map(len, [[x] * x for x in range(numbers % 50)]))
    return [first, streamed, unordered, calls, lists, futures.mapReduce(square, add, range(10))]


def add(a: int, b: int) -> int:
    return a + b


@pytest.mark.parametrize("seed", SEEDS)
def test_a_second_run_gives_the_same_and_runs_nothing(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "run.ckpt"
    with running(path, seed):
        expected = program(60)
        assert sum(ran.values()) == 4 * 60 + 10
    for again in (1, 2, 3):
        with running(path, seed + again, keep_failures=again == 2):
            assert program(60) == expected
            failing = [x for x in range(3000, 3060) if x % 7 == 3]
            assert ran == ({} if again == 2 else dict.fromkeys(failing, 1))


@pytest.mark.parametrize("seed", SEEDS)
def test_an_interrupted_run_is_gone_on_with(tmp_path: Path, seed: int) -> None:
    """Cut off after so many values; what has come to rank 0 by then is not computed again."""
    path = tmp_path / "run.ckpt"
    have = 0
    for part in range(6):
        with running(path, seed + part):
            values = futures.map(square, range(300))
            taken = [next(values) for _ in range(50 * part)]
            assert taken == [x * x for x in range(50 * part)]
            assert ran.keys().isdisjoint(range(have))
            have = max(have, len(taken))
            del values
    with running(path, seed):
        assert list(futures.map(square, range(300))) == [x * x for x in range(300)]
        assert ran.keys().isdisjoint(range(have))


@pytest.mark.parametrize("seed", SEEDS)
def test_more_tasks_than_before_and_fewer(
    tmp_path: Path, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "run.ckpt"
    for count in (100, 250, 30, 250):
        with running(path, seed):
            streamed: Callable[[int], Any] = iter if seed % 3 == 0 else list  # type: ignore[assignment]
            assert list(futures.map(square, streamed(range(count)))) == [  # type: ignore[arg-type]
                x * x for x in range(count)
            ]


@pytest.mark.parametrize("seed", SEEDS)
def test_changed_arguments_are_computed_again_and_a_warning_says_so(
    tmp_path: Path, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "run.ckpt"
    for run, changed in enumerate([(), (20, 150), (20, 150), ()]):
        caplog.clear()
        given = [-x if x in changed else x for x in range(200)]
        with running(path, seed):
            assert list(futures.map(square, given)) == [x * x for x in range(200)]
            assert list(futures.map(itself, [[x] for x in given])) == [[x] for x in given]
            calls = [futures.submit(square, x).result() for x in given[:30]]
            assert calls == [x * x for x in given[:30]]
            computed = sum(ran.values())
        if run == 0:
            assert computed == 430 and not caplog.text
        elif run == 2:
            assert not computed and not caplog.text
        else:  # both of each map, and one call; what was kept of these comes back at the end
            assert computed == (5 if run == 1 else 0)
            found = f"{430 - computed} of 430 results found"
            assert (found in caplog.text) == (run == 1)


def itself(x: list[int]) -> list[int]:
    ran["itself"] += 1
    return x


@pytest.mark.parametrize("seed", SEEDS)
def test_calls_that_came_together_are_found_one_by_one(tmp_path: Path, seed: int) -> None:
    """Where they were, beside others, behind others, and by a map."""
    path, numbers = tmp_path / "run.ckpt", list(range(200))

    def computed(given: list[int], run: int, between: int = 0) -> int:
        with running(path, seed + run):
            calls = []
            for x in given:
                if between and x % between == 0:
                    calls.append(futures.submit(itself, [x * x]))
                calls.append(futures.submit(square, x))
            found = [call.result() for call in calls]
            assert [x for x in found if isinstance(x, int)] == [x * x for x in given]
            return sum(ran.values())

    assert computed(numbers, 0) == 200
    with sqlite3.connect(path) as file:
        (parts,) = file.execute("SELECT count(*) FROM parts WHERE job=0").fetchone()
    assert parts < 150 or seed % 2
    assert computed(numbers, 1) == 0
    assert computed([-x if x in (20, 150) else x for x in numbers], 2) == 2
    assert computed(numbers, 3) == 0
    assert computed([*range(-900, -890), *numbers], 4) == 10
    assert computed(numbers, 5, between=7) == 29
    with running(path, seed):
        assert list(futures.map(square, numbers)) == [x * x for x in numbers]
        assert not ran


def test_calls_of_several_kinds_in_one_message_are_kept(tmp_path: Path) -> None:
    def program() -> list[Any]:
        calls = []
        for x in range(60):
            calls += [futures.submit(square, x), futures.submit(pow, x, 2), futures.submit(sum, ())]
            calls += [futures.submit(square, x=x), futures.submit(itself, [x])]
        return [call.result() for call in calls]

    for run in range(2):
        with running(tmp_path / "run.ckpt", run):
            assert program() == [value for x in range(60) for value in (x * x, x**2, 0, x * x, [x])]
            assert sum(ran.values()) == (0 if run else 180)


def test_tasks_that_look_alike_are_kept_apart(tmp_path: Path) -> None:
    """Random ones: the same function with the same arguments, each with its own value."""
    values = []
    for seed in (1, 2):
        with running(tmp_path / "run.ckpt", seed):
            found = list(futures.map(numbered, [0] * 20))
            values.append((found, [futures.submit(numbered, 0).result() for _ in range(20)]))
    assert values[0] == values[1]
    assert len({*values[0][0], *values[0][1]}) == 40


def numbered(_: int) -> int:
    ran["calls"] += 1
    return ran["calls"]


def test_a_changed_function_is_another(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "run.ckpt"
    for run, power in enumerate([2, 3, 3]):
        caplog.clear()
        with running(path, 1):
            values = list(futures.map(lambda x, power=power: x**power, range(10)))
            assert values == [x**power for x in range(10)]
            assert list(futures.map(square, range(10))) == [x * x for x in range(10)]
            assert bool(ran) == (run == 0)
        assert ("map 1 (" in caplog.text) == (run == 1)
        assert ("10 of 20 results found; 10 computed again as `" in caplog.text) == (run == 1)
        assert ("10 of earlier versions kept" in caplog.text) == (run == 1)


def test_arguments_of_the_program_count_where_a_function_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.ckpt"
    for factor in ("2", "3", "3"):
        monkeypatch.setattr(sys, "argv", ["prog", factor])
        for module, name in ((code_digest, "_seen"), (digests, "_known")):
            monkeypatch.setattr(module, name, WeakKeyDictionary())  # as in another process
        with running(path, 1):
            values = list(futures.map(times_argument, range(5)))
            assert values == [int(factor) * x for x in range(5)]
            assert list(futures.map(square, range(5))) == [x * x for x in range(5)]


def times_argument(x: int) -> int:
    return x * int(sys.argv[1])


def test_constants_are_part_of_what_a_task_depends_on(tmp_path: Path) -> None:
    path = tmp_path / "run.ckpt"
    for factor in (2, 3, 3):
        with running(path, factor):
            shared.setConst(factor=factor)
            assert list(futures.map(times, range(10))) == [factor * x for x in range(10)]


def times(x: int) -> int:
    ran[x] += 1
    factor: int = shared.getConst("factor")
    return factor * x


def test_a_constant_that_comes_later_is_none_that_a_digest_covers(tmp_path: Path) -> None:
    """Tasks that wait for it are not kept, those before and after it are."""
    path = tmp_path / "run.ckpt"
    for factor in (2, 3):
        with running(path, factor):
            assert list(futures.map(square, range(5))) == [0, 1, 4, 9, 16]
            assert bool(ran) == (factor == 2)
            waiting = futures.map(times, range(5))
            shared.setConst(factor=factor)
            assert list(waiting) == [factor * x for x in range(5)]


def test_a_constant_that_cannot_be_compared_lets_nothing_be_kept(tmp_path: Path) -> None:
    path = tmp_path / "run.ckpt"
    for _ in range(2):
        with running(path, 1):
            shared.setConst(factor=Sent())
            assert list(futures.map(square, range(5))) == [0, 1, 4, 9, 16]
            assert sum(ran.values()) == 5


class Sent:
    """What has travelled once cannot be pickled any more."""

    def __init__(self, travelled: bool = False) -> None:
        self.travelled = travelled

    def __reduce__(self) -> Any:
        if self.travelled:
            raise TypeError("once is enough")
        return Sent, (True,)


def sets(x: int) -> int:
    ran[x] += 1
    shared.setConst(**{f"by_task_{x}": Scene.value + x})
    return x


def gets(x: int) -> Any:
    ran["gets"] += 1
    return shared.getConst(f"by_task_{x}", timeout=5)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_tasks_have_set_is_set_again_by_them(
    tmp_path: Path, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody knows who has read it: what came before is kept, nothing from there on."""
    path = tmp_path / "run.ckpt"
    for value in (100, 200):
        caplog.clear()
        Scene.value = value  # as a changed program would
        with running(path, seed + value):
            assert list(futures.map(square, range(9, 20))) == [x * x for x in range(9, 20)]
            assert (not ran) == (value == 200)
            assert list(futures.map(sets, range(3))) == [0, 1, 2]
            assert list(futures.map(gets, range(3))) == [value, value + 1, value + 2]
            assert (ran[0], ran["gets"]) == (1, 3)
        assert caplog.text.count("from here on nothing is kept") == 1


def dies_at_first(x: int) -> int:
    ran[x] += 1
    if x == 3 and len(Scene.ranks.workers) > 1:
        Scene.ranks.die()
    return x


def test_the_death_of_a_worker_is_no_outcome(tmp_path: Path) -> None:
    path = tmp_path / "run.ckpt"
    with running(path, 3, retries=0), pytest.raises(WorkerLost):
        list(futures.map(dies_at_first, range(5)))
    with running(path, 4):
        assert list(futures.map(dies_at_first, range(5))) == [0, 1, 2, 3, 4]
        assert ran[3]


def test_arguments_are_compared_as_they_were_when_they_were_sent(tmp_path: Path) -> None:
    path = tmp_path / "run.ckpt"
    with running(path, 0) as ranks:
        box = [1]
        value = futures.map(list, [box])
        for _ in range(200):
            ranks.turn()
        box[0] = 2
        assert list(value) == [[1]]
    with running(path, 0):
        assert list(futures.map(list, [[2]])) == [[2]]


def test_what_nobody_can_compare_is_not_saved(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "run.ckpt"
    caplog.set_level(logging.INFO)
    for seed in (1, 2):
        with running(path, seed):
            assert [type(x) for x in futures.map(gives, [Restless()] * 4)] == [Restless] * 4
            assert ran["restless"] == 4


class Restless:
    """Another pickle each time."""

    count = 0

    def __reduce__(self) -> Any:
        Restless.count += 1
        return type(self)._of, (Restless.count,)

    @classmethod
    def _of(cls, _: int) -> Any:
        return cls()


def gives(x: Any) -> Any:
    ran["restless"] += 1
    return x
