"""Groups that are given up while something else goes on: nobody waits for ever, no other is hit."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from scoopmpi import futures
from scoopmpi.farm.put_off import PutOff
from scoopmpi.joblib.calls_at_work import CallsAtWork
from scoopmpi.process import identity
from scoopmpi.scheduling.ranges import Batch
from scoopmpi.tasks import current_executor
from scoopmpi.tasks import groups as groups_module
from scoopmpi.tasks.groups import groups
from scoopmpi.tasks.retry import RetryPolicy
from scoopmpi.wire import payload
from scoopmpi.wire.messages import GiveUp, Run
from scoopmpi.worker.nested.calls import NestedCalls
from tests.support.link import Ranks
from tests.support.memory_farm import counted, current, farm, ran, square

__all__ = ["farm"]


@pytest.fixture(autouse=True)
def _as_under_mpirun(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(identity.this, "started", True)
    yield
    current_executor.install(None)


def turns(count: int) -> None:
    for _ in range(count):
        current.ranks.turn()


def test_the_end_does_not_wait_for_a_map_that_nobody_reads(farm: Any) -> None:
    number = groups.new()
    with groups.inside(number):
        given = farm.map(counted, iter(range(1000)))
        left = farm.map(counted, range(1000))
    del given, left
    gc.collect()
    turns(30)
    farm.give_up(number)
    turns(30)
    farm.farm.finish()


def waits_for_ever(x: int) -> Any:
    """A wait that nothing ends: for what nobody returns, as where a retry is far away."""
    current_executor.current().wait_until(lambda: False)
    return x


def test_a_task_that_waits_is_told(farm: Any) -> None:
    number = groups.new()
    with groups.inside(number):
        given = [farm.submit(waits_for_ever, x) for x in range(3)]
    turns(200)
    farm.give_up(number)
    assert [future.exception() is not None for future in given] == [True] * 3
    current.ranks.settle()
    assert not any(worker.hub.tasks.fibers.suspended for worker in current.ranks.workers)


def leaves_a_map(x: int) -> int:
    futures.map(counted, range(100 * x, 100 * x + 100))
    waits_for_ever(x)
    return x


def test_a_map_that_a_task_leaves_is_not_run_any_more(farm: Any) -> None:
    number = groups.new()
    with groups.inside(number):
        given = [farm.submit(leaves_a_map, x) for x in range(2)]
    turns(100)
    farm.give_up(number)
    turns(300)  # all have heard of it
    begun = sum(ran.values())
    farm.farm.finish()
    assert all(future.done() for future in given)
    assert sum(ran.values()) == begun


def test_a_worker_that_comes_later_hears_of_it() -> None:
    ranks = Ranks(1, 3, successors=True)
    number = groups.new()
    ranks.settle()
    ranks.executor.give_up(number)
    ranks.settle()
    ranks.kill(ranks.workers[0])
    assert ranks.executor.submit(square, 3).result() == 9
    ranks.settle()
    assert ranks.workers[0].rank == 2
    assert number in ranks.workers[0].hub.tasks.given_up


def test_the_end_does_not_wait_for_calls_that_go_on(farm: Any) -> None:
    worker = current.ranks.workers[0]
    calls = NestedCalls(1, -1, 7)
    worker.hub.tasks._unended[99] = calls
    assert worker.hub.calls_left
    worker.hub.give_up({7})
    assert not worker.hub.calls_left
    del worker.hub.tasks._unended[99]


@pytest.mark.parametrize("when", ["while it runs", "before it began"])
def test_what_runs_in_a_thread_is_answered_for(farm: Any, when: str) -> None:
    """A signal reaches the main thread only; what else runs may go on for as long as it likes."""
    number, release = groups.new(), threading.Event()
    worker, sent = current.ranks.workers[0], []
    run = Run(-5, 4, 5, 9.0, 0, 1, None, False, (payload.pack(()),), 1,
              (1, 0, 1, 0, number))  # fmt: skip
    worker.inbox.functions._functions[1] = lambda: release.wait(30)
    worker.outbox.send = sent.append  # type: ignore[method-assign]
    if when == "before it began":
        worker.overdue.give_up(GiveUp((number,)))
        sent.clear()
    beside = threading.Thread(target=worker.batches.run_beside, args=(run,))
    beside.start()
    while not worker.batches.beside:
        time.sleep(0.001)
    if when == "before it began":
        assert worker.overdue.turn() is not None  # it looks again, also while nothing else runs
    else:
        with worker.lock:
            worker.batches.give_up({number})
    assert [(each.job, each.start, each.stop, each.failed) for each in sent] == [(-5, 4, 5, (0,))]
    release.set()
    beside.join()
    assert len(sent) == 1 and not worker.batches.beside
    del worker.outbox.send, worker.inbox.functions._functions[1]


class Vanishing:
    """A job of which a call is given up by another thread, between two questions."""

    function = None

    def __init__(self) -> None:
        self._asked = 0

    def retry(self, task: int) -> Any:
        self._asked += 1
        return RetryPolicy(3, 0.0, (Exception,)) if self._asked == 1 else None


def test_a_call_may_be_given_up_while_it_is_put_off(farm: Any) -> None:
    put_off = PutOff(farm.farm._scheduler)
    batch = Batch(0, 0, 1)
    found: Any = put_off.taken(Vanishing(), batch, [0])  # type: ignore[arg-type]
    assert [each.raised for each in found] == [1]


def test_no_batch_of_joblibs_begins_behind_a_giving_up(farm: Any) -> None:
    begun: list[int] = []
    calls = CallsAtWork(farm, 1)
    for x in range(3):
        calls.add(lambda x=x: begun.append(x) or farm.submit(square, x), None)  # type: ignore[misc]
    assert begun == [0]
    calls.give_up()
    calls.add(lambda: begun.append(9) or farm.submit(square, 9), None)  # type: ignore[func-returns-value]
    assert begun == [0]


def test_a_batch_of_joblibs_is_given_up_whose_future_was_not_noted(farm: Any) -> None:
    """An interrupt may come right behind the submit."""
    calls, made = CallsAtWork(farm, None), []

    def start() -> Any:
        made.append(farm.submit(waits_for_ever, 1))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        calls.add(start, None)
    turns(50)
    calls.give_up()
    assert made[0].exception() is not None


def test_groups_within_others_are_remembered_up_to_a_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(groups_module, "MOST_INNER", 5)
    made = groups_module.Groups()
    outer = made.new_outermost()
    with made.inside(outer):
        inner = [made.new() for _ in range(20)]
    assert made.all_in(outer) == {outer, *inner[-5:]}
