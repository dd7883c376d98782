"""What `concurrent.futures` promises, as cases that run over any face of `MPIExecutor`.

A case is a function with a `Face`: it makes executors and says whether they work serially. Tasks
that have to be in the middle of something wait at a gate, a file that the case creates.
"""

from __future__ import annotations

import concurrent.futures as standard
import itertools
import logging
import os
import tempfile
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from scoopmpi.pep3148 import MPIExecutor

SECONDS = 20.0
"""More than any wait here takes, and the end of all of them."""
CASES: list[Callable[[Any], None]] = []


class Face(NamedTuple):
    """make: gives executors, with the arguments of `MPIExecutor`."""

    make: Callable[..., MPIExecutor]
    serial: bool

    @property
    def processes(self) -> int:
        with self.make() as executor:
            return executor.num_workers


def case(function: Callable[[Any], None]) -> Callable[[Any], None]:
    CASES.append(function)
    return function


def parallel(function: Callable[[Any], None]) -> Callable[[Any], None]:
    """A case about calls that have not run yet, which serially there are none of."""

    def run(face: Any) -> None:
        if not face.serial:
            function(face)

    run.__name__ = function.__name__
    return case(run)


# Tasks.


def square(x: int) -> int:
    return x * x


def fails(x: int) -> int:
    raise LookupError(f"no {x}")


def fails_at_three(x: int) -> int:
    return fails(x) if x == 3 else x


def captures(*args: Any, **kwargs: Any) -> Any:
    return args, kwargs


def passes(gate: str, value: Any = None) -> Any:
    """Wait until the gate opens, or its place is gone."""
    end = time.monotonic() + SECONDS
    while os.path.isdir(os.path.dirname(gate)) and not os.path.exists(gate):
        if time.monotonic() > end:
            raise TimeoutError(f"the gate {gate} has not been opened")
        time.sleep(0.002)
    return value


def leaves_a_mark(directory: str, x: int) -> int:
    Path(directory, f"{x}").touch()
    return x


class Gate:
    """Tasks wait before it until it opens."""

    def __init__(self, directory: str) -> None:
        self.path = os.path.join(directory, "gate")

    def open(self) -> None:
        Path(self.path).touch()


@contextmanager
def gate() -> Iterator[Gate]:
    with tempfile.TemporaryDirectory() as directory:
        made = Gate(directory)
        try:
            yield made
        finally:
            made.open()


def until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not done():
        assert time.monotonic() < end, "this has not happened"
        time.sleep(0.001)


def occupied(executor: Any, closed: Gate) -> list[Any]:
    """Calls before the gate, more than workers take in advance."""
    return [executor.submit(passes, closed.path, x) for x in range(8 * executor.num_workers)]


# Submit.


@case
def submit_gives_the_value(face: Any) -> None:
    with face.make() as executor:
        assert executor.submit(square, 7).result(SECONDS) == 49


@case
def submit_hands_over_any_arguments(face: Any) -> None:
    with face.make() as executor:
        future = executor.submit(captures, 1, self=2, fn=3, args=4)
        assert future.result(SECONDS) == ((1,), {"self": 2, "fn": 3, "args": 4})
        for call in (executor.submit, MPIExecutor.submit):
            with pytest.raises(TypeError):
                call()
        with pytest.raises(TypeError):
            executor.submit(fn=captures, arg=1)


@case
def what_cannot_be_called_is_an_error_of_the_future(face: Any) -> None:
    with face.make() as executor:
        assert isinstance(executor.submit(42).exception(SECONDS), TypeError)  # type: ignore
        assert executor.submit(square, 3).result(SECONDS) == 9


@case
def arguments_are_not_kept_alive(face: Any) -> None:
    with face.make() as executor:
        values = [Payload(), Payload()]
        references = [weakref.ref(value) for value in values]
        executor.submit(type, values[0]).result(SECONDS)
        assert len(list(executor.map(type, values[1:]))) == 1
        del values
        until(lambda: not any(reference() for reference in references))


class Payload:
    pass


@case
def the_number_of_workers_is_checked(face: Any) -> None:
    for number in (0, -1):
        with pytest.raises(ValueError, match=f"max_workers is {number}"):
            face.make(max_workers=number)
    face.make(max_workers=3).shutdown()


# Map.


@case
def map_is_the_builtin_map(face: Any) -> None:
    with face.make() as executor:
        assert list(executor.map(pow, range(10), range(10))) == list(map(pow, range(10), range(10)))
        assert list(executor.map(pow, range(10), itertools.repeat(2), chunksize=3)) == [
            x * x for x in range(10)
        ]
        assert list(executor.map(square, [])) == []


@case
def map_raises_in_its_place_and_ends(face: Any) -> None:
    with face.make() as executor:
        values = executor.map(fails_at_three, range(6))
        assert [next(values) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(LookupError, match="no 3"):
            next(values)
        with pytest.raises(StopIteration):
            next(values)


@parallel
def map_keeps_its_timeout(face: Any) -> None:
    with face.make() as executor, gate() as closed:
        values = executor.map(passes, [closed.path], timeout=0.05)
        with pytest.raises(standard.TimeoutError):
            next(values)
        closed.open()
        assert executor.submit(square, 2).result(SECONDS) == 4


@case
def sizes_of_map_are_checked(face: Any) -> None:
    with face.make() as executor:
        for size in (0, -3):
            with pytest.raises(ValueError, match="chunksize"):
                executor.map(square, [1], chunksize=size)
            with pytest.raises(ValueError, match="buffersize"):
                executor.map(square, [1], buffersize=size)
        for wrong in ("1", 1.5):
            with pytest.raises(TypeError, match="buffersize"):
                executor.map(square, [1], buffersize=wrong)
        for size in (None, 4):
            with pytest.raises(TypeError):
                executor.map(square, buffersize=size)


@case
def a_buffer_bounds_what_is_read_ahead(face: Any) -> None:
    with face.make() as executor:
        for size in (1, 2, 10):
            read = itertools.count()
            values = executor.map(square, read, buffersize=size)
            for x in range(5):
                assert next(values) == x * x
            assert next(read) <= 5 + size
            del values
        assert list(executor.map(square, range(50), buffersize=7)) == [x * x for x in range(50)]
        assert list(executor.map(square, [], buffersize=7)) == []
        assert list(executor.map(square, range(3), buffersize=70)) == [0, 1, 4]


@case
def a_buffer_raises_in_its_place(face: Any) -> None:
    with face.make() as executor:
        values = executor.map(fails_at_three, range(6), buffersize=2)
        assert [next(values) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(LookupError, match="no 3"):
            next(values)


@case
def a_map_that_nobody_reads_is_run(face: Any) -> None:
    with tempfile.TemporaryDirectory() as place:
        with face.make() as executor:
            executor.map(leaves_a_mark, [place] * 50, range(50))
            executor.map(leaves_a_mark, itertools.repeat(place), (x for x in range(50, 60)))
        assert sorted(map(int, os.listdir(place))) == list(range(60))


@case
def values_of_a_map_outlive_the_executor(face: Any) -> None:
    with face.make() as executor:
        whole = executor.map(square, range(3000))
        begun = executor.map(square, (x for x in range(100)))
        assert next(begun) == 0
        failing = executor.map(fails_at_three, range(6))
    assert list(whole) == [x * x for x in range(3000)]
    assert list(begun) == [x * x for x in range(1, 100)]
    assert [next(failing) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(LookupError, match="no 3"):
        next(failing)


@case
def an_error_of_the_users_iterator_comes_after_the_shutdown_too(face: Any) -> None:
    def numbers() -> Any:
        yield from range(4)
        raise OSError("no more numbers")

    with face.make() as executor:
        values = executor.map(square, numbers())
    assert [next(values) for _ in range(4)] == [0, 1, 4, 9]
    with pytest.raises(OSError, match="no more numbers"):
        next(values)


# Futures.


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


# The end.


@case
def nothing_is_taken_after_the_shutdown(face: Any) -> None:
    executor = face.make()
    assert executor.submit(square, 2).result(SECONDS) == 4
    executor.shutdown()
    executor.shutdown(wait=False)
    for call in (executor.submit, executor.map):
        with pytest.raises(RuntimeError, match="shut down"):
            call(square, [1])
    with pytest.raises(RuntimeError, match="shut down"):
        executor.map(square, [1], buffersize=1)


@case
def an_executor_that_did_nothing_ends(face: Any) -> None:
    with face.make():
        pass


@case
def a_block_ends_when_everything_has_run(face: Any) -> None:
    with face.make() as executor:
        futures = [executor.submit(time.sleep, 0.02) for _ in range(6)]
    assert all(future.done() and not future.cancelled() for future in futures)


@parallel
def shutdown_need_not_wait(face: Any) -> None:
    with gate() as closed:
        executor = face.make()
        futures = occupied(executor, closed)
        executor.shutdown(wait=False)
        assert not futures[0].done()
        closed.open()
        assert [future.result(SECONDS) for future in futures] == list(range(len(futures)))


@parallel
def shutdown_can_cancel(face: Any) -> None:
    with gate() as closed:
        executor = face.make()
        futures = occupied(executor, closed)
        values = executor.map(passes, [closed.path] * len(futures))
        until(futures[0].running)
        executor.shutdown(wait=False, cancel_futures=True)
        closed.open()
        executor.shutdown()
        assert all(future.done() for future in futures)
        assert futures[-1].cancelled() and not futures[0].cancelled()
        with pytest.raises(standard.CancelledError):
            list(values)


@parallel
def shutdown_wakes_a_thread_that_reads_a_cancelled_map(face: Any) -> None:
    found: list[BaseException] = []

    def read(values: Any) -> None:
        try:
            list(values)
        except standard.CancelledError as error:
            found.append(error)

    with gate() as closed:
        executor = face.make()
        values = executor.map(passes, [closed.path] * 3)
        reader = threading.Thread(target=read, args=(values,), daemon=True)
        reader.start()
        executor.shutdown(wait=False, cancel_futures=True)
        reader.join(SECONDS)
        assert len(found) == 1


@parallel
def shutdown_waits_while_another_thread_reads_a_map(face: Any) -> None:
    for _ in range(5):
        found: list[int] = []
        executor = face.make()
        values = executor.map(square, range(5000))
        reader = threading.Thread(target=found.extend, args=(values,), daemon=True)
        reader.start()
        executor.shutdown()
        reader.join(SECONDS)
        assert found == [x * x for x in range(5000)]


@parallel
def a_buffered_map_ends_with_its_executor(face: Any) -> None:
    with face.make() as executor:
        values = executor.map(square, itertools.count(), buffersize=3)
        assert next(values) == 0
    assert [next(values) for _ in range(3)] == [1, 4, 9]
    with pytest.raises(RuntimeError, match="shut down"):
        next(values)


# Initializers.

state: dict[str, Any] = {}


def prepare(key: str, value: Any) -> None:
    state[key] = value, state.get(key, (None, 0))[1] + 1


def prepared(key: str) -> Any:
    return state[key], os.getpid()


def broken_initializer(reason: str) -> None:
    raise OSError(reason)


@case
def an_initializer_runs_once_in_each_process(face: Any) -> None:
    with face.make(initializer=prepare, initargs=("once", 7)) as executor:
        calls = [executor.submit(prepared, "once").result(SECONDS) for _ in range(10)]
        calls += executor.map(prepared, ["once"] * 100)
        assert {value for value, _ in calls} == {(7, 1)}
    with face.make(initializer=prepare, initargs=("once", 8)) as executor:
        (value, runs), process = executor.submit(prepared, "once").result(SECONDS)
        known = {pid for _, pid in calls}
        assert value == 8 and runs == 1 + (process in known)
    state.clear()


@case
def a_failing_initializer_breaks_its_executor_alone(face: Any) -> None:
    executor = face.make(initializer=broken_initializer, initargs=("no disk",))
    with pytest.raises(standard.BrokenExecutor, match=r"broken_initializer .*no disk"):
        executor.submit(square, 1).result(SECONDS)
    for call in (executor.submit, executor.map):
        with pytest.raises(standard.BrokenExecutor, match="no disk"):
            call(square, [1])
    executor.shutdown()
    executor = face.make(initializer=broken_initializer, initargs=("no net",))
    with pytest.raises(standard.BrokenExecutor, match="no net"):
        list(executor.map(square, range(10)))
    with pytest.raises(standard.BrokenExecutor, match="no net"):
        executor.submit(square, 1)
    executor.shutdown()
    with face.make() as executor:
        assert executor.submit(square, 2).result(SECONDS) == 4


@case
def initializers_are_checked(face: Any) -> None:
    with pytest.raises(TypeError, match="initializer"):
        face.make(initializer=5)


# What libraries do with executors.


@case
def an_executor_travels_as_an_executor_of_the_place(face: Any) -> None:
    with face.make() as executor:
        assert executor.submit(uses, executor).result(SECONDS) == [0, 1, 4]


@pytest.mark.filterwarnings("ignore:the program was not started")
def uses(executor: Any) -> list[int]:
    with executor:
        return list(executor.map(square, range(3)))
