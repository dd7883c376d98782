"""`MPICommExecutor` on real ranks: every rank runs every test, as in a user's own MPI program."""

from __future__ import annotations

import concurrent.futures
import gc
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest

from scoopmpi import futures
from scoopmpi.executors.comm_executor import MPICommExecutor, MPIExecutor
from scoopmpi.executors.pool import Pool
from scoopmpi.farm.farm import Farm
from scoopmpi.process import identity
from scoopmpi.wire.transport import mpi
from scoopmpi.worker.worker import Worker
from tests.executors.conformance import CASES, Face

pytestmark = [pytest.mark.mpi, pytest.mark.timeout(60)]
MPI = mpi()


def square(x: int) -> int:
    return x * x


def fails(x: int) -> int:
    raise ValueError(f"no {x}")


def where(_: Any) -> int:
    time.sleep(0.002)
    return int(MPI.COMM_WORLD.rank)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_conformance(case: Callable[[Any], None]) -> None:
    with MPICommExecutor() as executor:
        if executor is not None:
            case(Face(MPIExecutor, serial=MPI.COMM_WORLD.size == 1))


class Counted(MPI.Intracomm):  # type: ignore[misc,name-defined]
    """A communicator that counts what is made of it and not given back."""

    alive = 0

    def Dup(self, *args: Any) -> Any:
        Counted.alive += 1
        return Counted(super().Dup(*args))

    def Split(self, *args: Any) -> Any:
        Counted.alive += 1
        return Counted(super().Split(*args))

    def Free(self) -> None:
        Counted.alive -= 1
        super().Free()


@pytest.mark.once
def test_nothing_is_left_behind() -> None:
    until = time.monotonic() + 10
    while any(each.name == "scoopmpi reader" for each in threading.enumerate()):
        assert time.monotonic() < until, "of the tests before; they go after a second"
        time.sleep(0.02)
    before = (
        threading.enumerate(), sys.stdout, sys.stderr, futures.submit,
        [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
    )  # fmt: skip
    comm = Counted(MPI.COMM_WORLD)
    for turn in range(60):
        with MPICommExecutor(comm, turn % comm.size) as executor:
            assert (executor is not None) == (comm.rank == turn % comm.size)
            if executor is not None and turn % 3:
                assert sum(executor.map(square, range(100))) == 328350
    assert Counted.alive == 0
    gc.collect()
    alive = [each for each in gc.get_objects() if type(each) in (Worker, Farm)]
    assert len(alive) <= 2, "of 60 farms only the last is still in some variable"
    assert before == (
        threading.enumerate(), sys.stdout, sys.stderr, futures.submit,
        [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
    )  # fmt: skip


def test_all_other_ranks_work() -> None:
    comm = MPI.COMM_WORLD
    root = comm.size - 1
    block = MPICommExecutor(root=root)
    for _ in range(2):  # the same object may serve again
        with block as executor:
            if executor is not None:
                assert executor.num_workers == max(1, comm.size - 1)
                ranks = set(executor.map(where, range(60)))
                assert ranks == set(range(comm.size)) - ({root} if comm.size > 1 else set())


def test_farms_side_by_side() -> None:
    world = MPI.COMM_WORLD
    part = world.Split(world.rank % 2, world.rank)
    try:
        for root in {0, part.size - 1}:
            with MPICommExecutor(part, root) as executor:
                if executor is not None:
                    ranks = set(executor.map(where, range(30)))
                    assert all(rank % 2 == world.rank % 2 for rank in ranks)
                    assert sum(executor.map(square, range(1000))) == 332833500
    finally:
        part.Free()


def test_one_rank_leads_two_farms() -> None:
    world = MPI.COMM_WORLD
    rank, half = world.rank, 1 + world.size // 2
    left = world.Split(0 if rank < half else MPI.UNDEFINED)
    right = world.Split(0 if rank == 0 or rank >= half else MPI.UNDEFINED)

    def inside(outer: Any) -> None:
        with MPICommExecutor(right) as inner:
            if inner is not None:
                assert sum(inner.map(square, range(100))) == 328350
                assert sum(outer.map(square, range(100))) == 328350

    if rank == 0:
        with MPICommExecutor(left) as outer:
            inside(outer)
            assert outer.submit(square, 5).result(20) == 25
    elif rank < half:
        with MPICommExecutor(left):
            pass
    else:
        inside(None)
    for comm in (left, right):
        if comm:
            comm.Free()


class Trouble(Exception):
    pass


def test_an_exception_of_the_root_releases_the_workers_and_comes_out() -> None:
    for error in (Trouble("body"), SystemExit(3)):
        waiting = None
        try:
            with MPICommExecutor() as executor:
                if executor is not None:
                    if MPI.COMM_WORLD.size > 1:
                        values = executor.map(square, range(10**7))
                        next(values)
                        waiting = [executor.submit(time.sleep, 0.05) for _ in range(500)]
                    raise error
        except BaseException as caught:
            assert caught is error and MPI.COMM_WORLD.rank == 0
        else:
            assert MPI.COMM_WORLD.rank != 0
        if waiting is not None:
            assert waiting[-1].cancelled() and all(future.done() for future in waiting)
            with pytest.raises(concurrent.futures.CancelledError):
                list(values)
        MPI.COMM_WORLD.Barrier()  # the user's own messages are untouched


def test_an_exception_of_another_rank_comes_out_there() -> None:
    if MPI.COMM_WORLD.rank == 0:
        with MPICommExecutor() as executor:
            assert executor is not None and executor.submit(square, 3).result(20) == 9
    else:
        with pytest.raises(Trouble), MPICommExecutor() as executor:
            raise Trouble("on a worker")


def test_tasks_that_raise() -> None:
    with MPICommExecutor() as executor:
        if executor is not None:
            calls = [executor.submit(fails, x) for x in range(300)]
            for x, call in enumerate(calls):
                with pytest.raises(ValueError, match=rf"^no {x}\b"):
                    call.result(20)
            with pytest.raises(SystemExit):
                executor.submit(sys.exit, 3).result(20)
            assert executor.submit(square, 3).result(20) == 9


def test_big_arrays() -> None:
    with MPICommExecutor() as executor:
        if executor is not None:
            array = numpy.arange(4 << 20, dtype="f8")
            calls = [executor.submit(numpy.multiply, array, x) for x in range(3)]
            for x, call in enumerate(calls):
                assert numpy.array_equal(call.result(30), x * array)
            late = executor.map(numpy.negative, [array[:100_000]] * 10)
    if executor is not None:
        assert all(numpy.array_equal(value, -array[:100_000]) for value in late)


def marks(path: str) -> None:
    time.sleep(0.4)
    Path(path).touch()


def test_a_task_that_runs_when_the_root_leaves_is_finished(tmp_path: Path) -> None:
    with MPICommExecutor() as executor:
        if executor is not None and MPI.COMM_WORLD.size > 1:
            begun = [executor.submit(marks, str(tmp_path / f"{x}")) for x in range(2)]
            values = executor.map(marks, [str(tmp_path / f"of map {x}") for x in range(40)])
            while not begun[0].running():
                time.sleep(0.001)
            executor.shutdown(wait=False, cancel_futures=True)
            with pytest.raises(concurrent.futures.CancelledError):
                next(values)
    if executor is not None and MPI.COMM_WORLD.size > 1:
        assert begun[0].done() and "0" in os.listdir(tmp_path)
        assert len(os.listdir(tmp_path)) < 40


def nested(n: int) -> int:
    if n == 0:
        return 1
    with MPIExecutor() as executor, Pool() as pool:
        parts = [sum(futures.map(nested, [n - 1])), sum(executor.map(nested, [n - 1]))]
        return sum(parts) + pool.map(nested, [0])[0] + pool.map_async(nested, [0]).get(20)[0]


def test_tasks_have_tasks_of_their_own() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with MPICommExecutor() as executor:
            if executor is not None:
                assert list(executor.map(nested, [1, 2, 3, 4])) == [4, 10, 22, 46]
                assert list(futures.map(nested, [2, 1])) == [10, 4]


def test_functions_that_only_the_root_has() -> None:
    with MPICommExecutor() as executor:
        if executor is not None:
            offset = 5

            def shifted(x: int) -> int:
                return square(x) + offset

            assert list(executor.map(shifted, range(4))) == [5, 6, 9, 14]
            assert executor.submit(lambda x: -shifted(x), 1).result(20) == -6


def test_wrong_communicators_are_refused_on_all_ranks() -> None:
    world = MPI.COMM_WORLD
    for root in (-1, world.size):
        with pytest.raises(ValueError, match=f"root is {root}"):
            MPICommExecutor(world, root)
    with pytest.raises(ValueError, match="intracommunicator"):
        MPICommExecutor(MPI.COMM_NULL)
    if world.size > 1:
        part = world.Split(min(world.rank, 1))
        between = part.Create_intercomm(0, world, 1 - min(world.rank, 1))
        with pytest.raises(ValueError, match="intracommunicator"):
            MPICommExecutor(between)
        between.Free()
        part.Free()


def test_keywords_of_mpi4pys_block_are_taken() -> None:
    root = MPI.COMM_WORLD.size - 1
    identity.this._told.clear()  # each is told once in a program
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        block = MPICommExecutor(root=root, max_workers=2, main=False, path=["/"])
    assert [str(each.message).partition(" ")[0] for each in seen] == ["path="] * (
        MPI.COMM_WORLD.rank == root
    )
    with block as executor:
        if executor is not None:
            assert list(executor.starmap(pow, [(2, 3)])) == [8]
    with pytest.raises(TypeError, match="no keyword argument 'roots'"):
        MPICommExecutor(roots=1)
    with pytest.raises(ValueError, match="max_workers is 0"):
        MPICommExecutor(max_workers=0)


def test_a_block_cannot_be_entered_twice_at_a_time() -> None:
    block = MPICommExecutor()
    with block as executor:
        if executor is not None:
            with pytest.raises(RuntimeError, match="in use"):
                block.__enter__()
