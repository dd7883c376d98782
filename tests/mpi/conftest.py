"""A farm on the ranks that run these tests: rank 0 has the executor, the others work.

Every rank runs every test function; on workers the fixture returns when the farm has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from scoopmpi import executor, runtime
from scoopmpi.executor import FarmExecutor, SerialExecutor
from scoopmpi.farm import Farm
from scoopmpi.transport import MPITransport
from scoopmpi.worker import Worker


@pytest.fixture
def lead(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[Any], None]], None]]:
    """Call it with what rank 0 is to do with the executor; collective."""

    def run(body: Callable[[Any], None]) -> None:
        transport = MPITransport()
        monkeypatch.setattr(runtime, "started", True)
        monkeypatch.setattr(runtime, "rank", transport.rank)
        if transport.size == 1:
            body(SerialExecutor())
        elif transport.rank == 0:
            farm = Farm(transport)
            executor.install(FarmExecutor(farm))
            try:
                body(executor.current())
            finally:
                executor.install(None)
                farm.close()
        else:
            worker = Worker(transport, leave=lambda: None)
            executor.install(worker.nest)
            worker.join(frozenset())
            worker.serve()
            worker.farewell()
            executor.install(None)

    yield run
