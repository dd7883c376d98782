"""Nested jobs on real ranks, by tasks that poll, leave things behind, and do not want to end."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from scoopmpi import futures

pytestmark = [pytest.mark.mpi, pytest.mark.timeout(60)]


def polls(x: int) -> int:
    call = futures.submit(abs, -x)
    end = time.monotonic() + 8
    while not call.done() and time.monotonic() < end:
        time.sleep(0.005)
    assert call.done(), "a call whose caller polls for it does not run"
    return call.result()


def looks(x: int) -> int:
    call = futures.submit(abs, -x)
    end = time.monotonic() + 8
    while futures.wait([call], timeout=0).not_done and time.monotonic() < end:
        time.sleep(0.005)
    assert call.done(), "a call whose caller looks for it does not run"
    return call.result()


def locks(x: int) -> int:
    lock = threading.Lock()
    lock.acquire()
    call = futures.submit(abs, -x)
    call.add_done_callback(lambda _: lock.release())
    assert lock.acquire(timeout=8), "a call whose caller waits for a lock does not run"
    return call.result()


@pytest.mark.parametrize("task", [polls, looks, locks])
def test_tasks_on_all_ranks_may_wait_for_their_calls_in_ways_of_their_own(
    lead: Any, task: Any
) -> None:
    def body(executor: Any) -> None:
        count = 2 * executor.farm.members.size if hasattr(executor, "farm") else 2
        assert list(executor.map(task, range(count))) == list(range(count))

    lead(body)


def nap(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def leaves_a_long_one(_: int) -> None:
    for seconds in (0.0, 0.0, 0.3):
        futures.submit(nap, seconds)
    list(futures.map(nap, [0.001] * 30))
    futures.map(nap, [4.0])


@pytest.mark.once
def test_what_a_task_has_left_behind_does_not_hold_the_programs_own_tasks(lead: Any) -> None:
    """The farm does not know what that worker runs, while others are idle."""

    def body(executor: Any) -> None:
        if not hasattr(executor, "farm") or executor.farm.members.size < 3:
            return
        executor.submit(leaves_a_long_one, 0).result(timeout=30)
        time.sleep(0.5)
        begun = time.monotonic()
        assert list(executor.map(nap, [0.01] * 8)) == [0.01] * 8
        assert time.monotonic() - begun < 2
        time.sleep(2.5)  # the end of the long one, which these workers do not leave

    lead(body)


def will_not_end(_: int) -> Any:
    call = futures.submit(nap, 1.5)
    time.sleep(0.3)  # the call is elsewhere
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            return call.result()
        except BaseException:
            time.sleep(0.01)


@pytest.mark.once
def test_a_task_that_will_not_end_does_not_hold_the_job(lead: Any) -> None:
    def body(executor: Any) -> None:
        if hasattr(executor, "farm") and executor.farm.members.size > 1:
            executor.submit(will_not_end, 0)
            time.sleep(0.6)

    lead(body)
