"""Which buffers are taken for the same: programs that make, change, drop and view arrays, by seed.

Whatever a program does, what a frame refers to has the content that its array has at that moment.
Arrays are small here, so that memory is taken over by the next one at once.
"""

from __future__ import annotations

import array as arrays
import gc
import mmap
import pickle
import random
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from scoopmpi.constants import hostmemory
from scoopmpi.farm import recurring
from scoopmpi.farm.recurring import Recurring
from scoopmpi.wire import lent, payload

SIZE = 64


class Lending:
    """Lends copies in this process."""

    def __init__(self) -> None:
        self.out: dict[int, list[bytes]] = {}
        self.borrowed: list[int] = []
        self.most = 10

    def has_room(self, size: int) -> bool:
        return len(self.out) < self.most

    def lend(self, buffers: Any) -> tuple[int, Any]:
        number = max(self.out, default=0) + 1
        self.out[number] = [bytes(each.raw()) for each in buffers]
        self.buffers = self.out[number]
        return number, self

    def borrow(self, numbers: Any) -> None:
        assert all(number in self.out for number in numbers)

    def retire(self, numbers: Any) -> None:
        for number in numbers:
            self.out[number] = []


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lent, "LENT", 8 * SIZE)


def sent(recurring: Recurring, *values: Any) -> list[Any]:
    """What tasks get of values that are packed in one batch, and whether it was lent."""
    frames = tuple(map(payload.pack, values))
    found, _ = recurring.lent(frames, lent.large_parts(frames), len(frames))
    lending: Any = recurring._lending

    def opened(part: lent.Part) -> bytearray:
        return bytearray(lending.out[part[0]][part[1]])

    return [payload.unpack(lent.on_loan(frame, opened)) for frame in found]


def refers(recurring: Recurring, value: Any) -> bool:
    frames = (payload.pack(value),)
    found, numbers = recurring.lent(frames, lent.large_parts(frames), len(frames))
    assert bool(numbers) == (found[0][0] is None)
    return bool(numbers)


def owned(chance: random.Random) -> Any:
    return np.full(SIZE, chance.random())


def over_bytearray(chance: random.Random) -> Any:
    return np.frombuffer(bytearray(owned(chance).tobytes()))


def over_bytes(chance: random.Random) -> Any:
    return np.frombuffer(owned(chance).tobytes())


def over_file(chance: random.Random) -> Any:
    found = np.frombuffer(mmap.mmap(-1, 8 * SIZE))
    found[:] = chance.random()
    return found


def fortran(chance: random.Random) -> Any:
    return np.asfortranarray(np.full((4, SIZE), chance.random()))


def part(chance: random.Random) -> Any:
    return np.full(3 * SIZE, chance.random())[SIZE : 2 * SIZE + chance.randrange(9)]


MAKERS: list[Callable[[random.Random], Any]] = [
    owned, owned, over_bytearray, over_bytes, over_file, fortran, part,
]  # fmt: skip


def changed(chance: random.Random, values: list[Any]) -> None:
    """Change one of them in place, or replace it, or have another view of it beside it."""
    place = chance.randrange(len(values))
    value = values[place]
    what = chance.randrange(5)
    if what == 0 and value.flags.writeable:
        value.flat[chance.randrange(value.size)] += 1
    elif what == 1:
        values[place] = value.copy()
    elif what == 2:
        del value
        values[place] = MAKERS[chance.randrange(len(MAKERS))](chance)
    elif what == 3:
        values.append(value.view(np.int64) if value.ndim == 1 else value.T)
    elif value.flags.owndata and value.ndim == 1:
        values[place] = None  # numpy counts who refers to it
        with suppress(ValueError):  # there is a view of it
            value.resize(SIZE + chance.randrange(9))
        values[place] = value


@pytest.mark.parametrize("seed", range(150))
def test_what_a_task_gets_is_what_its_argument_is_then(seed: int) -> None:
    chance = random.Random(seed)
    found = Recurring(Lending())  # type: ignore[arg-type]
    values = [maker(chance) for maker in MAKERS]
    for _ in range(60):
        given = [chance.choice(values) for _ in range(chance.randrange(1, 5))]
        for value, got in zip(given, sent(found, *given), strict=True):
            assert got.dtype == value.dtype and (got == value).all()
        del value, given
        changed(chance, values)
        values = values[-12:]


@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.__name__)
def test_memory_of_a_dead_owner_is_nobodys(
    maker: Callable[[random.Random], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By owner alone: as if every comparison found what was there before."""
    monkeypatch.setattr(hostmemory, "same", lambda *_: True)
    found, chance = Recurring(Lending()), random.Random(1)  # type: ignore[arg-type]
    addresses = set()
    for _ in range(50):
        value = maker(chance)
        addresses.add(value.__array_interface__["data"][0])
        assert (sent(found, value)[0] == value).all()
        del value
    assert len(addresses) < 50, "some memory has had several owners"


@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.__name__)
@pytest.mark.parametrize("between", [0, 1])
def test_the_same_buffer_is_lent_from_its_second_sight_on(
    maker: Callable[[random.Random], Any], between: int
) -> None:
    found, chance = Recurring(Lending()), random.Random(1)  # type: ignore[arg-type]
    value = maker(chance)
    seen = []
    for _ in range(6):
        seen.append(refers(found, value))
        for _ in range(between):
            sent(found, owned(chance))
    alone = recurring._owner(pickle.PickleBuffer(value))[1]
    if between and not alone:  # who owns it is kept for one batch only
        assert not any(seen)
    else:
        assert seen == [False, True, True, True, True, True]


@pytest.mark.parametrize("lent_before", [False, True])
def test_files_that_are_closed_one_after_the_other(
    lent_before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is mapped where the one before was, mostly; as if no comparison found a difference."""
    monkeypatch.setattr(hostmemory, "same", lambda *_: True)
    found, places = Recurring(Lending()), set()  # type: ignore[arg-type]
    for number in range(20):
        file = mmap.mmap(-1, 1 << 20)
        array = np.frombuffer(file)
        array[:] = number
        places.add(array.__array_interface__["data"][0])
        for _ in range(1 + lent_before):
            assert (sent(found, array)[0] == number).all()
        del array
        gc.collect()
        file.close()
    assert len(places) < 20


def test_several_in_one_batch_are_lent_at_once() -> None:
    found = Recurring(Lending())  # type: ignore[arg-type]
    value = owned(random.Random(1))
    frames = tuple(payload.pack((value, number)) for number in range(4))
    sent, _ = found.lent(frames, lent.large_parts(frames), len(frames))
    assert {frame[0] for frame in sent} == {None}


def test_the_first_task_refers_to_what_the_next_has_too() -> None:
    found, chance = Recurring(Lending()), random.Random(1)  # type: ignore[arg-type]
    value, own, other = (owned(chance) for _ in range(3))
    frames = payload.pack((value, own)), payload.pack((value, other))
    both, numbers = found.lent(frames, lent.large_parts(frames), 1)
    assert len(both) == 2 and numbers == (1,)
    assert [type(part) is tuple for part in both[0][1:]] == [False, True, False]
    assert not refers(found, other), "it was only looked at"


def test_no_array_is_kept_alive() -> None:
    found = Recurring(Lending())  # type: ignore[arg-type]
    value = owned(random.Random(1))
    kept = weakref.ref(value)
    sent(found, value), sent(found, value)
    del value
    assert kept() is None


def test_what_changes_again_and_again_goes_with_its_tasks_for_good() -> None:
    lending = Lending()
    found, value = Recurring(lending), owned(random.Random(1))  # type: ignore[arg-type]
    for number in range(40):
        value[0] = number
        assert sent(found, value)[0][0] == number
    assert len(lending.out) <= recurring.MOST_CHANGES


def test_samples_of_a_large_buffer_are_compared() -> None:
    one = np.zeros(1 << 20, np.uint8)
    other = one.copy()
    places = [hostmemory.address(each) for each in (one, other)]
    assert hostmemory.same(*places, one.size, 1 << 14)
    other[-1] = 1
    assert not hostmemory.same(*places, one.size, 1 << 14)
    other[-1], other[::100_000] = 0, 1
    assert not hostmemory.same(*places, one.size, 1 << 14)


@pytest.mark.parametrize("buffer", [b"abcd", bytearray(9), arrays.array("d", [1.0])])
def test_addresses_of_whatever_has_a_buffer(buffer: Any) -> None:
    raw = memoryview(buffer).cast("B")
    assert hostmemory.address(raw[2:]) == hostmemory.address(raw) + 2
    with pytest.raises(BufferError):
        hostmemory.address(raw[::2])
