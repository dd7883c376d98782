"""What tasks have in common travels once and is each task's own: over the in-memory link."""

from __future__ import annotations

import gc
import itertools
import mmap
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from scoopmpi.constants import farm_lending, hostmemory, lending, sharing
from scoopmpi.wire.lent import LARGE_BYTES, LENT
from tests.support.memory_farm import FEW, current, farm

__all__ = ["farm"]
N = LENT // 8
pytestmark = pytest.mark.parametrize("farm", FEW, indirect=True)


def open_files() -> int:
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture(autouse=True)
def however_few_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "FEW", 0)


@pytest.fixture(autouse=True)
def nothing_stays(farm: Any) -> Iterator[None]:
    before = open_files()
    yield
    current.ranks.settle()
    ours = current.ranks.farm.sharing.lending
    assert len(ours) == 0 and not current.ranks.farm.sharing.retired
    for worker in current.ranks.workers:
        assert len(worker.inbox.sharing.lending) == 0
    assert open_files() <= before


def lent() -> int:
    """How many numbers have been given."""
    return next(current.ranks.farm.sharing.lending._numbers) - 1


def spoil(array: Any, number: int) -> float:
    """A task that writes into its argument."""
    found = float(array.sum()) + number
    array[:] = -1
    return found


def total(array: Any) -> float:
    return float(np.asarray(array).sum())


def test_the_same_array_travels_once_and_is_each_tasks_own(farm: Any) -> None:
    array = np.ones(N)
    found = list(farm.map(spoil, itertools.repeat(array), range(50)))
    assert found == [N + number for number in range(50)]
    assert array.sum() == N
    assert lent() == 1


def test_fresh_arrays_are_never_taken_for_each_other(farm: Any) -> None:
    """Their memory is the same one after the other, mostly: each dies when its task is sent."""
    arrays = (np.full(N, float(number)) for number in range(60))
    assert list(farm.map(total, arrays)) == [N * float(number) for number in range(60)]
    assert lent() == 0


def test_an_array_that_the_program_changes_is_sent_as_it_is_then(farm: Any) -> None:
    array, found = np.zeros(N), []
    for value in farm.map(total, itertools.repeat(array, 100)):
        found.append(value)
        array += 1
    assert found == sorted(found) and found[0] == 0 and found[-1] > N


def kinds(array: Any) -> list[Any]:
    fortran = np.asfortranarray(np.arange(2.0 * N).reshape(2, N))
    file = mmap.mmap(-1, 8 * N)
    return [array, array[1:], array[:N], array.view(np.int32), fortran, np.frombuffer(file)]


@pytest.mark.parametrize("place", range(6))
def test_many_kinds_of_arrays(farm: Any, place: int) -> None:
    array = kinds(np.arange(N + 8.0))[place]
    found = list(farm.map(spoil, [array] * 30, range(30)))
    assert found == [float(array.sum()) + number for number in range(30)]
    assert lent() == 1


def two(pair: Any, other: Any) -> tuple[float, float, float]:
    result = total(pair[0]), total(pair[1]["deep"]), total(other)
    pair[0][:] = other[:] = pair[1]["deep"][:] = 0
    return result


def test_arrays_within_tuples_and_several_of_them(farm: Any) -> None:
    one, deep, other = np.full(N, 1.0), np.full(N, 2.0), np.full(N, 3.0)
    found = farm.map(two, [(one, {"deep": deep})] * 40, itertools.repeat(other))
    assert set(found) == {(N, 2.0 * N, 3.0 * N)}
    assert lent() == 1


def test_an_array_that_nobody_can_change_stays_so(farm: Any) -> None:
    array = np.ones(N)
    array.setflags(write=False)
    assert not any(farm.map(writeable, [array] * 20))


def writeable(array: Any) -> bool:
    return bool(array.flags.writeable)


def test_a_map_that_is_given_up_leaves_nothing(farm: Any) -> None:
    array = np.ones(N)
    for _ in range(5):
        values = farm.map(total, itertools.repeat(array))
        assert [next(values) for _ in range(10)] == [N] * 10
        del values


def closure(array: Any) -> Any:
    numbers = list(range(200_000))

    def look(number: int) -> float:
        found = float(array[number]) + numbers[number]
        array[number] = -1.0
        return found

    return look


def test_what_a_function_closes_over_is_lent_where_several_workers_may_want_it(farm: Any) -> None:
    array = np.ones(4 * N)
    for _ in range(3):
        assert list(farm.map(closure(array), range(40))) == [number + 1.0 for number in range(40)]
    assert array.sum() == 4 * N
    assert lent() == (3 if len(current.ranks.workers) > 1 else 0)


def test_many_small_arrays_of_a_function_are_not_lent(farm: Any) -> None:
    arrays = [np.full(N // 2, float(number)) for number in range(20)]
    assert list(farm.map(lambda number: arrays[number].mean(), range(20))) == list(range(20))
    assert lent() == 0


def test_few_workers_of_one_host_get_it_in_a_message(
    farm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "FEW", 3)
    array = np.ones(4 * N)
    assert list(farm.map(closure(array), range(40))) == [number + 1.0 for number in range(40)]
    assert lent() == 0


def test_a_very_large_one_is_lent_to_few_workers_too(
    farm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "FEW", 3)
    monkeypatch.setattr(sharing, "COPIED", 8 * N)
    assert list(farm.map(closure(np.ones(4 * N)), range(9))) == [n + 1.0 for n in range(9)]
    assert lent() == (len(current.ranks.workers) > 1)


def test_a_large_function_without_arguments_to_read_leaves_nothing(farm: Any) -> None:
    for _ in range(3):
        with pytest.raises(TypeError):
            farm.map(closure(np.ones(4 * N)), 5)
        assert list(farm.map(closure(np.ones(4 * N)), [])) == []


def tail(data: Any, number: int) -> tuple[str, int, int]:
    if type(data) is tuple:
        data = data[1]
    return type(data).__name__, len(data), number


@pytest.mark.parametrize("wrapped", [False, True])
def test_large_bytes_travel_once_and_stay_bytes(farm: Any, wrapped: bool) -> None:
    data = bytes(LARGE_BYTES + 3)
    given = (1, data) if wrapped else data
    found = list(farm.map(tail, [given] * 40, range(40)))
    assert found == [("bytes", LARGE_BYTES + 3, number) for number in range(40)]
    assert lent() == 1


def test_large_bytes_beside_arrays(farm: Any) -> None:
    data, array = bytes(LARGE_BYTES + 3), np.ones(N)
    found = list(farm.map(tail_and_total, [data] * 40, [array] * 40))
    assert found == [(LARGE_BYTES + 3, N)] * 40
    assert lent() <= 2


def tail_and_total(data: bytes, array: Any) -> tuple[int, float]:
    assert type(data) is bytes
    return len(data), total(array)


def test_large_bytes_that_differ(farm: Any) -> None:
    values = (bytes([number]) * LARGE_BYTES for number in range(20))
    assert list(farm.map(first_and_length, values)) == [(n, LARGE_BYTES) for n in range(20)]


def first_and_length(data: bytes) -> tuple[int, int]:
    return data[0], len(data)


def refuse(*_: Any) -> Any:
    raise hostmemory.NotShared("shared memory does not work here: no memfd_create")


def test_without_shared_memory_all_works_and_is_told_once(
    farm: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(hostmemory, "publish", refuse)
    for _ in range(3):
        assert list(farm.map(spoil, [np.ones(N)] * 30, range(30))) == [N + n for n in range(30)]
        assert list(farm.map(closure(np.ones(4 * N)), range(9))) == [n + 1.0 for n in range(9)]
    assert lent() == 0
    assert [each.getMessage() for each in caplog.records] == [
        "large arguments that tasks have in common are sent with each task, which is slower: "
        "shared memory does not work here: no memfd_create. Give the job more memory, or have "
        "tasks read the data from a file"
    ]


def test_what_would_take_most_of_the_memory_goes_with_each_task(
    farm: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(farm_lending, "spare", lambda: 3 * 8 * N)
    monkeypatch.setattr(farm_lending, "LITTLE", 0)
    assert list(farm.map(total, [np.ones(2 * N)] * 30)) == [2 * N] * 30
    assert "0 MiB are more than half of the 0 MiB left" in caplog.text
    assert list(farm.map(total, [np.ones(N)] * 30)) == [N] * 30
    assert lent() == 1


def test_workers_that_cannot_open_it_get_copies(farm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hostmemory, "opened", refuse)
    assert list(farm.map(spoil, [np.ones(N)] * 30, range(30))) == [N + n for n in range(30)]
    assert lent() <= 1


def test_one_array_after_the_other_leaves_room_for_the_next(
    farm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(farm_lending, "MOST", 3)
    arrays = [np.full(N, float(number)) for number in range(12)]
    given = [array for array in arrays for _ in range(60)]
    assert list(farm.map(total, given)) == [float(array.sum()) for array in given]
    assert lent() > 3


def test_workers_on_other_hosts_get_it_once_a_host(
    farm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranks = current.ranks
    joined, whole = ranks.farm.sharing.joined, Counter[str]()
    hosts = {worker.rank: f"h{worker.rank // 2}" for worker in ranks.workers}
    for worker in ranks.workers:
        worker.inbox.sharing.domain = hosts[worker.rank]
    monkeypatch.setattr(ranks.farm.sharing, "joined", lambda rank, _: joined(rank, hosts[rank]))
    kept = lending.kept

    def counted(buffers: Any) -> Any:
        assert ranks.acting is not None
        whole[hosts[ranks.acting.rank]] += type(buffers) is tuple
        return kept(buffers)

    monkeypatch.setattr(lending, "kept", counted)
    for _ in range(3):
        whole.clear()
        assert list(farm.map(spoil, [np.ones(N)] * 40, range(40))) == [N + n for n in range(40)]
        ranks.settle()
        assert set(whole.values()) <= {1}
    assert list(farm.map(closure(np.ones(4 * N)), range(20))) == [n + 1.0 for n in range(20)]
