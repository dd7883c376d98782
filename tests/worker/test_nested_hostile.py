"""Nested jobs where it hurts, in memory: ends of windows, changes meanwhile, ill-timed looks."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import sys
from collections import Counter
from typing import Any

import pytest

from scoopmpi import futures
from scoopmpi.process import identity
from scoopmpi.scheduling.ranges import Batch
from scoopmpi.scheduling.scheduler import Scheduler
from scoopmpi.tasks import current_executor
from scoopmpi.worker.nested import rows
from scoopmpi.worker.running import Running
from tests.support.link import Ranks

pytestmark = pytest.mark.timeout(60)

ran: Counter[Any] = Counter()


@pytest.fixture(params=[1, 2, 3])
def ranks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(identity.this, "started", True)
    ran.clear()
    ranks = Ranks(workers=request.param, seed=request.param)
    turn, turns = ranks.turn, itertools.count()

    def counted_turn() -> None:
        assert next(turns) < 50_000, "the farm hangs"
        turn()

    ranks.turn = counted_turn  # type: ignore[method-assign]
    yield ranks
    for worker in ranks.workers:
        worker.hub.tasks.fibers.close()
    current_executor.install(None)


def square(x: int) -> int:
    ran[x] += 1
    return x * x


def of_a_generator(count: int) -> list[int]:
    return list(futures.map(square, (x for x in range(count))))


def of_a_range(count: int) -> list[int]:
    return list(futures.map(square, range(count)))


@pytest.mark.parametrize("count", [0, 3, 4, 7, 8, 12, 24])
def test_a_generator_may_end_where_a_window_ends(ranks: Any, count: int) -> None:
    """The first window is four tasks a worker."""
    squares = [x * x for x in range(count)]
    assert ranks.executor.submit(of_a_generator, count).result() == squares


def test_a_range_may_end_where_a_window_ends(ranks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "WINDOW", 16)
    for count in (15, 16, 17, 32, 48):
        assert ranks.executor.submit(of_a_range, count).result() == [x * x for x in range(count)]


def left(count: int) -> None:
    futures.map(square, range(count))


def test_a_map_that_nobody_looks_at_runs_beyond_its_first_window(
    ranks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "WINDOW", 16)
    ranks.executor.submit(left, 100).result()
    ranks.settle()
    assert ran == dict.fromkeys(range(100), 1)


def rebinds(x: int) -> list[int]:
    scale = 1
    values = futures.map(lambda y: y * scale, range(8))
    scale = 100
    return list(values)


def maps_in_a_loop(x: int) -> list[list[int]]:
    maps = [futures.map(lambda y: y + k, range(2)) for k in range(3)]  # noqa: B023 (that is it)
    return [list(values) for values in maps]


def test_a_closure_is_taken_as_it_was_when_the_map_was_made(ranks: Any) -> None:
    """Wherever its tasks run, and as on rank 0, where the function is packed at once."""
    assert ranks.executor.submit(rebinds, 0).result() == list(range(8))
    assert ranks.executor.submit(maps_in_a_loop, 0).result() == [[0, 1], [1, 2], [2, 3]]


def counts(x: int) -> tuple[int, int]:
    calls = 0

    def count(y: int) -> int:
        nonlocal calls
        calls += 1
        return y

    return sum(futures.map(count, range(5))), calls


def test_a_task_does_not_rebind_its_callers_variables(ranks: Any) -> None:
    assert ranks.executor.submit(counts, 0).result() == (10, 0)


def looks_ahead(x: int) -> int:
    read = 0

    def numbers() -> Any:
        nonlocal read
        while True:
            yield read
            read += 1

    values = futures.map(square, numbers())
    next(values)
    nested: Any = current_executor.current()
    for opened in nested._hub.pending.unstarted():
        for _ in range(20):  # as often as a waiting consumer asks for more
            opened.rows.clear()
            opened.refill()
    return read


def test_an_endless_generator_is_read_no_further_than_what_was_used(ranks: Any) -> None:
    assert ranks.executor.submit(looks_ahead, 0).result() < 200


def climbs(depth: int, levels: int) -> int:
    if depth:
        return climbs(depth - 1, levels)
    return 1 + sum(futures.map(deep, [levels - 1])) if levels else 1


def deep(levels: int) -> int:
    return climbs(sys.getrecursionlimit() * 6 // 10, levels)


def test_a_task_has_as_much_recursion_wherever_it_runs(ranks: Any) -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + 200)  # the tests' own frames
    try:
        assert ranks.executor.submit(deep, 3).result() == 4
    finally:
        sys.setrecursionlimit(limit)


def in_a_loop(depth: int) -> int:
    async def body() -> int:
        return 1 + sum(futures.map(in_a_loop, [depth - 1] * 2)) if depth else 1

    return asyncio.run(body())


def test_tasks_may_use_asyncio_at_every_level(ranks: Any) -> None:
    assert ranks.executor.submit(in_a_loop, 3).result() == 15


setting: contextvars.ContextVar[int] = contextvars.ContextVar("setting", default=0)


def reads_setting(x: int) -> int:
    return setting.get()


def sets(x: int) -> set[int]:
    setting.set(50)
    return set(futures.map(reads_setting, range(40)))


def test_a_tasks_own_settings_do_not_reach_those_of_its_tasks_that_run_here(ranks: Any) -> None:
    """They cannot reach the others: decimal.localcontext() must do the same for all."""
    assert ranks.executor.submit(sets, 0).result() == {0}


def exits(call: Any) -> None:
    raise SystemExit("a callback")


def with_callbacks(x: int) -> list[int]:
    calls = [futures.submit(square, y) for y in range(12)]
    for call in calls[::3]:
        call.add_done_callback(exits)
    return [call.result() for call in calls]


def test_a_callback_that_exits_spoils_nothing(ranks: Any) -> None:
    assert ranks.executor.submit(with_callbacks, 0).result() == [y * y for y in range(12)]


@pytest.mark.parametrize("count", [1, 3])
def test_a_rescue_that_comes_as_the_batch_ends_announces_nothing(
    ranks: Any, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Running.run

    def run_and_be_rescued(running: Running) -> None:
        run(running)
        for worker in ranks.workers:
            if worker.batches.current is running:
                worker.overdue.rescue.run_instead(running)

    monkeypatch.setattr(Running, "run", run_and_be_rescued)
    assert list(ranks.executor.map(abs, range(-count, 0))) == list(range(count, 0, -1))
    ranks.settle()
    ranks.farm._scheduler.check()


def test_a_task_that_ends_while_it_is_taken_for_waiting_is_answered_as_running(
    ranks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of a blocked task may be found before the thread of the task goes on."""
    run = Running.run

    def blocked_run(running: Running) -> None:
        worker = next(worker for worker in ranks.workers if worker.batches.current is running)
        if running.single:
            worker.batches.suspended.waits(running)
            worker.batches.suspended.nothing_runs()
        run(running)
        worker.batches.hand_back(running)

    monkeypatch.setattr(Running, "run", blocked_run)
    assert [call.result() for call in [ranks.executor.submit(abs, -x) for x in range(9)]] == [
        *range(9)
    ]
    ranks.settle()
    ranks.farm._scheduler.check()


def test_a_worker_that_gives_a_batch_back_whole_is_asked_last() -> None:
    """It runs something that the farm does not know of, while others are idle."""
    scheduler = Scheduler()
    for worker in (1, 2, 3):
        scheduler.joined(worker)
    (first,) = scheduler.submitted(7, 1)
    (second,) = scheduler.finished(first.worker, Batch(7, 0, 0), -1.0, Batch(7, 0, 1))
    assert second.worker != first.worker


told: list[int] = []


def will_not_end(x: int) -> None:
    nested: Any = current_executor.current()
    while len(told) < 5:
        try:
            nested.wait_until(lambda: False)
        except BaseException:
            told.append(x)


def test_a_task_that_will_not_end_is_told_once_and_does_not_hold_the_worker(ranks: Any) -> None:
    told.clear()
    ranks.executor.submit(will_not_end, 3)
    waiting: list[Any] = []
    while not waiting:
        ranks.turn()
        waiting = [worker for worker in ranks.workers if worker.hub.tasks.fibers.suspended]
    waiting[0].hub.tasks.fibers.close()
    assert told == [3]


def changed(pair: tuple[list[int], int]) -> int:
    pair[0].append(pair[1])
    return len(pair[0])


def of_tuples(x: int) -> Any:
    shared: list[int] = []
    return list(futures.map(changed, [(shared, y) for y in range(40)])), shared


def test_tuples_that_hold_what_can_be_changed_are_copied(ranks: Ranks) -> None:
    assert list(ranks.executor.map(of_tuples, range(4))) == [([1] * 40, [])] * 4
