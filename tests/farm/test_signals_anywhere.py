"""A handler of the program's, at any point of the farm's own code at which Python may call one.

It raises: then the farm works as before, and nobody waits for what was lost. Or it uses the farm.
Workers are threads here.
"""

from __future__ import annotations

import os
import random
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any

import pytest

import scoopmpi
from scoopmpi import futures
from scoopmpi.concurrency import signal_handlers
from scoopmpi.concurrency.signal_handlers import guard
from scoopmpi.concurrency.signal_scopes import scopes
from scoopmpi.executors.mpi_executor import MPIExecutor
from scoopmpi.executors.pool import Pool
from scoopmpi.process import identity
from scoopmpi.tasks import current_executor
from tests.support.signal_points import Points, signal_at
from tests.support.thread_farm import thread_farm

pytestmark = pytest.mark.timeout(60)
SIGNALS = int(os.environ.get("SIGNALS", "12"))
"""For each work and seed; give more to search further."""
TASKS = 12
SQUARES = [x * x for x in range(TASKS)]
OURS = os.path.dirname(scoopmpi.__file__)
OF_SIGNALS = os.path.join(OURS, "concurrency", "signal_")
OF_PYTHON = ("threading.py", "contextlib.py", os.path.join("futures", "_base.py"))
"""What we call of the standard library's that is written in Python, and keeps a state."""


class Late(Exception):
    """What the handler raises."""


def late(number: int, frame: object) -> None:
    raise Late


def square(x: int) -> int:
    return x * x


def rows() -> Iterator[int]:
    yield from range(TASKS)


def of_map() -> None:
    assert list(futures.map(square, range(TASKS))) == SQUARES


def of_stream() -> None:
    assert list(futures.map(square, rows())) == SQUARES


def of_buffer() -> None:
    assert list(MPIExecutor().map(square, rows(), buffersize=3)) == SQUARES


def of_dropped_map() -> None:
    futures.map(square, range(TASKS))


def of_calls() -> None:
    calls = [futures.submit(square, x) for x in range(TASKS)]
    assert [call.result() for call in calls] == SQUARES


def of_callbacks() -> None:
    found: list[int] = []
    calls = [futures.submit(square, x) for x in range(TASKS)]
    for call in calls:
        call.add_done_callback(lambda call: found.append(call.result()))
    futures.wait(calls)
    assert sorted(found) == SQUARES


def of_cancelled() -> None:
    with MPIExecutor() as executor:
        for call in [executor.submit(square, x) for x in range(TASKS)]:
            assert call.cancel() or call.result() in SQUARES


def of_reduction() -> None:
    assert futures.mapReduce(square, max, range(TASKS)) == max(SQUARES)


def of_executor() -> None:
    with MPIExecutor() as executor:
        maps = [executor.map(square, range(TASKS)), executor.map(square, rows(), buffersize=2)]
        call = executor.submit(square, 3)
        assert all(list(each) == SQUARES for each in maps)
        executor.map(square, rows())
        assert call.result() == 9


def of_pool() -> None:
    pool = Pool()
    calls = [pool.apply_async(square, (x,)) for x in range(TASKS)]
    later = pool.map_async(square, range(TASKS))
    assert list(pool.imap(square, range(TASKS))) == SQUARES
    assert [call.get() for call in calls] == SQUARES and later.get() == SQUARES
    pool.close()
    pool.join()


def of_checkpoint() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(2):  # the second finds all in the file
            with MPIExecutor(checkpoint=os.path.join(folder, "run.ckpt")) as executor:
                assert [executor.submit(square, x).result() for x in range(3)] == SQUARES[:3]
                assert list(executor.map(square, range(TASKS))) == SQUARES


WORKS = (
    of_map, of_stream, of_buffer, of_dropped_map, of_calls, of_callbacks, of_cancelled,
    of_reduction, of_executor, of_pool,
)  # fmt: skip


def ours(code: CodeType) -> bool:
    name = code.co_filename
    if name.startswith(OURS):
        return not name.startswith(OF_SIGNALS) or code.co_name in ("__enter__", "__exit__")
    return name.endswith(OF_PYTHON)


def comes(frame: FrameType) -> None:
    signal_handlers._python_get(signal.SIGUSR1)(signal.SIGUSR1, frame)


@pytest.fixture(scope="module")
def base() -> Iterator[Any]:
    with thread_farm(2) as made:
        yield made


@pytest.fixture(autouse=True)
def _with_a_farm(base: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    guard()
    monkeypatch.setattr(identity.this, "started", True)
    current_executor.install(base)
    yield
    current_executor.install(None)


def run(work: Callable[[], None], point: int, handler: Callable[..., None]) -> Points:
    called: list[bool] = []

    def noted(number: int, frame: object) -> None:
        called.append(True)
        handler(number, frame)

    before = signal.signal(signal.SIGUSR1, noted)
    try:
        with signal_at(point, ours, comes) as points:
            work()
        end = time.monotonic() + 20
        while points.where and not called and time.monotonic() < end:
            time.sleep(0.001)  # in a finalizer it comes again
    except Late:
        assert handler is late
    else:
        assert handler is not late or not points.where, points.where
    finally:
        signal.signal(signal.SIGUSR1, before)
    left = [scopes.locked, scopes.depth, scopes.calling, len(scopes.late), len(scopes.kept)]
    assert left == [0] * 5, points.where
    return points


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.first)])
@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.__name__)
def test_the_farm_works_after_it_and_nobody_waits_for_ever(
    base: Any, work: Callable[[], None], seed: int
) -> None:
    most = run(work, 0, late).count
    assert most > 50
    turn = random.Random(seed)
    for _ in range(SIGNALS):
        points = run(work, turn.randrange(1, most), late)
        work()
        base.finish()  # as at the end of a program: what an executor has not waited for
        assert not base.unfinished.waits(), points.where


@pytest.mark.parametrize("work", [*WORKS, of_checkpoint], ids=lambda work: work.__name__)
def test_a_handler_may_use_the_farm(base: Any, work: Callable[[], None]) -> None:
    used: list[Any] = []

    def uses(number: int, frame: object) -> None:
        used.append(None)
        used[-1] = futures.submit(square, 3).result(), list(futures.map(square, range(2)))

    most = run(work, 0, uses).count
    turn = random.Random(3)
    reached = [run(work, turn.randrange(1, most), uses).where != "" for _ in range(SIGNALS)]
    assert used == [(9, [0, 1])] * sum(reached)


@pytest.mark.parametrize("rows", [0, 3, 5000], ids=["as it begins", "a window", "further on"])
def test_an_iterator_that_waits_is_interrupted(rows: int) -> None:
    def waits() -> Iterator[int]:
        yield from range(rows)
        threading.Timer(0.2, signal.pthread_kill, (threading.get_ident(), signal.SIGUSR1)).start()
        time.sleep(50)

    before = signal.signal(signal.SIGUSR1, late)
    begun = time.monotonic()
    try:
        with pytest.raises(Late):
            for _ in futures.map(square, waits()):
                pass
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert time.monotonic() - begun < 20
