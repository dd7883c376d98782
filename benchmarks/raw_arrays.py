"""What a program by hand gets out of MPI with large arrays: what the machine can do.

Rank 0 sends and receives without a pickle, all memory is recycled, tasks are shared out before they
start, and what is the same is broadcast once. Whoever is faster does not send.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
from array_cases import Array, Case, look, make_in, read

Job = Callable[[], None]


def figures(every: Iterable[Case], seconds: float) -> dict[str, list[float]]:
    """The figures of each map of each case, as rank 0 sees it; all ranks call this together."""
    from mpi4py import MPI

    comm, found = MPI.COMM_WORLD, {}
    for case in every:
        if case.way.startswith("bytes"):
            continue
        one = (_leads if comm.rank == 0 else _follows)(comm, case)
        taken: list[float] = []
        begun = time.perf_counter()
        while comm.bcast(len(taken) < 2 or time.perf_counter() - begun < seconds):
            at = time.perf_counter()
            one()
            taken.append(time.perf_counter() - at)
        found[case.name] = [case.figure(each, comm.size - 1) for each in taken]
    return found if comm.rank == 0 else {}


def _value(case: Case, array: Array) -> float:
    return read(0, array) if case.read else look(0, array)


def _tasks(case: Case, rank: int, workers: int) -> int:
    """How many a worker gets."""
    return len(range(rank - 1, case.tasks, workers))


def _leads(comm: Any, case: Case) -> Job:
    workers = comm.size - 1
    if case.way == "distinct arguments":
        arrays = [np.ones(case.numbers) for _ in range(case.tasks)]
        return partial(_sends, comm, case, arrays)
    if case.way.startswith(("results", "efficiency")):
        two_each = [np.ones(case.numbers) for _ in range(2 * workers)]
        return partial(_receives, comm, case, two_each)
    return partial(_broadcasts, comm, case, np.ones(case.numbers))


def _follows(comm: Any, case: Case) -> Job:
    own = np.ones(case.numbers)
    if case.way == "distinct arguments":
        return partial(_takes, comm, case, own)
    if case.way.startswith(("results", "efficiency")):
        return partial(_makes, comm, case, own)
    return partial(_broadcasts, comm, case, own)


def _receives(comm: Any, case: Case, recycled: list[Array]) -> None:
    """Results; where they are kept, each goes into memory of its own."""
    from mpi4py import MPI

    workers = comm.size - 1
    left = {rank: _tasks(case, rank, workers) for rank in range(1, workers + 1)}
    kept = case.way == "results, kept"
    buffers, requests = [], []
    for place, array in enumerate(recycled):
        source = 1 + place % workers
        buffers.append(np.empty(case.numbers) if kept else array)
        requests.append(comm.Irecv(buffers[-1], source) if left[source] else MPI.REQUEST_NULL)
        left[source] -= 1
    arrays = []
    for _ in range(case.tasks):
        place = MPI.Request.Waitany(requests)
        source = 1 + place % workers
        assert _value(case, buffers[place]) > 0
        if kept:
            arrays.append(buffers[place])
            buffers[place] = np.empty(case.numbers)
        if left[source] > 0:
            requests[place] = comm.Irecv(buffers[place], source)
            left[source] -= 1


def _makes(comm: Any, case: Case, own: Array) -> None:
    for _ in range(_tasks(case, comm.rank, comm.size - 1)):
        if case.seconds:
            own = make_in(case.seconds, case.numbers)
        else:
            own.fill(1.0)
        comm.Send(own, 0)


def _sends(comm: Any, case: Case, arrays: list[Array]) -> None:
    from mpi4py import MPI

    workers = comm.size - 1
    MPI.Request.Waitall(
        [comm.Isend(array, 1 + place % workers) for place, array in enumerate(arrays)]
    )
    assert sum(map(len, comm.gather([]))) == case.tasks


def _takes(comm: Any, case: Case, own: Array) -> None:
    values = []
    for _ in range(_tasks(case, comm.rank, comm.size - 1)):
        comm.Recv(own, 0)
        values.append(_value(case, own))
    comm.gather(values)


def _broadcasts(comm: Any, case: Case, table: Array) -> None:
    comm.Bcast(table)
    mine = _tasks(case, comm.rank, comm.size - 1) if comm.rank else 0
    values = comm.gather([_value(case, table) for _ in range(mine)])
    assert values is None or sum(map(len, values)) == case.tasks
