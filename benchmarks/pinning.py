"""Workers pinned to cores of their own, and not: `python benchmarks/pinning.py [ROUNDS]`.

As many workers as cores, each pinned to one, and rank 0 beside them, which has no core of its own:
whether that costs anything is the question. Every round starts both, in turn, the other one first
next time; the table shows medians over the rounds, and of the ratio within a round. A start during
which other programs took more than a few per cent of the CPUs does not count and is repeated.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import TypeVar

from peers import table
from systems import CORES, figures_of, on_ranks
from work import count, spin, square, timed

HERE = os.path.abspath(__file__)
WAYS: dict[str, dict[str, str]] = {
    "pinned": {"SCOOPMPI_PIN": "compact", "SCOOPMPI_THREADS": "1"},
    "not pinned": {},
}
FOREIGN = 0.04
"""Of all CPU time, what other programs may take; an idle virtual machine shows 1 to 2 %."""
PATIENCE = 1800.0
"""Seconds to wait for a machine that is ours."""
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


# The work.


def multiply(size: int) -> float:
    """The product of two matrices, in as many threads as the environment says."""
    import numpy

    matrix = numpy.full((size, size), 0.5)
    return float((matrix @ matrix)[0, 0])


def cpus(_: int) -> tuple[int, ...]:
    return tuple(sorted(os.sched_getaffinity(0)))


def measure() -> dict[str, float]:
    """The figures of one start; higher is better but for times."""
    from scoopmpi import futures

    list(futures.map(spin, [0.0005] * 400))
    list(futures.map(multiply, [300] * 4 * CORES))
    series = [timed(lambda i=i: futures.submit(square, i).result()) for i in range(1000)]
    return {
        "different CPU sets": float(len(set(futures.map(cpus, range(400))))),
        "squares, M/s": max(
            1 / timed(lambda: list(futures.map(square, range(10**6)))) for _ in range(3)
        ),
        "efficiency at 1 ms": 2.0 / CORES / timed(lambda: list(futures.map(spin, [0.001] * 2000))),
        "efficiency at 10 us": 1.0 / CORES / timed(lambda: list(futures.map(spin, [1e-5] * 10**5))),
        "2000 counts of 20,000, s": timed(lambda: list(futures.map(count, [20_000] * 2000))),
        "8 counts of 4,000,000, s": timed(lambda: list(futures.map(count, [4_000_000] * 8))),
        "100 matrix products, s": timed(lambda: list(futures.map(multiply, [600] * 100))),
        "round trip, us": statistics.median(series) * 1e6,
        "5000 submits, 1/s": 5000
        / timed(
            lambda: [each.result() for each in [futures.submit(square, i) for i in range(5000)]]
        ),
    }


# The conductor.


def run(way: str) -> dict[str, float]:
    """Start one farm on this machine, by the library's own mpirun."""
    program = [sys.executable, "-m", "scoopmpi", HERE, "--measure"]
    words, env = on_ranks(program, {**ONE_THREAD, **WAYS[way]})
    return figures_of(way, words, env) or sys.exit("no figures")


def run_undisturbed(way: str) -> dict[str, float]:
    """The first run during which the machine was ours; none is tried before it is idle."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        idle, _ = watched(lambda: time.sleep(2))
        if idle < FOREIGN:
            disturbed, figures = watched(lambda: run(way))
            if disturbed < FOREIGN:
                return figures
    sys.exit(f"other programs have been running for {PATIENCE:.0f} s")


T = TypeVar("T")


def watched(job: Callable[[], T]) -> tuple[float, T]:
    """The share of the CPUs that other programs took meanwhile, and what the job returns."""
    begun, before = time.monotonic(), foreign()
    answer = job()
    return (foreign() - before) / (time.monotonic() - begun) / CORES, answer


def foreign() -> float:
    """Seconds of CPU time since boot that were not our children's (proc(5), /proc/stat)."""
    with open("/proc/stat") as file:
        user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
    busy = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
    ours = resource.getrusage(resource.RUSAGE_CHILDREN)
    return busy - ours.ru_utime - ours.ru_stime


def main(rounds: int) -> None:
    found: list[dict[str, dict[str, float]]] = []
    for number in range(rounds):
        ways = list(WAYS)[:: -1 if number % 2 else 1]
        found.append({way: run_undisturbed(way) for way in ways})
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    version = sys.version.split()[0]
    print(f"Medians of {rounds} rounds, {CORES} cores and workers, Python {version}\n")
    pinned, free = WAYS
    print("\n".join(table([pinned, free], found, (pinned, free))))


if __name__ == "__main__":
    if sys.argv[1:] == ["--measure"]:
        print(json.dumps(measure()), flush=True)
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
