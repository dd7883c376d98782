"""`MPIExecutor` keeps what `concurrent.futures` promises: serially, and on a farm of threads.

The same cases run on real ranks in tests/mpi/test_collective.py.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from scoopmpi.executor import FarmExecutor, SerialExecutor
from scoopmpi.farm import Farm
from scoopmpi.pep3148 import MPIExecutor
from scoopmpi.worker import Worker
from tests.conformance import CASES, Face
from tests.link import Link

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.filterwarnings("ignore:the program was not started"),
]


@pytest.fixture(scope="module", params=[1, 3])
def threads(request: pytest.FixtureRequest) -> Iterator[Face]:
    """A farm whose ranks are threads of this process."""
    link = Link(request.param + 1)
    farm = Farm(link.transport(0))

    def work(rank: int) -> None:
        worker = Worker(link.transport(rank), leave=lambda: None)
        worker.join(frozenset())
        worker.serve()
        worker.farewell()

    workers = [
        threading.Thread(target=work, args=(rank,), daemon=True) for rank in range(1, link.size)
    ]
    for worker in workers:
        worker.start()
    try:
        yield Face(partial(MPIExecutor, base=FarmExecutor(farm)), serial=False)
        farm.wait_until(lambda: not farm._busy(), 20)
        assert not farm._busy(), "something is left behind"
    finally:
        farm.close()
    for worker in workers:
        worker.join(20)
        assert not worker.is_alive()
    assert link.empty


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_serially(case: Callable[[Any], None]) -> None:
    case(Face(partial(MPIExecutor, base=SerialExecutor()), serial=True))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_on_a_farm(case: Callable[[Any], None], threads: Face) -> None:
    case(threads)
