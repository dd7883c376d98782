"""Mappings of one task after the other: each finds what was published, whoever wrote to it."""

from __future__ import annotations

import gc
import os
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from scoopmpi.constants import hostmemory
from scoopmpi.constants.private_memory import MOST_FREE, MOST_GIVEN, PrivateMemory
from tests.constants.test_hostmemory import missing

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"{missing()}")
COUNT = 100_000
ONE, OTHER = np.arange(float(COUNT)), np.arange(7.0)


class Given:
    """Two arrays in shared memory, and what tasks get of them."""

    def __init__(self) -> None:
        self.there = hostmemory.publish([ONE, OTHER])
        assert self.there.fd is not None
        self.copies = 0
        self.memory = PrivateMemory(self.there.fd, self.there.where, self.copied)

    def copied(self, place: int) -> Any:
        self.copies += 1
        return bytearray(self.there.views[place])

    def task(self, place: int = 0) -> Any:
        """The array that a task gets, unharmed."""
        found = np.frombuffer(self.memory.opened(place))
        assert (found == (ONE, OTHER)[place]).all()
        return found


@pytest.fixture
def given() -> Iterator[Given]:
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    made = Given()
    yield made
    del made.there, made.memory
    assert len(os.listdir("/proc/self/fd")) <= before


@pytest.mark.parametrize("seed", range(20))
def test_nobody_sees_what_another_has_written(given: Given, seed: int) -> None:
    chance, kept = random.Random(seed), []
    for _ in range(60):
        array = given.task(chance.randrange(2))
        for _ in range(chance.choice((0, 0, 1, 3, 100))):
            array[chance.randrange(len(array))] = -1.0
        if chance.random() < 0.1:
            array[:] = -2.0
        if chance.random() < 0.2:
            kept.append((array, array.copy()))
        del array
        kept = kept[-3:]
        assert all((array == copy).all() for array, copy in kept)
    kept.clear()


def test_who_only_reads_gets_the_mapping_of_the_one_before(given: Given) -> None:
    places = set()
    for _ in range(20):
        array = given.task()
        array[[5, 77_777]] = 0.0  # two pages, which are taken back
        places.add(array.__array_interface__["data"][0])
        del array
    assert len(places) == 1 and not given.copies


def test_who_writes_to_most_of_it_gets_copies(given: Given) -> None:
    for _ in range(10):
        given.task()[:] = 0.0
    assert given.copies >= 7
    given.copies = 0


def test_tasks_that_keep_what_they_get_leave_files_to_others(given: Given) -> None:
    before = len(os.listdir("/proc/self/fd"))
    kept = [given.task(1) for _ in range(3 * MOST_GIVEN)]
    assert len(os.listdir("/proc/self/fd")) <= before + MOST_GIVEN
    kept.clear()
    given.task(), given.task()
    assert len(os.listdir("/proc/self/fd")) <= before + MOST_FREE + 1


def test_it_stays_a_tasks_own_when_the_rest_is_closed() -> None:
    given = Given()
    array = given.task()
    array[3] = -1.0
    given.there.close()
    del given
    assert array[3] == -1.0 and array[4] == 4.0


def test_a_system_that_says_nothing_of_pages(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> bytes:
        raise PermissionError("pagemap")

    monkeypatch.setattr(os, "pread", refuse)
    for number in range(10):
        given.task()[number] = -1.0
