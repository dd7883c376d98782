"""Threads that meet at a future, a signal, and a fork.

Each thread gives way to the other at lines of `tasks.future` that a seed chooses.
"""

from __future__ import annotations

import concurrent.futures as standard
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

import pytest

from scoopmpi.tasks import future as future_module
from scoopmpi.tasks.future import Future, end_together
from tests.support.signal_points import signal_at
from tests.tasks.test_future import end_all, running

SEEDS = range(60)


def meet(seed: int, *parts: Callable[[], Any]) -> list[Any]:
    """Run each part in a thread of its own; return what they return or raise."""
    found: list[Any] = [None] * len(parts)
    start = threading.Barrier(len(parts))

    def run(number: int) -> None:
        chance = random.Random(f"{seed} {number}")

        def look(frame: FrameType, event: str, argument: Any) -> Any:
            if frame.f_code.co_filename != future_module.__file__:
                return None
            if chance.random() < 0.5:
                time.sleep(0) if chance.random() < 0.7 else time.sleep(0.0002)
            return look

        start.wait(10)
        sys.settrace(look)
        try:
            found[number] = parts[number]()
        except Exception as error:
            found[number] = error
        finally:
            sys.settrace(None)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(parts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive(), "a thread waits for ever"
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_either_it_runs_or_it_is_cancelled(seed: int) -> None:
    future, ended = Future[int](), list[Any]()
    future.on_end = ended.append

    def run() -> bool:
        runs = future.hand_out() if seed % 2 else future.set_running_or_notify_cancel()
        if runs:
            future.set_result(1)
        return runs

    ran, cancelled = meet(seed, run, future.cancel)
    assert (ran, cancelled) in [(True, False), (False, True)]
    assert future.cancelled() == cancelled and ended == [future]


@pytest.mark.parametrize("seed", SEEDS)
def test_each_callback_is_called_once(seed: int) -> None:
    future, seen = running(), list[int]()

    def add(first: int) -> None:
        for number in range(first, first + 4):
            future.add_done_callback(lambda _: seen.append(number))  # noqa: B023
            if number == 2:
                assert future._condition

    def end() -> None:
        end_all([future], [1]) if seed % 2 else future.set_result(1)

    meet(seed, lambda: add(0), end, lambda: add(10))
    assert len(seen) == 8


@pytest.mark.parametrize("seed", SEEDS)
def test_the_standard_library_sees_each_future_end_once(seed: int) -> None:
    calls = [running() for _ in range(4)]
    values = [range(4), reversed(range(4))][seed % 2]

    def end() -> None:
        for value in values:
            calls[value].set_result(value)

    def end_together() -> None:
        end_all(calls, range(4))

    completed, waited, _ = meet(
        seed,
        lambda: list(standard.as_completed(calls, 10)),
        lambda: standard.wait(calls, 10),
        end if seed % 3 else end_together,
    )
    assert sorted(call.result() for call in completed) == [0, 1, 2, 3]
    assert waited.done == set(calls)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_thread_that_waits_is_woken(seed: int) -> None:
    future = running()
    end = (lambda: end_all([future], [3])) if seed % 2 else (lambda: future.set_result(3))
    assert meet(seed, lambda: future.result(10), lambda: future.exception(10), end)[:2] == [3, None]


@pytest.mark.parametrize("raises", [False, True])
def test_who_waits_is_woken_at_once_by_what_comes_together(raises: bool) -> None:
    """Also one who waits for the first exception, while others have not ended."""
    first, other, found = running(), running(), list[Any]()

    def waits() -> None:
        found.append(standard.wait([first, other], 20, standard.FIRST_EXCEPTION).done)

    def asks() -> None:
        found.append(first.exception(20))

    threads = [threading.Thread(target=each, daemon=True) for each in (waits, asks)]
    for thread in threads:
        thread.start()
    time.sleep(0.02)
    problem = LookupError()
    end_together([(first, None, problem)] if raises else [(first, 1, None), (other, 2, None)])
    for thread in threads:
        thread.join(5)
    expected = [{first}, problem] if raises else [{first, other}, None]
    assert len(found) == 2 and all(each in found for each in expected)


def test_a_forked_child_finds_the_guard_free() -> None:
    held, forked = threading.Event(), threading.Event()

    def hold() -> None:
        with future_module._guard:
            held.set()
            forked.wait(20)

    other = threading.Thread(target=hold)
    other.start()
    assert held.wait(10)
    pid = os.fork()
    if pid == 0:
        signal.alarm(10)
        Future[int]().cancel()
        os._exit(0)
    forked.set()
    other.join(10)
    assert os.waitpid(pid, 0)[1] == 0


def test_ctrl_c_while_a_condition_is_made_leaves_nobody_waiting() -> None:
    def comes(frame: FrameType) -> None:
        raise KeyboardInterrupt

    point, reached = 0, True
    while reached:
        point, future = point + 1, running()
        with (
            suppress(KeyboardInterrupt),
            signal_at(point, lambda code: code is Future.__getattr__.__code__, comes) as points,
        ):
            assert future._condition
        reached = points.count >= point
        assert not future_module._guard._is_owned(), points.where  # type: ignore[attr-defined]
        result_comes_to_who_waits(future)
    assert point > 3


def result_comes_to_who_waits(future: Future[Any]) -> None:
    found: list[Any] = []
    waits = threading.Thread(target=lambda: found.append(future.result(10)), daemon=True)
    waits.start()
    time.sleep(0.02)
    future.set_result(5)
    waits.join(2)
    assert found == [5]
