"""Cases about shutdown, initializers, and what libraries do."""

from __future__ import annotations

import concurrent.futures as standard
import contextlib
import itertools
import logging
import multiprocessing
import os
import pickle
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from scoopmpi.executors.mpi_executor import MPIExecutor
from scoopmpi.process import identity

from .face import SECONDS, case, gate, occupied, parallel, passes, square, until


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


@case
def a_cancelling_shutdown_ends_where_all_was_taken_but_the_end(face: Any) -> None:
    for iterable in (range(5), iter(range(5)), five_and_a_failure()):
        executor = face.make()
        values = executor.map(square, iterable)
        assert [next(values) for _ in range(5)] == [0, 1, 4, 9, 16]
        executor.shutdown(cancel_futures=True)
        with pytest.raises((StopIteration, LookupError, standard.CancelledError)):
            next(values)


def five_and_a_failure() -> Iterator[int]:
    yield from range(5)
    raise LookupError("no more")


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
def a_failed_initializer_is_logged_once(face: Any) -> None:
    def by_calls(executor: Any) -> None:
        standard.wait([executor.submit(square, 1) for _ in range(5)], SECONDS)

    def by_a_map(executor: Any) -> None:
        list(executor.map(square, range(10)))

    def by_a_map_that_nobody_reads(executor: Any) -> None:
        executor.map(square, range(10))

    def by_a_map_that_nobody_has_read_yet(executor: Any) -> None:
        values.append(executor.map(square, range(10)))

    values: list[Any] = []
    for run in (
        by_calls, by_a_map, by_a_map_that_nobody_reads, by_a_map_that_nobody_has_read_yet,
    ):  # fmt: skip
        with logged("concurrent.futures") as records:
            executor = face.make(initializer=broken_initializer, initargs=("no room",))
            with contextlib.suppress(standard.BrokenExecutor):
                run(executor)
            executor.shutdown()
            with contextlib.suppress(standard.BrokenExecutor):
                list(*values)
        assert [record.levelname for record in records] == ["CRITICAL"]
        text = logging.Formatter().format(records[0])
        assert text.startswith("Exception in initializer:\n") and "OSError: no room" in text
        assert "in broken_initializer" in text and (face.serial or "on rank " in text)


@contextlib.contextmanager
def logged(name: str) -> Iterator[list[logging.LogRecord]]:
    """What a logger is told meanwhile, and nobody else is."""
    records: list[logging.LogRecord] = []
    logger = logging.getLogger(name)
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]
    logger.addHandler(handler)
    logger.propagate, before = False, logger.propagate
    try:
        yield records
    finally:
        logger.propagate = before
        logger.removeHandler(handler)


@case
def initializers_are_checked(face: Any) -> None:
    with pytest.raises(TypeError, match="initializer"):
        face.make(initializer=5)


# What libraries do with executors.


@case
def keywords_of_other_executors_are_taken(face: Any) -> None:
    taken = {"mp_context": multiprocessing.get_context("spawn"), "max_tasks_per_child": 5}
    taken |= {"thread_name_prefix": "mine", "python_exe": "python", "python_args": ["-O"]}
    taken |= {"mpi_info": {"host": "a"}, "main": False, "use_pkl5": True, "backoff": 0.1}
    identity.this._told.clear()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for _ in range(2):
            face.make(**taken).shutdown()
    said = {str(each.message).partition("=")[0] for each in told}
    assert said == {"max_tasks_per_child", "python_exe", "python_args", "mpi_info"}
    assert len(told) == 4, "each is told once"
    with face.make(max_workers=1, **taken) as executor:
        assert list(executor.map(square, [2])) == [4]
    with pytest.raises(TypeError, match="no keyword argument 'max_worker'"):
        face.make(max_worker=2)
    with pytest.raises(ValueError, match="max_tasks_per_child"):
        face.make(max_tasks_per_child=0)
    with pytest.raises(TypeError, match="max_tasks_per_child"):
        face.make(max_tasks_per_child="5")
    for missed in ({"env": {"A": "1"}}, {"globals": {"x": 1}}, {"path": ["/"]}, {"wdir": "/"}):
        with pytest.warns(RuntimeWarning, match=f"{next(iter(missed))}= changes nothing"):
            face.make(**missed).shutdown()


@case
def booting_up_is_waiting_for_the_workers(face: Any) -> None:
    with face.make() as executor:
        assert executor.bootup() is executor.bootup(wait=False) is executor
        assert executor.bootup().submit(square, 2).result(SECONDS) == 4
    with pytest.raises(RuntimeError, match="shut down"):
        executor.bootup()


@case
def libraries_find_the_number_of_workers(face: Any) -> None:
    """As adaptive asks, and dask."""
    theirs = pytest.importorskip("mpi4py.futures")
    with face.make() as executor:
        assert isinstance(executor, theirs.MPIPoolExecutor) and isinstance(executor, MPIExecutor)
        assert executor.__class__.__name__ == "MPIExecutor" and type(executor) is MPIExecutor
        executor.bootup()
        assert executor._pool.size == executor._max_workers == executor.num_workers
        assert type(pickle.loads(pickle.dumps(executor))) is MPIExecutor


@case
def an_executor_travels_as_an_executor_of_the_place(face: Any) -> None:
    with face.make() as executor:
        assert executor.submit(uses, executor).result(SECONDS) == [0, 1, 4]


@pytest.mark.filterwarnings("ignore:the program was not started")
def uses(executor: Any) -> list[int]:
    with executor:
        return list(executor.map(square, range(3)))
