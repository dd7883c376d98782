"""`MPIExecutor` keeps what `concurrent.futures` promises: serially, and on a farm of threads.

The same cases run on real ranks in tests/mpi/test_collective.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from scoopmpi.executors.mpi_executor import MPIExecutor
from scoopmpi.tasks.serial import SerialExecutor
from tests.executors.conformance import CASES, Face
from tests.support.thread_farm import thread_farm

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.filterwarnings("ignore:the program was not started"),
]


@pytest.fixture(scope="module", params=[1, 3])
def on_threads(request: pytest.FixtureRequest) -> Iterator[Face]:
    with thread_farm(request.param) as executor:
        yield Face(partial(MPIExecutor, base=executor), serial=False)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_serially(case: Callable[[Any], None]) -> None:
    case(Face(partial(MPIExecutor, base=SerialExecutor()), serial=True))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_on_a_farm(case: Callable[[Any], None], on_threads: Face) -> None:
    case(on_threads)
