"""What waits on disk comes back as it was, and gives the disk back a file at a time."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest

from scoopmpi.sweep.outputs.spool import Output, Spool

DESCRIPTORS = "/proc/self/fd"


@pytest.fixture
def spool() -> Iterator[Spool]:
    spool = Spool(segment=1000)
    yield spool
    spool.close()


def sizes(before: set[str]) -> list[int]:
    """Of the files that were opened since."""
    return [os.stat(f"{DESCRIPTORS}/{fd}").st_blocks * 512 for fd in opened() - before]


def opened() -> set[str]:
    return {name for name in os.listdir(DESCRIPTORS) if os.path.exists(f"{DESCRIPTORS}/{name}")}


def test_outputs_come_back_once(spool: Spool) -> None:
    chance = random.Random(5)
    outputs = {
        place: Output(chance.randbytes(chance.randrange(900)), chance.randbytes(place % 7))
        for place in chance.sample(range(10**6), 300)
    }
    for place, output in outputs.items():
        spool.add(place, output)
    assert spool.waiting == 300 and spool.take(10**6) is None and spool.take(10**9) is None
    for place in sorted(outputs):
        assert spool.take(place) == outputs[place]
    assert spool.waiting == 0
    spool.add(3, Output(b"again", b""))
    assert spool.take(3) == Output(b"again", b"")


def test_files_are_few_and_go(spool: Spool) -> None:
    """A sweep in which something waits at all times: as much disk as that takes, and no more."""
    before, most, space = opened(), 0, 0
    for place in range(20_000):
        spool.add(place, Output(b"x" * 100, b""))
        if place >= 2000:
            assert spool.take(place - 2000) is not None
        if place % 1000 == 999:
            found = sizes(before)
            most, space = max(most, len(found)), max(space, sum(found))
    assert most < 90
    assert space < 1.2 * 2000 * 116 + 20_000 * 16 + most * 4096


def test_behind_one_slow_item_files_stay_few(spool: Spool) -> None:
    before = opened()
    for place in range(1, 30_000):
        spool.add(place, Output(b"x" * 100, b""))
    assert len(opened() - before) < 130
