"""Futures by themselves, and what the standard library asks of one."""

from __future__ import annotations

import asyncio
import concurrent.futures as standard
import copy
import gc
import pickle
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from scoopmpi import futures
from scoopmpi.tasks.future import Future, end_together


def running() -> Future[Any]:
    future = Future[Any]()
    assert future.set_running_or_notify_cancel()
    return future


def end_all(calls: Iterable[Future[Any]], values: Iterable[Any]) -> None:
    end_together((call, value, None) for call, value in zip(calls, values, strict=True))


# Alone.


def test_the_states_are_those_of_the_standard_library() -> None:
    future, theirs = Future[int](), standard.Future[int]()
    for step in ("set_running_or_notify_cancel", "cancel", "set_result"):
        given = (3,) if step == "set_result" else ()
        assert getattr(future, step)(*given) == getattr(theirs, step)(*given)
        for ask in ("done", "running", "cancelled"):
            assert getattr(future, ask)() == getattr(theirs, ask)()
        assert future._state == theirs._state
    assert future.result() == theirs.result() == 3
    assert future.exception() is None
    assert repr(future) == repr(theirs).replace(f"{id(theirs):#x}", f"{id(future):#x}")


def test_a_cancelled_call_is_not_run() -> None:
    future, seen = Future[int](), list[Any]()
    future.add_done_callback(seen.append)
    assert future.cancel() and future.cancel() and future.cancelled() and future.done()
    assert seen == [future] and not future.set_running_or_notify_cancel()
    assert future.cancel() and future.cancelled()
    for ask in (future.result, future.exception):
        with pytest.raises(standard.CancelledError):
            ask()


@pytest.mark.parametrize("watched", [False, True])
def test_what_is_over_stays_as_it_is(watched: bool) -> None:
    future = running()
    future.set_result(1)
    assert not watched or future._condition
    for again in (future.set_result, future.set_exception):
        with pytest.raises(standard.InvalidStateError):
            again(ValueError())
    end_all([future], [2])
    assert future.result() == 1


def test_an_exception_is_raised_as_it_is_and_holds_no_circle() -> None:
    future, error = running(), ValueError("no")
    future.set_exception(error)
    with pytest.raises(ValueError, match="no") as caught:
        future.result()
    assert caught.value is error is future.exception()
    gone = weakref.ref(future)
    del future
    gc.collect()
    assert gone() is None


def test_a_wait_without_anybody_who_works_ends_in_time() -> None:
    future = Future[int]()
    for ask in (future.result, future.exception):
        with pytest.raises(standard.TimeoutError):
            ask(0.01)
    with pytest.raises(TypeError, match="timeout"):
        future.result("1")  # type: ignore[arg-type]


def test_callbacks_are_called_in_order_once_and_spoil_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen: list[int] = []
    future = Future[int]()
    for number in range(3):
        future.add_done_callback(lambda _, number=number: seen.append(number))
        future.add_done_callback(lambda _: 1 / 0)
    dropped = seen.append
    future.add_done_callback(dropped)  # type: ignore[arg-type]
    future.drop_callback(dropped)  # type: ignore[arg-type]
    future.drop_callback(dropped)  # type: ignore[arg-type] # which is not there any more
    future.set_running_or_notify_cancel()
    future.set_result(5)
    future.add_done_callback(lambda done: seen.append(done.result()))
    future.add_done_callback(lambda _: 1 / 0)
    assert seen == [0, 1, 2, 5]
    assert [each.message.split(" for ")[0] for each in caplog.records] == [
        "exception calling callback"
    ] * 4


@pytest.mark.parametrize("watched", [False, True])
def test_a_callback_that_is_dropped_while_they_are_called_has_no_other_passed_over(
    watched: bool,
) -> None:
    future, called = running(), []

    def first(ended: Future[Any]) -> None:
        called.append("first")
        ended.drop_callback(first)

    if watched:
        assert future._condition
    future.add_done_callback(first)
    future.add_done_callback(lambda _: called.append("second"))
    future.set_result(1)
    assert called == ["first", "second"]


@pytest.mark.parametrize("watched", [False, True])
@pytest.mark.parametrize("end", ["value", "error", "cancelled"])
def test_what_ends_a_program_in_a_callback_comes_out_behind_all_of_them(
    end: str, watched: bool
) -> None:
    future, seen = Future[int](), list[Any]()
    if watched:
        assert future._condition
    future.on_end = seen.append
    future.add_done_callback(lambda _: sys.exit(3))
    future.add_done_callback(lambda _: seen.append("second"))
    with pytest.raises(SystemExit, match="3"):
        if end == "cancelled":
            future.cancel()
        else:
            future.set_running_or_notify_cancel()
            future.set_result(1) if end == "value" else future.set_exception(LookupError())
    assert seen == ["second", future] and future.done()
    for late in (future.set_result, future.set_exception):
        with pytest.raises(standard.InvalidStateError):
            late(None)
    assert seen == ["second", future]


def test_many_results_at_once_spoil_no_neighbours() -> None:
    seen: list[Any] = []
    calls = [running() for _ in range(6)]
    calls[1].add_done_callback(lambda _: sys.exit(3))
    calls[2].add_done_callback(seen.append)
    calls[3].on_end = seen.append
    assert calls[4]._condition
    calls[4].add_done_callback(seen.append)
    calls[5].set_exception(LookupError())
    with pytest.raises(SystemExit):
        end_all(calls, range(6))
    assert [each.result() for each in calls[:5]] == [0, 1, 2, 3, 4]
    assert isinstance(calls[5].exception(), LookupError)
    assert seen == [calls[2], calls[3], calls[4]]


@pytest.mark.parametrize("watched", [[], [0], [1], [2], [0, 1, 2]])
def test_a_callback_finds_the_values_of_all_that_came_together(watched: list[int]) -> None:
    calls, seen = [running() for _ in range(3)], list[Any]()
    for number in watched:
        assert calls[number]._condition
    for number, call in enumerate(calls):
        call.add_done_callback(
            lambda _, number=number: seen.append((number, [each.result(0) for each in calls]))
        )
    end_all(calls, "abc")
    assert seen == [(0, ["a", "b", "c"]), (1, ["a", "b", "c"]), (2, ["a", "b", "c"])]


def test_what_was_over_before_its_value_came_is_called_once() -> None:
    cancelled, called = Future[str](), list[str]()
    assert cancelled._condition
    cancelled.add_done_callback(lambda _: called.append("end"))
    assert cancelled.cancel()
    end_all([cancelled, other := running()], "ab")
    assert (called, cancelled.cancelled(), other.result(0)) == (["end"], True, "b")


@pytest.mark.parametrize("watched", [False, True])
def test_calls_are_handed_out_and_again(watched: bool) -> None:
    waits, runs, cancelled, over = Future[int](), running(), Future[int](), running()
    over.set_result(1)
    cancelled.cancel()
    calls = [waits, runs, cancelled, over]
    assert not watched or all(call._condition for call in calls)
    for _ in range(2):
        assert [call.hand_out() for call in calls] == [True, True, False, False]
    assert cancelled._state == "CANCELLED_AND_NOTIFIED"


def test_a_future_stays_in_its_process() -> None:
    for send in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match=r"send its result\(\)"):
            send(Future())


def test_nothing_is_made_that_nobody_asks_for() -> None:
    future = running()
    future.add_done_callback(lambda _: None)
    future.set_result(1)
    assert (future.result(), future.done(), future.heard) == (1, True, True)
    assert not {"_condition", "_waiters"} & vars(future).keys()
    assert not hasattr(future, "no_such_name")


def test_callbacks_that_were_there_before_the_condition_are_called_once() -> None:
    future, called = Future[int](), []
    future.add_done_callback(lambda _: called.append("before"))
    with future._condition:  # as the waits of the standard library ask for it
        pass
    future.add_done_callback(lambda _: called.append("after"))
    future.set_result(1)
    assert called == ["before", "after"]


# With the waits of the standard library, and ours.


@pytest.mark.parametrize("wait", [standard.wait, futures.wait])
def test_waits_take_all_kinds_together(wait: Callable[..., Any]) -> None:
    ours, theirs, cancelled = running(), standard.Future[int](), Future[int]()
    ours.set_result(1)
    theirs.set_result(2)
    cancelled.cancel()
    cancelled.set_running_or_notify_cancel()
    calls = [ours, theirs, cancelled]
    assert wait(calls, 5).done == set(calls)
    assert wait(calls, 5, standard.FIRST_COMPLETED).done


@pytest.mark.parametrize("as_completed", [standard.as_completed, futures.as_completed])
def test_futures_come_as_they_complete(as_completed: Callable[..., Any]) -> None:
    calls = [running() for _ in range(5)]
    end_all(calls[:2], [0, 1])
    given = as_completed(calls, 10)
    assert {next(given), next(given)} == set(calls[:2])
    later = threading.Timer(0.02, end_all, (calls[4:1:-1], [4, 3, 2]))
    later.start()
    assert [each.result() for each in given] == [4, 3, 2]


def test_asyncio_waits_for_one() -> None:
    async def ask(future: Future[int]) -> int:
        threading.Timer(0.01, future.set_result, (7,)).start()
        return await asyncio.wait_for(asyncio.wrap_future(future), 10)

    assert asyncio.run(ask(running())) == 7


def test_who_asks_again_and_again_leaves_nothing_behind() -> None:
    calls = [running() for _ in range(3)]
    for _ in range(20):
        assert not futures.wait(calls, 0.0001).done
        with pytest.raises(futures.WaitedTooLong):
            next(futures.as_completed(calls, 0))
    assert not any(call.heard for call in calls)


@pytest.mark.parametrize("over", [False, True])
def test_as_completed_takes_as_long_for_each_of_many(over: bool) -> None:
    def seconds(count: int) -> float:
        calls = [running() for _ in range(count)]
        begun = time.thread_time()
        if over:
            end_all(calls, range(count))
            given = futures.as_completed(calls)
        else:
            given = futures.as_completed(calls)
            end_all(calls, range(count))
        assert sum(call.result() for call in given) == count * (count - 1) // 2
        return time.thread_time() - begun

    gc.disable()  # which looks at all of them again and again, whoever made them
    try:
        few, many = min(seconds(10_000) for _ in range(3)), seconds(100_000)
    finally:
        gc.enable()
    assert many < 30 * few, f"{few} s for 10^4 futures, {many} s for 10^5"
