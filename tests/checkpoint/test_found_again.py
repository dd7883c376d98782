"""Outcomes are found by what they are: programs that change between runs, and change back."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy
import pytest

from scoopmpi import futures
from tests.checkpoint.test_record import SEEDS, ran, running, square

pytestmark = pytest.mark.timeout(60)
Program = Callable[[], Any]


def runs(path: Path, *programs: Program, seed: int = 1, **options: Any) -> list[int]:
    """Run programs one after the other with one file; return how many tasks each computed."""
    counts = []
    for number, program in enumerate(programs):
        with running(path, seed + number, **options):
            program()
            counts.append(sum(ran.values()))
    return counts


def model(x: Any, damp: float = 0.0) -> Any:
    ran["model"] += 1
    return [x, damp] if isinstance(x, str) else (x, damp)


def mapped(values: Iterable[Any], expected: Callable[[Any], Any] | None = None) -> Program:
    given = list(values)
    return lambda: check(given, list(futures.map(model, given)))


def check(given: list[Any], found: list[Any]) -> None:
    assert found == [[x, 0.0] if isinstance(x, str) else (x, 0.0) for x in given]


def damped(damp: float) -> Program:
    """A parameter in what the function closes over, in an argument, and in a call's keyword."""

    def program() -> None:
        def closed(x: int) -> float:
            return x * damp  # what travels by value counts where nobody sees it

        assert list(futures.map(closed, range(60))) == [x * damp for x in range(60)]
        assert list(futures.map(model, range(60), [damp] * 60)) == [(x, damp) for x in range(60)]
        calls = [futures.submit(model, x, damp=damp) for x in range(10)]
        assert [call.result() for call in calls] == [(x, damp) for x in range(10)]

    return program


@pytest.mark.parametrize("seed", SEEDS)
def test_a_parameter_that_comes_back(tmp_path: Path, seed: int) -> None:
    damps = (0.2, 0.4, 0.2, 0.4, 0.6, 0.2)
    counts = runs(tmp_path / "run.ckpt", *map(damped, damps), seed=seed)
    assert counts == [70, 70, 0, 0, 70, 0]


def test_what_a_run_tells_of_a_parameter(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lines = []
    for damp in (0.2, 0.4, 0.2, 0.2):
        caplog.clear()
        runs(tmp_path / "run.ckpt", only_closed(damp))
        lines.append([record.getMessage().partition(": ")[2] for record in caplog.records])
    name = "tests.checkpoint.test_found_again.only_closed.<locals>.closed"
    shown = f"(myscoop checkpoint show {tmp_path / 'run.ckpt'})"
    assert lines == [
        [],
        [
            f"map 1 ({name}): `{name}` or what it uses has changed; its 60 earlier results are "
            "kept, its tasks are computed again",
            f"0 of 60 results found; 60 computed again as `{name}` or what it uses has changed; "
            f"60 of earlier versions kept {shown}",
        ],
        [f"60 of 60 results found; 60 of other versions kept {shown}"],
        [],
    ]


def test_what_a_run_tells_of_other_arguments(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lines = []
    for given in (range(40), range(1, 41), range(100, 140), range(5)):
        caplog.clear()
        runs(tmp_path / "run.ckpt", mapped(given))
        lines.append([record.getMessage().partition(": ")[2] for record in caplog.records])
    kept = f"kept (myscoop checkpoint show {tmp_path / 'run.ckpt'})"
    name = "tests.checkpoint.test_found_again.model"
    assert lines == [
        [],
        [
            "39 of 40 results found; 1 computed with arguments that are new; 1 not used this "
            f"time {kept}"
        ],
        [
            f"map 1 ({name}): its arguments are others than before; its 41 earlier results are "
            "kept, its tasks are computed",
            "0 of 40 results found; 40 computed with arguments that are new; 41 not used this "
            f"time {kept}",
        ],
        [],
    ]


def only_closed(damp: float) -> Program:
    def closed(x: int) -> float:
        return x * damp

    return lambda: list(futures.map(closed, range(60)))


def loop(*values: int) -> Program:
    """A map for each value, and another function's between them."""

    def program() -> None:
        for value in values:
            given = [(value, x) for x in range(30)]
            check(given, list(futures.map(model, given)))
            assert list(futures.map(square, [value])) == [value * value]

    return program


@pytest.mark.parametrize("seed", SEEDS)
def test_values_in_a_loop_of_maps(tmp_path: Path, seed: int) -> None:
    programs = loop(1, 2, 3), loop(0, 1, 2, 3), loop(0, 1, 5, 2, 3), loop(3, 2), loop(0, 1, 5, 2, 3)
    assert runs(tmp_path / "run.ckpt", *programs, seed=seed) == [93, 31, 31, 0, 0]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("plain", [True, False])
def test_arguments_of_a_map_that_move(tmp_path: Path, seed: int, plain: bool) -> None:
    """Inserted and taken out in the front and the middle, reversed, shuffled; parts of any kind."""
    values: list[Any] = list(range(200)) if plain else [x if x % 3 else str(x) for x in range(200)]
    chance = random.Random(seed)
    shuffled = chance.sample(values, 200)
    programs = (
        mapped(values), mapped([-1, *values]), mapped([*values[:70], -2, -3, *values[70:]]),
        mapped(values[:50] + values[90:]), mapped(values[::-1]), mapped(shuffled),
        mapped([-4, *shuffled, -5]), mapped(values),
    )  # fmt: skip
    assert runs(tmp_path / "run.ckpt", *programs, seed=seed) == [200, 1, 2, 0, 0, 0, 2, 0]


@pytest.mark.parametrize("seed", SEEDS)
def test_maps_submits_generators_and_arrays_are_one(tmp_path: Path, seed: int) -> None:
    def submitted() -> None:
        calls = [futures.submit(model, x) for x in range(20, 60)]
        assert [call.result() for call in calls] == [(x, 0.0) for x in range(20, 60)]

    def streamed() -> None:
        assert sorted(futures.map_as_completed(model, (x for x in range(50)))) == [
            (x, 0.0) for x in range(50)
        ]

    def of_array() -> None:
        values = numpy.arange(40.0)
        assert list(futures.map(model, values)) == [(x, 0.0) for x in values]

    def of_list() -> None:
        values = list(numpy.arange(30.0))
        assert list(futures.map(model, values)) == [(x, 0.0) for x in values]

    programs = mapped(range(40)), submitted, streamed, submitted, of_array, of_list, mapped([5])
    assert runs(tmp_path / "run.ckpt", *programs, seed=seed) == [40, 20, 0, 0, 40, 0, 0]


def test_one_is_not_one_point_zero(tmp_path: Path) -> None:
    for given in ([1, 2], [1.0, 2.0], [True, 2], ["1", "2"], [(1,), (2,)], [numpy.int64(1), 2]):
        with running(tmp_path / "run.ckpt", 1):
            found = list(futures.map(itself, [0, *given]))
            assert repr(found) == repr([0, *given])


def itself(x: Any) -> Any:
    return x


numbers: Counter[str] = Counter()


def numbered(_: Any) -> int:
    ran["numbered"] += 1
    numbers["all"] += 1
    return numbers["all"]


@pytest.mark.parametrize("seed", SEEDS)
def test_tasks_that_are_alike_get_one_outcome_each(tmp_path: Path, seed: int) -> None:
    """Random ones: no value is ever given twice, whatever moves; and each run can be run again."""
    path, chance = tmp_path / "run.ckpt", random.Random(seed)
    for turn in range(8):
        maps = [[chance.choice("ab")] * chance.randrange(1, 30) for _ in range(4)]
        calls = chance.randrange(5)

        def program(maps: Any = maps, calls: int = calls) -> list[Any]:
            values = [list(futures.map(numbered, each)) for each in maps]
            return [*values, [futures.submit(numbered, "a").result() for _ in range(calls)]]

        before: list[Any] = []
        for again in range(2):
            with running(path, seed + turn + again):
                found = program()
                flat = [value for values in found for value in values]
                assert len(set(flat)) == len(flat)
                if again:
                    assert found == before and not ran
                before = found


@pytest.mark.parametrize("seed", SEEDS)
def test_alike_tasks_of_an_unchanged_program_keep_their_places(tmp_path: Path, seed: int) -> None:
    """Where one of them is missing it is computed, not taken from another place."""
    path, chance = tmp_path / "run.ckpt", random.Random(seed)

    def program() -> list[list[int]]:
        return [list(futures.map(numbered, "a" * 20)) for _ in range(3)]

    with running(path, seed):
        before = program()
    for _ in range(3):
        gone = lose_one(path, chance)
        with running(path, seed):
            after = program()
        differ = {
            (job, task)
            for job, (one, other) in enumerate(zip(before, after, strict=True), 1)
            for task in range(20)
            if one[task] != other[task]
        }
        assert differ == gone
        before = after


def lose_one(path: Path, chance: random.Random) -> set[tuple[int, int]]:
    """Take a part out of the file, but not all of a map; return its tasks."""
    from scoopmpi.checkpoint.file import CheckpointFile

    file = CheckpointFile(path)
    maps = [file.places(job=job) for job in (1, 2, 3)]
    place = chance.choice([place for parts in maps if len(parts) > 1 for place in parts])
    file.forget(place.part)
    file.close(ended=True)
    return {(place.job, task) for task in range(place.start, place.stop)}


@pytest.mark.parametrize("lost", [1, 2, 3])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_map_of_which_nothing_is_left_is_computed_once(
    tmp_path: Path, seed: int, lost: int
) -> None:
    """Nothing lies at its place: its tasks may get what others that are alike had, and those the
    new outcomes. Each outcome is used once, and the next run finds them as they were."""
    path = tmp_path / "run.ckpt"

    def program() -> list[int]:
        return [value for _ in range(3) for value in futures.map(numbered, "a" * 20)]

    with running(path, seed):
        before = program()
    forget_map(path, lost)
    with running(path, seed):
        after = program()
        assert ran["numbered"] == 20
    assert len(set(after)) == 60 and len(set(after) - set(before)) == 20
    assert after[: 20 * (lost - 1)] == before[: 20 * (lost - 1)]
    with running(path, seed):
        assert program() == after and not ran


@pytest.mark.parametrize("seed", SEEDS)
def test_a_map_of_which_nothing_is_left_is_looked_for_where_it_was_meanwhile(
    tmp_path: Path, seed: int
) -> None:
    path, first, second = tmp_path / "run.ckpt", mapped(range(30)), mapped(range(50, 80))

    def both() -> None:
        first()
        second()

    assert runs(path, both, seed=seed) == [60]
    forget_map(path, 2)  # as where a run ends between a map's beginning and its first outcome
    assert runs(path, second, both, seed=seed) == [30, 0]


def forget_map(path: Path, job: int) -> None:
    from scoopmpi.checkpoint.file import CheckpointFile

    file = CheckpointFile(path)
    for place in file.places(job=job):
        file.forget(place.part)
    file.close(ended=True)


def test_a_map_that_grew_at_both_ends(tmp_path: Path) -> None:
    programs = mapped(range(100, 200)), mapped(range(50, 250)), mapped(range(300))
    assert runs(tmp_path / "run.ckpt", *programs) == [100, 100, 100]


def test_two_maps_that_became_one_and_one_that_became_two(tmp_path: Path) -> None:
    def two() -> None:
        mapped(range(50))()
        mapped(range(50, 100))()

    assert runs(tmp_path / "1.ckpt", two, mapped(range(100)), two) == [100, 0, 0]
    assert runs(tmp_path / "2.ckpt", mapped(range(100)), two, mapped(range(100))) == [100, 0, 0]


@pytest.mark.parametrize("seed", SEEDS)
def test_any_program_after_any_other(tmp_path: Path, seed: int) -> None:
    """Values are right whatever changed, and no task is computed whose like was computed before."""
    chance = random.Random(seed)
    path, seen = tmp_path / "run.ckpt", Counter[Any]()
    for turn in range(6):
        jobs: list[tuple[str, list[Any]]] = []
        for _ in range(chance.randrange(1, 5)):
            values: list[Any] = [
                chance.choice([number, float(number), str(number), (number, "x"), None])
                for number in chance.sample(range(60), chance.randrange(1, 40))
            ]
            jobs.append((chance.choice(["list", "stream", "calls"]), values))
        wanted = Counter(repr(value) for _, values in jobs for value in values)
        with running(path, seed + turn):
            for kind, values in jobs:
                if kind == "calls":
                    calls = [futures.submit(model, value) for value in values]
                    found = [call.result() for call in calls]
                else:
                    found = list(futures.map(model, values if kind == "list" else iter(values)))
                assert repr(found) == repr(
                    [[x, 0.0] if isinstance(x, str) else (x, 0.0) for x in values]
                )
            assert sum(ran.values()) >= sum((wanted - seen).values())
            if turn:  # a place may be taken for what it was; all in all hardly any is lost
                assert sum(ran.values()) <= sum((wanted - seen).values()) + 10
        seen |= wanted
