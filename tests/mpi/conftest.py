"""A farm on the ranks that run these tests: rank 0 has the executor, the others work.

Every rank runs every test function; on workers the fixture returns when the farm has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from scoopmpi.executors import farm_executor
from scoopmpi.executors.farm_executor import FarmExecutor, SerialExecutor
from scoopmpi.farm.farm import Farm
from scoopmpi.process import identity
from scoopmpi.wire.transport import MPITransport
from scoopmpi.worker.worker import Worker


@pytest.fixture
def lead(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[Any], None]], None]]:
    """Call it with what rank 0 is to do with the executor; collective."""

    def run(body: Callable[[Any], None]) -> None:
        transport = MPITransport()
        monkeypatch.setattr(identity, "started", True)
        monkeypatch.setattr(identity, "rank", transport.rank)
        if transport.size == 1:
            body(SerialExecutor())
        elif transport.rank == 0:
            farm = Farm(transport)
            farm_executor.install(FarmExecutor(farm))
            try:
                body(farm_executor.current())
            finally:
                farm_executor.install(None)
                farm.close()
        else:
            worker = Worker(transport, leave=lambda: None)
            farm_executor.install(worker.nest)
            worker.join(frozenset())
            worker.serve()
            worker.farewell()
            farm_executor.install(None)

    yield run
