"""Large outcomes are read from a checkpoint in portions, as their consumer takes them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from scoopmpi import futures
from scoopmpi.checkpoint import map_record
from scoopmpi.checkpoint.file import CheckpointFile
from scoopmpi.checkpoint.rows import Saved
from scoopmpi.checkpoint.tables import Place
from scoopmpi.farm import ahead
from tests.checkpoint.test_record import SEEDS, ran, running

pytestmark = pytest.mark.timeout(60)
SIZE, TASKS = 1 << 12, 200


def large(x: int) -> bytes:
    ran[x] += 1
    return x.to_bytes(2, "big") * (SIZE // 2)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("known", [range(TASKS), range(150), range(0, TASKS, 2)])
def test_a_map_that_is_known_is_read_as_it_is_taken(
    tmp_path: Path, seed: int, known: Iterable[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Known as a whole, to its middle, or here and there, as other arguments were asked for."""
    monkeypatch.setattr(map_record, "PORTION", 8 * SIZE)
    monkeypatch.setattr(ahead, "AHEAD_BYTES", 8 * SIZE)
    monkeypatch.setattr(ahead, "BEHIND_BYTES", 16 * SIZE)
    monkeypatch.setattr(ahead, "LARGE", SIZE)
    path, read = tmp_path / "run.ckpt", 0
    with running(path, seed):
        list(futures.map(large, known))
    part = CheckpointFile.part

    def counted(file: CheckpointFile, place: Place) -> Saved | None:
        nonlocal read
        read += place.stop - place.start
        return part(file, place)

    monkeypatch.setattr(CheckpointFile, "part", counted)
    with running(path, seed):
        values = futures.map(large, range(TASKS))
        first = next(values)
        ahead_of_it = read
        assert [first, *values] == [large(x) for x in range(TASKS)]
        ran.subtract(range(TASKS))
        assert not any(ran[x] for x in known)
    assert ahead_of_it <= 100, "it was not read at once"
