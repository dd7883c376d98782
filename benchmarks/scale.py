"""What rank 0 pays for a batch, and how far that reaches: `python benchmarks/scale.py`.

First the real rank 0 is measured, in processor time: in memory, where workers answer at once and
cost nothing, and over MPI, where all ranks share the cores. What is measured is then what a batch
costs in virtual farms of up to 100,000 workers (`scoopmpi/scheduling/simulator.py`).
"""

from __future__ import annotations

import pickle
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from scoopmpi.executors.farm_executor import FarmExecutor
from scoopmpi.farm.farm import Farm
from scoopmpi.scheduling.batching import Policy
from scoopmpi.tasks.executor import Executor
from scoopmpi.wire import payload
from scoopmpi.wire.messages import KINDS, NUMBERS, Finished, Joined, Run

SINGLE = Policy(target=1e-9, shortest=0.0, message=0.0)
"""Each batch is one task, whatever it takes, and each worker has a second one waiting."""


def nothing(number: int) -> int:
    return number


class Workers:
    """A transport behind which every worker answers at once; its messages are pickled as MPI's are.

    Their processor time is taken out of what is measured: what they pickle, rank 0 does not.
    """

    rank = 0

    def __init__(self, workers: int) -> None:
        self.size = workers + 1
        self.seconds = 0.0
        self.batches = 0
        self._answers: deque[tuple[int, bytes]] = deque()
        for worker in range(1, self.size):
            self._answer(worker, Joined("host", worker, "", frozenset(), (), b""))

    def _answer(self, worker: int, message: Any) -> None:
        self._answers.append((worker, pickle.dumps((NUMBERS[type(message)], *message), 5)))

    def send(self, to: int, message: Any) -> None:
        data = pickle.dumps((NUMBERS[type(message)], *message), 5)
        begun = time.thread_time()
        if type(message) is Run:
            number, *fields = pickle.loads(data)
            run = KINDS[number]._make(fields)
            values = payload.pack(list(payload.unpack(run.tasks)[0]))
            end = run.stop
            self._answer(to, Finished(run.job, run.start, end, 0.01, end, end, True, values, ()))
            self.batches += 1
        self.seconds += time.thread_time() - begun

    def receive(self) -> tuple[int, Any] | None:
        if not self._answers:
            return None
        worker, data = self._answers.popleft()
        number, *fields = pickle.loads(data)
        return worker, KINDS[number]._make(fields)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

    def abort(self, status: int) -> None:
        raise SystemExit(status)


def in_memory(workers: int, batches: int) -> float:
    """Seconds of processor time that rank 0 needs for a batch of one task, without MPI."""
    transport = Workers(workers)
    farm = Farm(transport, SINGLE, progress_thread=False)
    executor = FarmExecutor(farm)
    while farm.step():
        pass  # until all have joined
    return _each(executor, batches, lambda: transport.seconds)


def _each(executor: Executor, batches: int, apart: Callable[[], float] = lambda: 0.0) -> float:
    list(executor.map(nothing, range(batches // 10)))
    begun, without = time.thread_time(), apart()
    assert sum(executor.map(nothing, range(batches))) == batches * (batches - 1) // 2
    return (time.thread_time() - begun - (apart() - without)) / batches


if __name__ == "__main__":
    for workers in (2, 16, 1000):
        print(workers, [f"{in_memory(workers, 20_000) * 1e6:.1f}" for _ in range(3)])
