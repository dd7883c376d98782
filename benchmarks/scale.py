"""What rank 0 pays for a batch, and how far that reaches: `python benchmarks/scale.py`.

First the real rank 0 is measured, in processor time: in memory, where workers answer at once and
cost nothing, and over MPI, where all ranks share the cores. What is measured is then what a batch
costs in virtual farms of up to 100,000 workers (`scoopmpi/scheduling/simulator.py`).
"""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from work import skewed

from scoopmpi.concurrency import backoff
from scoopmpi.executors.farm_executor import FarmExecutor
from scoopmpi.farm.driver import Driver
from scoopmpi.farm.due import Due
from scoopmpi.farm.farm import Farm
from scoopmpi.scheduling.batching import Policy
from scoopmpi.scheduling.floors import simulate_floors
from scoopmpi.scheduling.pollers import Pauses
from scoopmpi.scheduling.scheduler import Assignment, Scheduler
from scoopmpi.scheduling.simulator import Costs, simulate
from scoopmpi.tasks import current_executor
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

    def rest(self) -> float | None:
        return None

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


# The real farm's waits, in virtual time.

LOOK, SLACK = 3e-6, 70e-6
"""Seconds of a look, and how much longer a sleep takes than it should, by Linux' default."""
SHARED, ALONE = Policy().message, 20e-6
"""Seconds for a batch of a rank 0 that shares its core, and of one that has it for itself: as
measured over MPI, and in memory, rounded up."""
COLD = Costs(message=60e-6, worker=60e-6, latency=5e-6, map=100e-6)
"""On two cores, where each message finds caches cold: chosen so that the small maps of
`benchmarks/peers.py` come out as they are measured, within 0.05."""


AS_SLEPT = ", as slept"
"""Behind the name of naps: the efficiency of tasks that were as long as the sleeps really were."""


def real_pauses() -> Pauses:
    """How the ranks of the farm wait, as `farm/driver.py` and `worker/worker.py` say it; for one
    simulation."""
    due = Due()

    def worker(idle: float) -> float:
        if idle < backoff.YIELD_SECONDS:
            return LOOK
        return backoff.seconds(idle) + SLACK

    def rank0(scheduler: Scheduler, idle: float, now: float) -> float:
        since, time_due, awaited = due.look(now)
        if time_due is not None and not awaited and not scheduler.idle:
            early = max(idle / 2, backoff.EARLY_SECONDS)
            return LOOK + min(time_due - now, early, backoff.LONGEST)
        waited = min(idle, now - since)
        yields = backoff.CROWDED_YIELD_SECONDS if scheduler.idle else 0.0
        if due.idle_before(now - backoff.YIELD_SECONDS):
            yields = backoff.YIELD_SECONDS
        if waited < yields:
            return LOOK
        length = backoff.seconds(waited)
        return LOOK + (length if time_due is None else min(length, time_due - now))

    return Pauses(worker, rank0, due.given, due.answered)


def remembering(scheduler: Scheduler, job: int, tasks: int) -> list[Assignment]:
    """Begin a map of the function of the map before."""
    return scheduler.submitted(job, tasks, pace=scheduler.remembered(job - 1))


def simulated(seconds: float, tasks: int, workers: int, generations: int, naps: bool) -> float:
    """The efficiency of maps of tasks that take so long; naps: that end as late as sleeps do."""
    durations = [seconds + (SLACK if naps else 0.0)] * tasks
    report = simulate(
        durations, workers, costs=COLD, pauses=real_pauses(), generations=generations,
        submits=remembering,
    )  # fmt: skip
    return seconds * tasks * generations / workers / report.makespan


def sleeps(seconds: float) -> float:
    """Sleep; return how long that took, which is longer, and much longer on busy cores."""
    begun = time.perf_counter()
    time.sleep(seconds)
    return time.perf_counter() - begun


def measured_here() -> dict[str, float]:
    """On the ranks of a real farm: what a batch costs rank 0, and the efficiency of naps."""
    executor = current_executor.current()
    assert isinstance(executor, FarmExecutor)
    list(executor.map(nothing, range(1000)))
    naps: dict[str, float] = {}
    for name, (seconds, tasks) in naps_for(executor.workers).items():
        begun = time.perf_counter()
        slept = sum(executor.map(sleeps, [seconds] * tasks))
        share = executor.workers * (time.perf_counter() - begun)
        naps |= {name: seconds * tasks / share, f"{name}{AS_SLEPT}": slept / share}
    executor.farm._scheduler.policy = SINGLE
    waits = Waits(executor.farm._driver)
    each = min(_each(executor, 5000, lambda: waits.seconds) for _ in range(5))
    return {"us": each * 1e6, **naps}


class Waits:
    """What rank 0 spends while it waits: taken out, as it has nothing to do then."""

    def __init__(self, driver: Driver) -> None:
        self.seconds = 0.0
        self._pause = driver._pause
        driver._pause = self._timed  # type: ignore[method-assign]

    def _timed(self, now: float, last: float, deadline: float | None) -> None:
        begun = time.thread_time()
        self._pause(now, last, deadline)
        self.seconds += time.thread_time() - begun


def naps_for(workers: int) -> dict[str, tuple[float, int]]:
    """Seconds and number of tasks of each map of naps."""
    naps = {"1 s": (1.0, 1), "100 ms": (0.1, 10), "10 ms": (0.01, 50), "3 ms": (0.003, 100)}
    return {name: (seconds, each * workers) for name, (seconds, each) in naps.items()}


def over_mpi(workers: int) -> dict[str, float]:
    """What a real farm of so many workers says of itself."""
    words = [sys.executable, "-m", "scoopmpi", "-q", "-n", str(workers), __file__, "--here"]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, timeout=300, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


# The tables.


def costs_and_naps() -> Iterator[str]:
    """What a batch costs rank 0, and naps as they are and as they are simulated."""
    yield "| workers | in memory, us | over MPI, us | naps | measured | simulated |"
    yield "|---:|---:|---:|---|---:|---:|"
    for workers in (2, 16):
        real = over_mpi(workers)
        inside = in_memory(workers, 20_000) * 1e6
        for name, (seconds, tasks) in naps_for(workers).items():
            found = simulated(seconds, tasks, workers, 1, True)
            yield (
                f"| {workers} | {inside:.1f} | {real['us']:.1f} "
                f"| {name} | {real[name]:.3f} | {found:.3f} |"
            )
    yield f"| 1000 | {in_memory(1000, 20_000) * 1e6:.1f} | | | | |"


def large_farms(message: float) -> Iterator[str]:
    """The efficiency of farms where a batch costs rank 0 so many seconds."""
    jobs = {"1 s, 10 a worker": (1.0, 10), "0.1 s, 40 a worker": (0.1, 40)}
    yield f"| workers, a batch {message * 1e6:.0f} us | {' | '.join(jobs)} |"
    yield "|---:|---:|---:|"
    for workers in (2, 16, 64, 1000, 10_000):
        found = [simulate([seconds] * each * workers, workers, costs=Costs(message)).utilisation
                 for seconds, each in jobs.values()]  # fmt: skip
        yield f"| {workers:,} | {found[0]:.3f} | {found[1]:.3f} |"


def makespans() -> Iterator[str]:
    """The makespans of skewed tasks, as shares of the ideal ones."""
    yield "| makespan / ideal | 2 workers | 16 | 64 |"
    yield "|---|---:|---:|---:|"
    for name, durations in skewed().items():
        longest, total = max(durations), sum(durations)
        found = [
            simulate(durations, workers).makespan / max(longest, total / workers)
            for workers in (2, 16, 64)
        ]
        yield f"| {name} | {' | '.join(f'{each:.3f}' for each in found)} |"


def floors(message: float) -> Iterator[str]:
    """A hundred thousand workers, with foremen and without."""
    durations = [1.0] * 1_000_000
    one = simulate(durations, 100_000, costs=Costs(message))
    yield f"| 100,000 workers, a batch {message * 1e6:.0f} us | efficiency | rank 0 is busy |"
    yield "|---|---:|---:|"
    yield f"| one floor | {one.utilisation:.3f} | {one.busy / one.makespan:.0%} |"
    for foremen in (100, 1000):
        two = simulate_floors(durations, foremen, 100_000 // foremen, costs=Costs(message))
        busy = two.busy / two.makespan
        yield f"| {foremen} foremen of {100_000 // foremen} | {two.utilisation:.3f} | {busy:.1%} |"


def main() -> None:
    for table in (
        costs_and_naps(),
        large_farms(SHARED),
        large_farms(ALONE),
        makespans(),
        floors(SHARED),
    ):
        for line in table:
            print(line, flush=True)
        print()


if __name__ == "__main__":
    if sys.argv[1:] == ["--here"]:
        print(json.dumps(measured_here()), flush=True)
    else:
        main()
