"""Calls whose values came together are one part: what may be in one, and what is found in it."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pytest

from scoopmpi import futures, shared
from scoopmpi.checkpoint import call_record, code_digest, digests
from tests.checkpoint.test_failures_again import World, fragile
from tests.checkpoint.test_found_again import numbered
from tests.checkpoint.test_record import SEEDS, ran, running, square

pytestmark = pytest.mark.timeout(60)


def submitted(function: Callable[[Any], Any], values: Iterable[Any]) -> list[Any]:
    calls = [futures.submit(function, x) for x in values]
    return [call.result() for call in calls]


def largest(path: Path) -> int:
    """How many calls the largest part has."""
    with sqlite3.connect(path) as file:
        (found,) = file.execute("SELECT max(stop - start) FROM parts WHERE job=0").fetchone()
    return int(found)


def scaled(x: int) -> int:
    """Numbers below 100 need no constant."""
    ran[x] += 1
    return x if x < 100 else x * int(shared.getConst("factor", timeout=5))


@pytest.mark.parametrize("seed", SEEDS)
def test_calls_behind_a_constant_are_another_function(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "run.ckpt"
    for factor in (2, 3, 2):
        with running(path, seed):
            assert submitted(scaled, range(20)) == [*range(20)]
            shared.setConst(factor=factor)
            assert submitted(scaled, range(100, 120)) == [factor * x for x in range(100, 120)]
            assert sum(ran.values()) in ((20, 40) if factor == 3 else (0, 40))
    assert largest(path) > 1 or seed % 2


@pytest.mark.parametrize("seed", SEEDS)
def test_calls_that_wait_for_a_constant_are_not_kept(tmp_path: Path, seed: int) -> None:
    for factor in (2, 3):
        with running(tmp_path / "run.ckpt", seed):
            calls = [futures.submit(scaled, x) for x in range(100, 140)]
            shared.setConst(factor=factor)
            assert [call.result() for call in calls] == [factor * x for x in range(100, 140)]


@pytest.mark.parametrize("seed", SEEDS)
def test_calls_behind_a_constant_that_failed_are_kept(tmp_path: Path, seed: int) -> None:
    """Those before it may have been given what was set meanwhile, for all that the file knows."""
    path = tmp_path / "run.ckpt"
    for again in (False, True):
        with running(path, seed):
            shared.setConst(factor=2)
            calls = [futures.submit(scaled, x) for x in range(100, 120)]
            with pytest.raises(TypeError):
                shared.setConst(factor=3)
            calls += [futures.submit(scaled, x) for x in range(120, 140)]
            assert [call.result() for call in calls] == [2 * x for x in range(100, 140)]
            assert not again or ran == dict.fromkeys(range(100, 120), 1)


def negative(x: int) -> int:
    ran["negative"] += 1
    return -x


@pytest.mark.parametrize("seed", SEEDS)
def test_calls_of_two_functions_in_turn(tmp_path: Path, seed: int) -> None:
    for run in range(2):
        with running(tmp_path / "run.ckpt", seed + run):
            calls = [futures.submit(each, x) for x in range(60) for each in (square, negative)]
            found = [call.result() for call in calls]
            assert found == [value for x in range(60) for value in (x * x, -x)]
            assert sum(ran.values()) == (0 if run else 120)


@pytest.mark.parametrize("seed", SEEDS)
def test_calls_between_which_others_were_found(tmp_path: Path, seed: int) -> None:
    path, numbers = tmp_path / "run.ckpt", range(40)
    with running(path, seed):
        list(futures.map(square, range(15, 25)))
    for computed in (30, 0):
        with running(path, seed):
            assert submitted(square, numbers) == [x * x for x in numbers]
            assert sum(ran.values()) == computed


def power(x: int, exponent: int = 2) -> int:
    ran["power"] += 1
    return int(x**exponent)


@pytest.mark.parametrize("seed", SEEDS)
def test_calls_with_more_arguments_and_with_fewer(tmp_path: Path, seed: int) -> None:
    for computed in (80, 0):
        with running(tmp_path / "run.ckpt", seed):
            calls = [futures.submit(power, *args) for x in range(40) for args in ((x,), (x, 3))]
            found = [call.result() for call in calls]
            assert found == [value for x in range(40) for value in (x**2, x**3)]
            assert ran["power"] == computed


def test_no_more_calls_are_together_than_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.ckpt"
    monkeypatch.setattr(call_record, "MOST", 8)
    for computed in (100, 0):
        with running(path, 0):
            assert submitted(square, range(100)) == [x * x for x in range(100)]
            assert sum(ran.values()) == computed
    assert largest(path) == 8


def changing(x: int) -> int:
    return x


def test_a_function_that_got_other_code_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes: list[Callable[[int], int]] = [lambda x: x + 1, lambda x: x + 2]
    for number, other in enumerate(codes, 1):
        with running(tmp_path / "run.ckpt", 0), monkeypatch.context() as changed:
            assert submitted(changing, range(20)) == [*range(20)]
            changed.setattr(changing, "__code__", other.__code__)
            assert submitted(changing, range(20, 40)) == [x + number for x in range(20, 40)]


def attempts(path: Path, seed: int, broken: Iterable[int], *values: int) -> dict[int, int]:
    """Submit calls of which some fail; return how often each was computed."""
    World.broken = frozenset(broken)
    with running(path, seed):
        calls = [futures.submit(fragile, x) for x in values]
        for x, call in zip(values, calls, strict=True):
            assert call.result() == x if x not in World.broken else call.exception() is not None
        return dict(ran)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("broken", [range(40), range(20), range(20, 40), [0], [20], [39]], ids=str)
def test_calls_that_had_failed_take_their_failures_places(
    tmp_path: Path, seed: int, broken: Iterable[int], caplog: pytest.LogCaptureFixture
) -> None:
    """In a row, and beside new ones: each failure is told, and is none from then on."""
    path, failing = tmp_path / "run.ckpt", list(broken)
    with running(path, seed):  # so that those that fail have the places that they have later
        World.broken = frozenset(failing)
        for x in range(40):
            futures.submit(fragile if x in World.broken else negative, x).exception()
    caplog.clear()
    assert attempts(path, seed, (), *range(40)) == dict.fromkeys(range(40), 1)
    assert f"; {len(failing)} that had failed tried again" in caplog.text
    assert attempts(path, seed, (), *range(40)) == {}
    with running(path, seed, keep_failures=True):
        assert submitted(fragile, range(40)) == [*range(40)]
        assert not ran


@pytest.mark.parametrize("seed", SEEDS)
def test_new_calls_are_told_beside_others(
    tmp_path: Path, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "run.ckpt"
    with running(path, seed):
        submitted(square, range(40))
    assert not caplog.text
    with running(path, seed):
        submitted(square, [-5 if x == 5 else x for x in range(60)])
    told = "39 of 60 results found; 1 computed with arguments that are new; 20 computed for the"
    assert told in caplog.text


@pytest.mark.parametrize("seed", SEEDS)
def test_calls_that_are_alike_keep_what_they_had_last(tmp_path: Path, seed: int) -> None:
    """Though what lies at their place would fit as well, and another that had it is no more."""
    path = tmp_path / "run.ckpt"
    with running(path, seed):
        first = submitted(numbered, "b" + "a" * 30)
    with running(path, seed):
        second = submitted(numbered, "a" * 31)
        assert ran["numbered"] == 1 and {*second[:30]} == {*first[1:]}
    with running(path, seed):
        third = submitted(numbered, "b" + "a" * 30)
        assert not ran
    assert third == [first[0], *second[1:]]
    with running(path, seed):
        assert submitted(numbered, "b" + "a" * 30) == third and not ran


@pytest.mark.parametrize("seed", SEEDS)
def test_what_calls_had_of_a_map_is_forgotten_when_they_are_computed(
    tmp_path: Path, seed: int
) -> None:
    path, given = tmp_path / "run.ckpt", "a" * 30
    with running(path, seed):
        mapped = list(futures.map(numbered, given))
    with running(path, seed):
        assert sorted(submitted(numbered, given)) == sorted(mapped) and not ran
    with running(path, seed):
        assert sorted(futures.map(numbered, given)) == sorted(mapped) and not ran
        computed = submitted(numbered, given)
        assert ran["numbered"] == 30
    with running(path, seed):
        assert submitted(numbered, given) == computed and not ran


factor = 1


def times(x: int) -> int:
    return factor * x


@pytest.mark.parametrize("named_first", [True, False])
def test_a_function_that_loses_or_gets_its_name_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named_first: bool
) -> None:
    """By its name it is what workers have; else it travels, with its globals as they are then."""
    here, function = sys.modules[__name__], times
    for second in (2, 3):
        for module, name in ((code_digest, "_seen"), (digests, "_known")):
            monkeypatch.setattr(module, name, WeakKeyDictionary())  # as in another process
        with running(tmp_path / "run.ckpt", 0), monkeypatch.context() as changed:
            for named, number, start in ((named_first, 1, 0), (not named_first, second, 20)):
                changed.setattr(here, "factor", number)
                changed.setattr(here, "times", function if named else None)
                values = range(start, start + 20)
                assert submitted(function, values) == [number * x for x in values]


@pytest.mark.parametrize("column", ["data", "head", "checksum"])
def test_a_damaged_part_of_several_calls_is_told_once(
    tmp_path: Path, column: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "run.ckpt"
    with running(path, 0):
        submitted(square, range(200))
    with sqlite3.connect(path) as file:
        row, size, found = file.execute(
            f"SELECT part, stop - start, {column} FROM parts WHERE job=0 ORDER BY stop - start DESC"
        ).fetchone()
        other = bytes([*found[:-1], found[-1] ^ 255]) if found else b"x"
        file.execute(f"UPDATE parts SET {column}=? WHERE part=?", (other, row))
    caplog.clear()
    with running(path, 0):
        assert submitted(square, range(200)) == [x * x for x in range(200)]
        assert sum(ran.values()) == size > 1
    assert caplog.text.count("is damaged and not used") == 1
    with running(path, 0):
        assert submitted(square, range(200)) == [x * x for x in range(200)]
        assert not ran
    assert caplog.text.count("is damaged and not used") == 1
