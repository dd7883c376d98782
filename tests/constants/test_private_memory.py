"""A task's own view of lent memory: what it writes nobody else sees, whatever it keeps."""

from __future__ import annotations

import gc
import os
import pickle
import random
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from scoopmpi.constants import lent, private_memory
from scoopmpi.wire.lent import PRIVATE

N = 1 << 17  # numbers, 1 MiB
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory without a name is Linux'")


@pytest.fixture
def there() -> Iterator[lent.Lent]:
    array = np.arange(N, dtype=float)
    made = lent.published([pickle.PickleBuffer(array), pickle.PickleBuffer(-array)])
    yield made
    made.close()


def opened(there: lent.Lent, place: int = 0) -> Any:
    return np.frombuffer(there.opened(place, PRIVATE))


@pytest.mark.parametrize("written", [[0], [N - 1], [5, 70_000], slice(None), slice(0, 9000), []])
def test_the_next_task_sees_nothing_of_what_was_written(there: lent.Lent, written: Any) -> None:
    for number in range(20):
        for place, sign in ((0, 1.0), (1, -1.0)):
            array = opened(there, place)
            assert array.sum() == sign * N * (N - 1) / 2
            array[written] = number
            del array


def test_what_tasks_keep_stays_theirs_and_takes_few_files(there: lent.Lent) -> None:
    before = len(os.listdir("/proc/self/fd"))
    kept = []
    for number in range(300):
        array = opened(there)
        array[number] = -1
        kept.append(array[number : number + 2])
    assert len(os.listdir("/proc/self/fd")) - before <= private_memory.MOST
    assert all(list(kept[number]) == [-1, number + 1] for number in range(300))
    del kept, array
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) - before <= private_memory.MOST_FREE


def test_what_a_finalizer_brings_back_to_life_goes_to_no_other_task(there: lent.Lent) -> None:
    saved = []

    class Node:
        def __init__(self, memory: Any) -> None:
            self.memory, self.me = memory, self

        def __del__(self) -> None:
            saved.append(self.memory)

    memory = there.opened(0, PRIVATE)
    np.frombuffer(memory).sum()
    np.frombuffer(memory)[0] = 777
    Node(memory)
    del memory
    gc.collect()
    other = opened(there)
    other[1] = 555
    assert list(np.frombuffer(saved[0])[:2]) == [777, 1]


def test_a_mapping_goes_to_the_next_task(there: lent.Lent) -> None:
    opened(there).sum()
    first = opened(there).ctypes.data
    gc.collect()
    assert opened(there).ctypes.data == first


@pytest.mark.parametrize("seed", range(20))
def test_tasks_that_read_write_and_keep_by_seed(there: lent.Lent, seed: int) -> None:
    chance, kept = random.Random(seed), list[Any]()
    for _ in range(60):
        place = chance.randrange(2)
        array = opened(there, place)
        assert array.sum() == (1.0, -1.0)[place] * N * (N - 1) / 2
        for _ in range(chance.choice((0, 0, 1, 3, 100))):
            array[chance.randrange(N)] = -1.0
        if chance.random() < 0.1:
            array[:] = -2.0
        if chance.random() < 0.2:
            kept.append((array, array.copy()))
        del array
        kept = kept[-3:]
        assert all((array == copy).all() for array, copy in kept)


def test_a_system_that_says_nothing_of_pages(
    there: lent.Lent, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> bytes:
        raise PermissionError("pagemap")

    monkeypatch.setattr(os, "pread", refuse)
    for number in range(10):
        array = opened(there)
        assert array.sum() == N * (N - 1) / 2
        array[number] = -1.0
        del array


def test_a_kernel_that_tells_nothing_is_not_believed(
    there: lent.Lent, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert private_memory._kernel_tells()
    nothing = np.zeros(0, int)
    monkeypatch.setattr(private_memory, "_written_pages", lambda *places: nothing)
    private_memory._kernel_tells.cache_clear()
    assert not private_memory._kernel_tells()
    for number in range(5):
        array = opened(there)
        assert array[7] == 7
        array[7] = number
        array.sum()
        del array
    monkeypatch.undo()
    private_memory._kernel_tells.cache_clear()
