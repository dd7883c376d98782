"""What a block has left to its end, on real ranks: maps that nobody reads, executors in tasks."""

from __future__ import annotations

import itertools
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from scoopmpi import futures
from scoopmpi.executors.comm_executor import MPICommExecutor, MPIExecutor
from tests.executors.conformance.lifecycle import begins_and_ends, running

pytestmark = [pytest.mark.mpi, pytest.mark.timeout(60)]


def mark(place: str, x: Any) -> None:
    time.sleep(0.001)
    Path(place, str(x)).touch()


kept: list[Any] = []


def leaves(place: str, x: int) -> None:
    """A task that leaves a map, a map of a map, and an executor."""
    names = [f"{x}.{y}" for y in range(10)]
    futures.map(mark, itertools.repeat(place), iter(names[:3]))
    futures.map(mark, itertools.repeat(place), futures.map(str, iter(names[3:6])))
    made = MPIExecutor()
    kept.append(made)
    for name in names[6:]:
        made.submit(mark, place, name)


@pytest.mark.parametrize("read", [True, False])
def test_all_of_it_has_run_when_the_root_leaves(read: bool) -> None:
    with tempfile.TemporaryDirectory() as place:
        with MPICommExecutor() as executor:
            if executor is not None:
                futures.map(mark, itertools.repeat(place), (f"root {x}" for x in range(50)))
                values = executor.map(leaves, itertools.repeat(place), range(6))
                if read:
                    list(values)
        if executor is not None:
            assert len(os.listdir(place)) == 50 + 60


def test_an_exception_in_the_block_starts_nothing_more() -> None:
    with tempfile.TemporaryDirectory() as place:
        executor: Any = None
        with pytest.raises(LookupError) if lead() else tempfile.TemporaryFile():  # noqa: SIM117
            with MPICommExecutor() as executor:
                if executor is not None:
                    futures.map(mark, itertools.repeat(place), itertools.count())
                    futures.map(mark, itertools.repeat(place), iter(int, 1))
                    raise LookupError("from the root")
        if executor is not None:
            assert len(os.listdir(place)) < 1000


def lead() -> bool:
    from scoopmpi.wire.transport import mpi

    return bool(mpi().COMM_WORLD.rank == 0)


def leaves_a_block(place: str) -> bool:
    with MPIExecutor() as inner:
        values = inner.map(begins_and_ends, itertools.repeat(place), iter(range(40)), ordered=False)
        with pytest.raises(LookupError):
            list(values)
    return not running(place)


def test_a_block_inside_a_task_waits_for_what_runs() -> None:
    with MPICommExecutor() as executor:
        if executor is not None:
            with tempfile.TemporaryDirectory() as place:
                assert executor.submit(leaves_a_block, place).result(30)
