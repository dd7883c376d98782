"""Functions that ask who their task is: their outcomes are found at the same place only."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import scoopmpi
from scoopmpi import futures, shared, task
from scoopmpi.checkpoint.digests import described
from scoopmpi.tasks import pedigree
from tests.checkpoint.test_record import SEEDS, ran, running, square

pytestmark = pytest.mark.timeout(60)


def draws(x: Any) -> float:
    ran["draws"] += 1
    return float(task.rng().random())


def reaches(x: Any) -> float:
    return draws(x)


def whole(x: Any) -> Any:
    return scoopmpi.task.index


def inside(x: Any) -> Any:
    from scoopmpi import task as mine

    return mine.index


def shares(x: Any) -> Any:
    return scoopmpi.futures, futures.map


def applied(f: Any, x: Any) -> Any:
    return f(x)


class Walker:
    def go(self) -> float:
        return draws(self)


def goes(walkers: list[Walker]) -> list[float]:
    return [walker.go() for walker in walkers]


def given(x: Any) -> Any:
    return shared.getConst("drawing")(x)


def constant() -> Any:
    shared.setConst(drawing=draws)
    return list(futures.map(given, "aaa"))


def imports(x: Any) -> Any:
    return importlib.import_module("scoopmpi.task").index


def evaluates(x: Any) -> Any:
    return eval("task.index")


PLACED = (
    imports,
    evaluates,
    draws,
    reaches,
    whole,
    inside,
    functools.partial(draws),
    lambda x: task.index,
)


def test_who_asks() -> None:
    assert [described(each)[1] for each in PLACED] == [True] * len(PLACED)
    assert [described(each)[1] for each in (square, shares, abs, lambda x: x)] == [False] * 4
    assert described(draws)[1]  # as it is known by now


def seeded(path: Path, seed: int, number: int) -> Any:
    pedigree.program.begin(number, "a test")
    return running(path, seed)


@pytest.fixture(autouse=True)
def _other_seeds() -> Iterator[None]:
    yield
    pedigree.program.begin(1, "a test")


@pytest.mark.parametrize("seed", SEEDS)
def test_random_numbers_are_those_of_the_place_and_the_seed(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "run.ckpt"

    def program(*lengths: int, calls: int = 5) -> list[list[float]]:
        maps = [list(futures.map(draws, "a" * length)) for length in lengths]
        return [*maps, [futures.submit(draws, "a").result() for _ in range(calls)]]

    def expected(number: int, *lengths: int, calls: int = 5) -> list[list[float]]:
        with seeded(tmp_path / f"{number}-{lengths}-{calls}.ckpt", seed, number):
            return program(*lengths, calls=calls)

    for number, lengths, calls, new in (
        (5, (10, 20), 5, 35), (5, (10, 20), 5, 0), (6, (10, 20), 5, 35), (5, (10, 25), 7, 7),
        (5, (3, 10, 20), 5, 33), (6, (10, 20), 5, 0),
    ):  # fmt: skip
        right = expected(number, *lengths, calls=calls)
        with seeded(path, seed, number):
            assert program(*lengths, calls=calls) == right
            assert ran["draws"] <= new


BY_ARGUMENTS = {
    "a function": lambda: list(futures.map(applied, [draws] * 4, "aaaa")),
    "of a generator": lambda: list(futures.map(applied, iter([draws] * 4), "abcd")),
    "objects": lambda: list(futures.map(goes, [[Walker()], [Walker(), Walker()], [Walker()]])),
    "a call": lambda: [futures.submit(applied, draws, 1).result() for _ in range(3)],
    "a keyword": lambda: [futures.submit(applied, f=draws, x=1).result() for _ in range(3)],
    "reductions": lambda: [futures.mapReduce(draws, max, "aaaa") for _ in range(2)],
    "scans": lambda: list(futures.mapScan(draws, max, "aaaa")),
    "a constant": constant,
}


@pytest.mark.parametrize("what", BY_ARGUMENTS)
def test_arguments_may_ask_as_well(tmp_path: Path, what: str) -> None:
    def result(path: Path, number: int, before: int) -> Any:
        with seeded(path, 1, number):
            list(futures.map(square, range(before)))
            [futures.submit(square, x).result() for x in range(before)]
            [list(futures.map(applied, [abs], [1])) for _ in range(before)]
            return BY_ARGUMENTS[what]()

    for turn, (number, before) in enumerate([(5, 0), (5, 0), (6, 0), (5, 2), (5, 0)]):
        right = result(tmp_path / f"{turn}.ckpt", number, before)
        found = result(tmp_path / "run.ckpt", number, before)
        assert found == right
        if turn in (1, 4):
            assert not ran["draws"]
