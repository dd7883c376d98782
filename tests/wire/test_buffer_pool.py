"""Memory that comes back: never while anything can reach it, never more than is allowed."""

from __future__ import annotations

import ctypes
import gc
import mmap
import os
import pickle
import random
import threading
import time
from types import SimpleNamespace
from typing import Any

import numpy
import pytest

from scoopmpi.concurrency.periods import FREE_MEMORY_SECONDS
from scoopmpi.wire import buffer_pool
from scoopmpi.wire.buffer_pool import BufferPool

KIB, MIB = 1 << 10, 1 << 20


def place(buffer: Any) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(buffer))


class Clock:
    """A pool's time, which tests move."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.worked = 1000.0, 0.0
        self.takes = 0.0
        monkeypatch.setattr(buffer_pool, "time", self)

    def monotonic(self) -> float:
        return self.now

    def thread_time(self) -> float:
        self.worked += self.takes
        return self.worked

    def rests(self, pool: BufferPool, times: int) -> None:
        """Have a pool look, each time when it wants to."""
        for _ in range(times):
            self.now += pool.rest()
            pool.rest()


def test_a_buffer_is_writable_bytes_of_the_size_that_was_asked_for() -> None:
    pool = BufferPool(MIB)
    for size in (256 * KIB, 256 * KIB + 1, 3 * MIB - 1, 17 * MIB + 5):
        buffer = pool.take(size)
        assert (buffer.nbytes, buffer.format, buffer.readonly) == (size, "B", False)
        buffer[0], buffer[-1] = 7, 8
        assert (buffer[0], buffer[-1]) == (7, 8)


def test_memory_comes_back_when_the_last_view_is_gone() -> None:
    pool = BufferPool(64 * MIB)
    buffer = pool.take(MIB)
    here, array = place(buffer), numpy.frombuffer(buffer, "u1")
    inner = array[5:500].reshape(-1, 5)[3:]
    before = pool.free
    del buffer, array
    assert pool.free == before
    del inner
    assert pool.free == before + MIB
    assert place(pool.take(MIB)) == here, "what was used last comes first: it is in the cache"


def _held(chance: random.Random, buffer: memoryview) -> Any:
    """The same memory as somebody might hold it."""
    array = numpy.frombuffer(buffer, "u1")
    cycle: list[Any] = [array[1:]]
    cycle.append(cycle)
    message = pickle.dumps(array, 5, buffer_callback=lambda _: False)
    return chance.choice(
        [
            buffer,
            buffer[chance.randrange(100) :],
            memoryview(buffer).cast("B"),
            array,
            array[10:].view("u1")[::2],
            pickle.loads(message, buffers=[buffer]),
            pickle.PickleBuffer(array),
            cycle,
            SimpleNamespace(field={"a": array}),
        ]
    )


@pytest.mark.parametrize("seed", range(8))
def test_no_memory_is_given_out_twice_at_a_time(seed: int) -> None:
    """Whoever holds a buffer, in whatever way, finds in it what was received there."""
    chance = random.Random(seed)
    pool = BufferPool(chance.choice([0, MIB, 8 * MIB]))
    sizes = [chance.randrange(256 * KIB, 2 * MIB) for _ in range(4)]
    kept: list[tuple[int, int, int, Any]] = []
    for number in range(150):
        size = chance.choice(sizes)
        buffer = pool.take(size)
        start = place(buffer)
        assert all(start + size <= a or b <= start for a, b, *_ in kept)
        mark = number % 251
        ctypes.memset(start, mark, size)
        kept.append((start, start + size, mark, _held(chance, buffer)))
        del buffer
        while kept and chance.random() < 0.5:
            first, last, mark, held = kept.pop(chance.randrange(len(kept)))
            assert ctypes.string_at(first, last - first) == bytes([mark]) * (last - first)
            del held
        if chance.random() < 0.05:
            gc.collect()
    assert pool.free <= 4 * 8 * MIB


class Comes:
    """An object of a cycle of garbage that comes back to life with all that it holds."""

    back: list[Any]

    def __init__(self, buffer: memoryview) -> None:
        self.buffer, self.me = buffer, self

    def __del__(self) -> None:
        Comes.back = [self.buffer]


def test_what_a_finalizer_brings_back_to_life_is_not_given_out() -> None:
    pool = BufferPool(64 * MIB)
    comes = Comes(pool.take(MIB))
    here, before = place(comes.buffer), pool.free
    del comes
    gc.collect()
    assert place(Comes.back[0]) == here
    assert pool.free == before, "the collector thought it dead, and it is not"
    others = [pool.take(MIB) for _ in range(20)]
    assert here not in map(place, others)
    Comes.back.clear()


def test_threads_may_drop_what_they_like() -> None:
    pool, lost = BufferPool(16 * MIB), []
    handed: list[Any] = []
    done = threading.Event()

    def drops() -> None:
        while not done.is_set() or handed:
            try:
                mark, buffer = handed.pop()
            except IndexError:
                time.sleep(0.0001)
                continue
            array = numpy.frombuffer(buffer, "u1")
            del buffer
            if not (array[::4096] == mark).all():
                lost.append(mark)

    threads = [threading.Thread(target=drops) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(1000):
        buffer = pool.take(300 * KIB)
        numpy.frombuffer(buffer, "u1")[:] = number % 251
        handed.append((number % 251, buffer))
        del buffer
    done.set()
    for thread in threads:
        thread.join(30)
    assert not lost and pool.free <= 16 * MIB


@pytest.mark.parametrize("size", [300 * KIB, MIB, 5 * MIB])
def test_no_more_is_kept_than_is_allowed(size: int) -> None:
    pool = BufferPool(8 * MIB)
    kept = [pool.take(size) for _ in range(40)]
    kept.clear()
    assert 8 * MIB - size <= pool.free <= 8 * MIB
    kept = [pool.take(2 * MIB) for _ in range(10)]
    kept.clear()
    small = pool.take(700 * KIB)
    assert small.nbytes and pool.free <= 8 * MIB, "of all sizes, when fresh memory is taken"


def test_what_is_larger_than_all_that_may_be_kept_goes_at_once() -> None:
    pool = BufferPool(8 * MIB)
    pool.take(9 * MIB)
    assert pool.free == 0


def test_a_block_wastes_little(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(1)
    mapped: list[int] = []
    real = buffer_pool._mapped
    monkeypatch.setattr(buffer_pool, "_mapped", lambda size: mapped.append(size) or real(size))  # type: ignore[func-returns-value]
    pool = BufferPool(0)
    for _ in range(300):
        size = chance.randrange(256 * KIB, 40 * MIB)
        pool.take(size)
        assert size <= mapped[-1] <= size * 17 / 16 + 1
    pool = BufferPool(64 * MIB)
    pool.take(17 * MIB)
    mapped.clear()
    assert pool.take(16 * MIB).nbytes == 16 * MIB and not mapped, "one that is a little larger"
    pool.take(15 * MIB)
    assert mapped == [15 * MIB]


def test_what_nobody_needs_goes_back_to_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    pool = BufferPool(64 * MIB)
    pool.rest()
    kept = [pool.take(4 * MIB) for _ in range(10)]
    kept.clear()
    assert pool.free > 0
    assert 0 < pool.rest() <= FREE_MEMORY_SECONDS
    clock.rests(pool, 2)
    assert pool.free == 0


def test_what_is_needed_again_and_again_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    pool = BufferPool(64 * MIB)
    kept = [pool.take(4 * MIB) for _ in range(12)]
    for _ in range(5):
        kept.clear()
        kept = [pool.take(4 * MIB) for _ in range(3)]
        clock.rests(pool, 1)
    kept.clear()
    assert pool.free == 12 * MIB


def test_a_pool_that_is_closed_leaves_nothing_behind() -> None:
    pool = BufferPool(64 * MIB)
    kept = [pool.take(MIB) for _ in range(3)]
    before = mappings()
    pool.close()
    assert pool.free == 0
    kept.pop()
    kept.clear()
    assert mappings() == before - 16


def mappings() -> int:
    return sum(type(each) is mmap.mmap for each in gc.get_objects())


@pytest.mark.skipif(not hasattr(mmap, "MADV_HUGEPAGE"), reason="Linux's")
def test_slow_huge_pages_are_left_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, asked = Clock(monkeypatch), []
    monkeypatch.setattr(buffer_pool, "_advise", lambda mapped, advice: asked.append(advice))
    pool, kept = BufferPool(64 * MIB), []
    for takes, moves, more in (
        (0.0001, 0.0, [mmap.MADV_HUGEPAGE]),
        (0.004, 0.0, [mmap.MADV_HUGEPAGE, mmap.MADV_NOHUGEPAGE]),
        (0.0001, 0.0, []),
        (0.0001, FREE_MEMORY_SECONDS, [mmap.MADV_HUGEPAGE]),
    ):
        asked.clear()
        clock.takes = takes
        clock.now += moves
        kept.append(pool.take(17 * MIB))
        assert asked == more


def test_where_the_system_gives_no_mapping_it_is_plain_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(size: int) -> mmap.mmap:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(buffer_pool, "_mapped", refused)
    buffer = BufferPool(MIB).take(MIB)
    buffer[-1] = 3
    assert buffer.nbytes == MIB and not buffer.readonly


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_writes_into_its_own_copy() -> None:
    pool = BufferPool(8 * MIB)
    buffer = pool.take(MIB)
    buffer[0] = 1
    child = os.fork()
    if child == 0:
        buffer[0] = 2
        del buffer
        os._exit(0 if pool.take(MIB)[0] == 2 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert buffer[0] == 1
