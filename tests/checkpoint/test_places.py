"""Functions that ask who their task is: their outcomes are found at the same place only."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import scoopmpi
from scoopmpi import futures, task
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


PLACED = (draws, reaches, whole, inside, functools.partial(draws), lambda x: task.index)


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
