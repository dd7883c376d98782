"""Cases about futures, and the standard library's waiting for them."""

from __future__ import annotations

import concurrent.futures as standard
import logging
import threading
import time
from collections import Counter
from typing import Any

import pytest

from .face import SECONDS, case, fails, gate, occupied, parallel, passes, square, until


@case
def exceptions_keep_their_type_and_name_the_place(face: Any) -> None:
    with face.make() as executor:
        error = executor.submit(fails, 5).exception(SECONDS)
        assert isinstance(error, LookupError) and str(error) == "no 5"
        with pytest.raises(LookupError, match="no 5"):
            executor.submit(fails, 5).result(SECONDS)
        if not face.serial:
            assert "in fails" in str(error.__cause__)


@case
def futures_are_members_and_keys(face: Any) -> None:
    with face.make() as executor:
        futures = [executor.submit(square, x) for x in range(20)]
        assert len(set(futures)) == 20
        named = {future: x for x, future in enumerate(futures)}
        assert all(future.result(SECONDS) == named[future] ** 2 for future in futures)
        assert futures[0] in set(futures) and futures[0] == futures[0] != futures[1]
        assert all(isinstance(future, standard.Future) for future in futures)


@case
def callbacks_come_in_order_with_the_future(face: Any) -> None:
    seen: list[Any] = []
    with face.make() as executor:
        future = executor.submit(square, 6)
        for number in range(3):
            future.add_done_callback(lambda done, number=number: seen.append((number, done)))
        future.result(SECONDS)
    assert seen == [(0, future), (1, future), (2, future)]
    future.add_done_callback(seen.append)
    assert seen[-1] is future and future.result() == 36


@case
def a_callback_that_raises_disturbs_nobody(face: Any) -> None:
    seen: list[Any] = []
    logger = logging.getLogger("concurrent.futures")
    logger.disabled, before = True, logger.disabled
    try:
        with face.make() as executor:
            future = executor.submit(square, 6)
            future.add_done_callback(lambda _: fails(1))
            future.add_done_callback(seen.append)
            assert executor.submit(square, 5).result(SECONDS) == 25
        assert seen == [future]
    finally:
        logger.disabled = before


@case
def callbacks_have_run_when_the_shutdown_returns(face: Any) -> None:
    seen = Counter[str]()

    def slow(_: Any) -> None:
        time.sleep(0.05)
        seen["slow"] += 1

    executor = face.make()
    for x in range(3):
        executor.submit(square, x).add_done_callback(slow)
    executor.shutdown()
    assert seen["slow"] == 3


@case
def a_callback_may_submit(face: Any) -> None:
    more: list[Any] = []
    with face.make() as executor:
        first = executor.submit(square, 2)
        first.add_done_callback(lambda done: more.append(executor.submit(square, done.result())))
        until(lambda: bool(more))
        assert more[0].result(SECONDS) == 16


@parallel
def a_running_call_has_its_state(face: Any) -> None:
    with face.make() as executor, gate() as closed:
        future = executor.submit(passes, closed.path, "through")
        until(future.running)
        assert not future.done() and not future.cancel() and not future.cancelled()
        for ask in (future.result, future.exception):
            for seconds in (0, 0.01):
                with pytest.raises(standard.TimeoutError):
                    ask(seconds)
        closed.open()
        assert future.result(SECONDS) == "through"
        assert future.done() and not future.running() and not future.cancel()


@parallel
def a_call_that_waits_can_be_cancelled(face: Any) -> None:
    seen: list[Any] = []
    with face.make() as executor, gate() as closed:
        futures = occupied(executor, closed)
        last = futures[-1]
        last.add_done_callback(seen.append)
        assert last.cancel() and last.cancel() and last.cancelled() and last.done()
        assert seen == [last]
        with pytest.raises(standard.CancelledError):
            last.result(SECONDS)
        closed.open()
        assert [f.result(SECONDS) for f in futures[:-1]] == list(range(len(futures) - 1))


@parallel
def another_thread_can_wait_for_a_future(face: Any) -> None:
    found: list[Any] = []
    with face.make() as executor, gate() as closed:
        future = executor.submit(passes, closed.path, 5)
        thread = threading.Thread(target=lambda: found.append(future.result(SECONDS)))
        thread.start()
        closed.open()
        thread.join(SECONDS)
    assert found == [5]


# The standard library's waiting.


@case
def wait_for_all(face: Any) -> None:
    with face.make() as executor:
        futures = {executor.submit(square, x) for x in range(10)}
        futures.add(executor.submit(fails, 1))
        assert standard.wait(futures, SECONDS) == (futures, set())


@parallel
def wait_for_the_first(face: Any) -> None:
    with face.make() as executor, gate() as closed:
        quick, slow = executor.submit(square, 2), executor.submit(passes, closed.path)
        assert standard.wait([quick, slow], SECONDS, standard.FIRST_COMPLETED).done == {quick}


@parallel
def wait_for_the_first_exception(face: Any) -> None:
    with face.make() as executor, gate() as closed:
        failing, slow = executor.submit(fails, 2), executor.submit(passes, closed.path)
        found = standard.wait([failing, slow], SECONDS, standard.FIRST_EXCEPTION)
        assert found == ({failing}, {slow})


@parallel
def wait_has_a_timeout(face: Any) -> None:
    with face.make() as executor, gate() as closed:
        slow = executor.submit(passes, closed.path)
        assert standard.wait([slow], 0.02) == (set(), {slow})


@case
def as_completed_gives_each_once(face: Any) -> None:
    with face.make() as executor:
        futures = [executor.submit(square, x) for x in range(20)]
        assert sorted(f.result() for f in standard.as_completed(futures * 2, SECONDS)) == [
            x * x for x in range(20)
        ]


@parallel
def as_completed_gives_what_there_is_until_the_timeout(face: Any) -> None:
    with face.make() as executor, gate() as closed:
        quick, slow = executor.submit(square, 2), executor.submit(passes, closed.path)
        quick.result(SECONDS)
        found = []
        with pytest.raises(standard.TimeoutError):
            for future in standard.as_completed([slow, quick], 0.02):
                found.append(future)  # noqa: PERF402 (what came before the error counts)
        assert found == [quick]
