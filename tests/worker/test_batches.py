"""What the farm is told of batches whose task waits: once, and only when it can matter."""

from __future__ import annotations

import pickle
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from scoopmpi.wire import payload
from scoopmpi.wire.messages import Resumed, Run, Waiting
from scoopmpi.worker import answers
from scoopmpi.worker.batches import Batches, SuspendedBatches, nothing_run
from scoopmpi.worker.running import Interlude, Running


def batch(start: int) -> Running:
    run = Run(7, start, start + 1, 1.0, 0, 0, None, False, (payload.pack((abs, (-1,), {})),))
    return Running(run, None, lambda name: None, None, lambda batch, value: None)


@pytest.fixture
def sent() -> list[Any]:
    return []


@pytest.fixture
def suspended(sent: list[Any]) -> SuspendedBatches:
    return SuspendedBatches(sent.append)


def test_a_short_wait_costs_no_message(suspended: SuspendedBatches, sent: list[Any]) -> None:
    waiting = batch(3)
    suspended.waits(waiting)
    assert len(suspended) == 1
    suspended.goes_on(waiting)
    assert not len(suspended) and sent == []


def test_a_worker_with_nothing_to_do_says_so_once(
    suspended: SuspendedBatches, sent: list[Any]
) -> None:
    waiting = batch(3)
    suspended.waits(waiting)
    suspended.nothing_runs()
    suspended.nothing_runs()
    suspended.waits(waiting)
    assert sent == [Waiting(7, 3)] and len(suspended) == 1
    suspended.goes_on(waiting)
    assert sent == [Waiting(7, 3), Resumed(7, 3)] and not len(suspended)


def test_nested_tasks_run_on_behalf_of_one_batch(
    suspended: SuspendedBatches, sent: list[Any]
) -> None:
    suspended.waits(batch(3))
    suspended.waits(batch(4))
    suspended.nothing_runs()
    suspended.something_runs()
    assert sent == [Waiting(7, 4), Waiting(7, 3), Resumed(7, 3)]
    suspended.nothing_runs()
    assert sent[3:] == [Waiting(7, 3)]


def test_what_is_part_of_no_batch_is_not_told_of(
    suspended: SuspendedBatches, sent: list[Any]
) -> None:
    suspended.waits(Interlude())
    suspended.nothing_runs()
    assert sent == [] and not len(suspended)


def test_a_batch_that_goes_back_whole_is_answered_with_nothing_done() -> None:
    run = Run(7, 3, 9, 1.0, 0, 0, None, True, payload.pack_columns([[1]]))
    answer = nothing_run(run)
    assert (answer.start, answer.stop, answer.unstarted, answer.end) == (3, 3, 3, 9)


class Memory(bytearray):
    """A value whose memory travels beside its pickle."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        return bytearray, (pickle.PickleBuffer(self),)


class Parts:
    """What a worker's batches ask of it, noted in order; its outbox, and who looks after lines."""

    def __init__(self) -> None:
        self.noted: list[Any] = []
        self.functions = self

    def function(self, key: int) -> Any:
        return Memory

    def send(self, answer: Any, flush: bool = False) -> None:
        self.noted.append((answer.start, answer.stop, flush))

    def flush(self) -> None:
        self.noted.append("flush")

    def place(self) -> tuple[int, int]:
        return 5, 0

    def tasks_ended(self, owner: int, before: int | None = None) -> None:
        self.noted.append((owner, before))


def test_a_part_leaves_behind_the_one_before_it_and_is_waited_for_where_it_is_not_copied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answers, "LEAVES", 1000)
    monkeypatch.setattr(answers, "UNCOPIED", 4000)
    parts: Any = Parts()
    batches = Batches(threading.RLock(), parts, parts, lambda name: None, parts, wake=lambda: None)
    columns = payload.pack_columns([[10, 1000, 2000, 4000, 5]])
    batches.run(Run(7, 0, 5, 1.0, 0, 1, None, True, columns))
    assert parts.noted == [
        (5, 2), "flush", (0, 2, False),
        (5, 3), "flush", (2, 3, False),
        (5, 4), "flush", (3, 4, True),
        (5, None), (4, 5, False),
    ]  # fmt: skip


def late(within: float | None) -> Run:
    columns = payload.pack_columns([[1, 2, 3]])
    return Run(7, 0, 3, 1.0, 0, 1, None, True, columns, within=within)


@pytest.mark.parametrize("within", [0.0, 99.9, 100.0])
def test_a_batch_that_has_waited_too_long_goes_back_as_it_came(
    within: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.monotonic", lambda: 100.0)
    sent: list[Any] = []
    outbox: Any = SimpleNamespace(send=sent.append)
    nobody: Any = None
    batches = Batches(nobody, nobody, outbox, print, nobody, wake=print)
    batches.run(late(within))
    assert sent == [nothing_run(late(within))]


def test_a_batch_whose_tasks_may_not_begin_late_has_no_more_budget_than_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("time.monotonic", lambda: 100.0)
    parts: Any = Parts()
    batches = Batches(threading.RLock(), parts, parts, lambda name: None, parts, wake=lambda: None)
    budgets: list[float] = []

    def opened(run: Run, *rest: Any) -> Running:
        budgets.append(run.budget)
        return Running(run, *rest)

    batches.open = opened
    for within in (100.25, 104.0, None):
        batches.run(late(within))
    assert budgets == [0.25, 1.0, 1.0]
