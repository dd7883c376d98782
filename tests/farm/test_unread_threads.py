"""Maps that nobody reads, with ranks that are threads: iterators that block, or know one thread."""

from __future__ import annotations

import itertools
import sys
import threading
import time
import types
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import TimeoutError as WaitedTooLong

import pytest

from tests.executors.conformance.face import gate, passes
from tests.support.memory_farm import counted, ran, square
from tests.support.thread_farm import thread_farm

COUNT = 100


def once_each() -> bool:
    return ran == dict.fromkeys(range(COUNT), 1)


def test_an_iterator_may_block_while_all_else_goes_on() -> None:
    gate, seen = threading.Event(), []

    def numbers() -> Iterator[int]:
        yield from range(30)
        gate.wait(20)
        yield from range(30, COUNT)

    with thread_farm(2) as farm:
        ran.clear()
        for _ in range(3):
            farm.map(counted, numbers())
        future = farm.submit(square, 3)
        future.add_done_callback(seen.append)
        assert future.result(20) == 9 and len(seen) == 1
        assert list(farm.map(square, iter(range(500)), timeout=20)) == [x * x for x in range(500)]
        gate.set()
        farm.finish()
        assert ran == dict.fromkeys(range(COUNT), 3)


class OfOneThread:
    """As the cursor of a database, which other threads must not touch."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        self._numbers = iter(range(COUNT))

    def __iter__(self) -> OfOneThread:
        return self

    def __next__(self) -> int:
        if threading.get_ident() != self._thread:
            raise RuntimeError("created in another thread")
        return next(self._numbers)


def test_an_iterator_of_one_thread_is_read_by_it_at_the_end() -> None:
    with thread_farm(2) as farm:
        ran.clear()
        farm.map(counted, OfOneThread())
        farm.finish()
        assert once_each()


class Interrupted(OfOneThread):
    """Ctrl-C comes while it is read."""

    def __next__(self) -> int:
        if (found := super().__next__()) == 50:
            raise KeyboardInterrupt
        return found


def test_ctrl_c_ends_the_reading_at_the_end() -> None:
    with thread_farm(2) as farm:
        ran.clear()
        farm.map(counted, Interrupted())
        with pytest.raises(KeyboardInterrupt):
            farm.finish()
        assert len(ran) <= 50
        farm.farm.maps.abandon_all()


def test_hundreds_of_maps_of_maps_need_few_threads() -> None:
    with thread_farm(2) as farm:
        ran.clear()
        for _ in range(300):
            farm.map(counted, farm.map(int, iter(range(40))))
        most = threading.active_count()
        farm.finish()
        assert ran == dict.fromkeys(range(40), 300)
        assert most < 300


def test_the_program_says_what_it_waits_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("scoopmpi.farm.patience.SILENT_SECONDS", 0.05)
    gate = threading.Event()

    def numbers() -> Iterator[int]:
        yield from range(COUNT)
        gate.wait(20)

    threading.Timer(0.4, gate.set).start()
    with thread_farm(2) as farm:
        ran.clear()
        farm.map(counted, numbers())
        farm.finish()
        assert once_each()
    assert "the program has ended, and waits for tasks of maps" in caplog.text
    assert "counted (" in caplog.text


def test_an_endless_generator_is_read_no_further_than_somebody_reads() -> None:
    read = Counter[str]()

    def numbers() -> Iterator[int]:
        for x in itertools.count():
            read["so far"] = x
            yield x

    with thread_farm(2) as farm, gate() as closed:
        values = farm.map(square, numbers())
        assert list(itertools.islice(values, 1000)) == [x * x for x in range(1000)]
        with pytest.raises(WaitedTooLong):
            farm.submit(passes, closed.path).result(0.1)
        closed.open()
        assert read["so far"] < 4000
        del values


def test_a_generator_over_a_database_is_read_by_the_thread_that_ends_the_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its cursor works in one thread only, and a generator that has failed cannot go on."""
    module = types.ModuleType("sqlite3")
    monkeypatch.setitem(sys.modules, "sqlite3", module)
    monkeypatch.setattr(sys.modules["__main__"], "sqlite3", module, raising=False)
    readers: set[int] = set()

    def rows() -> Iterator[int]:
        for row in range(500):
            readers.add(threading.get_ident())
            yield row

    with thread_farm(2) as farm:
        farm.map(abs, rows())
        time.sleep(0.05)
        farm.farm.finish()
    assert readers == {threading.get_ident()}
