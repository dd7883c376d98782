"""What the farm is told of batches whose task waits: once, and only when it can matter."""

from __future__ import annotations

from typing import Any

import pytest

from scoopmpi.wire import payload
from scoopmpi.wire.messages import Resumed, Run, Waiting
from scoopmpi.worker.batches import SuspendedBatches, nothing_run
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
