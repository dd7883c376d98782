"""Maps that nobody reads and ranges of any length, with a checkpoint: what is known is not run."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scoopmpi import futures
from tests.checkpoint.test_record import SEEDS, ran, running, square

pytestmark = pytest.mark.timeout(60)
COUNT = 120


def generator(start: int) -> Iterator[int]:
    yield from range(start, start + COUNT)


def leaves(maps: int) -> list[Any]:
    """Some dropped, the last one kept."""
    made = [generator(0), range(1000, 1000 + COUNT), generator(2000)][:maps]
    return [futures.map(square, each) for each in made][-1:]


@pytest.mark.parametrize("seed", SEEDS)
def test_what_nobody_reads_is_kept_and_not_run_again(tmp_path: Path, seed: int) -> None:
    expected: set[int] = set()
    for turn, maps in enumerate((1, 2, 3, 3)):
        with running(tmp_path / "run.ckpt", seed + turn) as ranks:
            kept = leaves(maps)
            ranks.executor.finish()
            new = {*range(1000 * (maps - 1), 1000 * (maps - 1) + COUNT)} - expected
            assert ran == dict.fromkeys(new, 1)
            expected |= new
            del kept


@pytest.mark.parametrize("seed", SEEDS)
def test_ranges_of_any_length(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "run.ckpt"
    for known in (False, True):
        with running(path, seed):
            values = futures.map(square, range(2**70, 0, -1))
            expected = [x * x for x in range(2**70, 2**70 - 20, -1)]
            assert list(itertools.islice(values, 20)) == expected
            assert known <= (2**70 not in ran)
            del values
