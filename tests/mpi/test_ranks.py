"""The farm on real ranks; started by tests/test_mpi.py under mpirun, in several sizes."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
import time
from typing import Any

import numpy
import pytest

pytestmark = [pytest.mark.mpi, pytest.mark.timeout(60)]


def square(x: int) -> int:
    return x * x


def fails(x: int) -> int:
    raise ValueError(f"no {x}")


def test_a_million_squares(lead: Any) -> None:
    def body(executor: Any) -> None:
        assert sum(executor.map(square, range(10**6))) == 333332833333500000

    lead(body)


def test_submits_and_standard_waiting(lead: Any) -> None:
    def body(executor: Any) -> None:
        futures = [executor.submit(square, x) for x in range(2000)]
        done, not_done = concurrent.futures.wait(futures, timeout=30)
        assert len(done) == 2000 and not not_done
        assert [future.result() for future in futures] == [x * x for x in range(2000)]

        async def one() -> int:
            return await asyncio.wrap_future(executor.submit(square, 12))

        assert asyncio.run(one()) == 144

    lead(body)


def test_exceptions_by_the_thousand(lead: Any) -> None:
    def body(executor: Any) -> None:
        futures = [executor.submit(fails, x) for x in range(1000)]
        for x, future in enumerate(futures):
            with pytest.raises(ValueError, match=rf"^no {x}\b"):
                future.result(timeout=30)
        assert executor.submit(abs, -42).result(timeout=30) == 42

    lead(body)


def test_eight_threads_submit(lead: Any) -> None:
    def body(executor: Any) -> None:
        sums: list[int] = []

        def series(first: int) -> None:
            futures = [executor.submit(square, first + x) for x in range(200)]
            sums.append(sum(future.result() for future in futures))

        threads = [threading.Thread(target=series, args=(1000 * n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=50)
        assert sorted(sums) == [sum((1000 * n + x) ** 2 for x in range(200)) for n in range(8)]

    lead(body)


def make(megabytes: int) -> Any:
    return numpy.full(megabytes << 17, float(megabytes))


def test_large_arrays_both_ways(lead: Any) -> None:
    def body(executor: Any) -> None:
        for megabytes in (1, 64):
            array = executor.submit(make, megabytes).result(timeout=50)
            assert array.nbytes == megabytes << 20 and (array == megabytes).all()
            assert executor.submit(numpy.sum, array).result(timeout=50) == megabytes * array.size
        rows = list(executor.map(numpy.copy, [make(1)] * 20))
        assert all((row == 1).all() for row in rows)

    lead(body)


kept = numpy.zeros(5 << 17)
"""Memory of a process, which all tasks there write into and return."""


def fills(number: int) -> Any:
    part = kept[: (1 << 17) * (1 + number % 5)]
    part[:] = number
    return part


def test_each_large_result_is_as_it_was_at_the_end_of_its_task(lead: Any) -> None:
    """Those of a batch leave one after the other, and the next task writes into the same memory."""

    def body(executor: Any) -> None:
        for number, value in enumerate(executor.map(fills, range(150))):
            assert value.size == (1 << 17) * (1 + number % 5) and (value == number).all()

    lead(body)


def naps(x: int) -> int:
    time.sleep(1.5 if x == 2 else 0.001)
    return x


@pytest.mark.once
def test_quick_results_do_not_wait_behind_a_long_task(lead: Any) -> None:
    def body(executor: Any) -> None:
        if not hasattr(executor, "farm"):
            return
        list(executor.map(naps, [3] * 100))
        futures = [executor.submit(naps, x) for x in range(6)]
        others = [future for x, future in enumerate(futures) if x != 2]
        if executor.farm.members.size > 1:
            concurrent.futures.wait(others, timeout=30)
            assert not futures[2].done(), "a quick task waited for the long one"
        assert [future.result(timeout=30) for future in futures] == list(range(6))

    lead(body)


@pytest.mark.once
def test_timeouts(lead: Any) -> None:
    def body(executor: Any) -> None:
        if not hasattr(executor, "farm"):
            return
        with pytest.raises(concurrent.futures.TimeoutError):
            executor.submit(time.sleep, 1).result(timeout=0.05)
        with pytest.raises(concurrent.futures.TimeoutError):
            list(executor.map(time.sleep, [0.6] * 3, timeout=0.1))
        assert executor.submit(abs, -42).result(timeout=30) == 42

    lead(body)


def test_an_idle_farm_uses_no_processor(lead: Any) -> None:
    def body(executor: Any) -> None:
        executor.submit(abs, -1).result()
        time.sleep(0.3)
        busy = sum(executor.map(cpu_of_a_second, range(1)))
        begun = time.process_time()
        time.sleep(1)
        assert time.process_time() - begun < 0.05
        assert busy < 0.2

    lead(body)


def cpu_of_a_second(_: int) -> float:
    begun = time.process_time()
    time.sleep(1)
    return time.process_time() - begun
