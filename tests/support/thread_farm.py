"""A farm whose ranks are threads of this process, linked in memory, in real time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from scoopmpi.executors.farm_executor import FarmExecutor
from scoopmpi.farm.farm import Farm
from scoopmpi.worker.worker import Worker
from tests.support.link import Link


@contextmanager
def thread_farm(workers: int) -> Iterator[FarmExecutor]:
    """At the end nothing runs, no message is under way and no thread is left."""
    link = Link(workers + 1)
    farm = Farm(link.transport(0))

    def work(rank: int) -> None:
        worker = Worker(link.transport(rank), leave=lambda: None)
        worker.join(frozenset())
        worker.serve()
        worker.farewell()

    ranks = [
        threading.Thread(target=work, args=(rank,), daemon=True) for rank in range(1, link.size)
    ]
    for rank in ranks:
        rank.start()
    try:
        yield FarmExecutor(farm)
        assert farm.wait_until(lambda: not farm.busy, 20), "something is left behind"
    finally:
        farm.close()
    for rank in ranks:
        rank.join(20)
        assert not rank.is_alive()
    assert link.empty
