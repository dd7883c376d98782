"""A farm on the ranks that run these tests: rank 0 has the executor, the others work.

Every rank runs every test function; on workers the fixture returns when the farm has ended.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from scoopmpi.executors.farm_executor import FarmExecutor
from scoopmpi.farm.farm import Farm
from scoopmpi.process import identity
from scoopmpi.tasks import current_executor
from scoopmpi.tasks.serial import SerialExecutor
from scoopmpi.wire.transport import MPITransport
from scoopmpi.worker.worker import Worker


@pytest.fixture
def lead(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[Any], None]], None]]:
    """Call it with what rank 0 is to do with the executor; collective."""

    def run(body: Callable[[Any], None]) -> None:
        transport = MPITransport()
        assert transport.size == int(os.environ.get("TESTS_RANKS", transport.size))
        monkeypatch.setattr(identity.this, "started", True)
        monkeypatch.setattr(identity.this, "rank", transport.rank)
        if transport.size == 1:
            body(SerialExecutor())
        elif transport.rank == 0:
            farm = Farm(transport)
            current_executor.install(FarmExecutor(farm))
            try:
                body(current_executor.current())
            finally:
                current_executor.install(None)
                farm.close()
        else:
            worker = Worker(transport, leave=lambda: None)
            current_executor.install(worker.nested)
            worker.join(frozenset())
            worker.serve()
            worker.farewell()
            current_executor.install(None)

    yield run
