"""scoopmpi beside its peers, in one run: `python benchmarks/peers.py [ROUNDS]`.

The work is described once; each system is only a driver that maps it. Every round starts every
system afresh, in turn, so that a machine that grows slower is slower for all; the table shows
medians over the rounds. All systems have as many workers as there are cores; those that need a
rank to coordinate get one more.
"""

from __future__ import annotations

import json
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

CORES = len(os.sched_getaffinity(0))
HERE = os.path.dirname(os.path.abspath(__file__))


# The work.


def square(x: int) -> int:
    return x * x


def spin(seconds: float) -> None:
    """Keep a core busy for so long."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def skewed() -> dict[str, list[float]]:
    """Task durations in seconds that punish fixed chunks."""
    chance = random.Random(1)
    pareto = [min(0.3, 0.001 * chance.paretovariate(1.1)) for _ in range(600)]
    short, long = [0.0005] * 3000, [0.25] * 8
    return {
        "pareto, shuffled": pareto,
        "pareto, rising": sorted(pareto),
        "3000 short, 8 long": short + long,
        "8 long, 3000 short": long + short,
    }


Map = Callable[[Callable[..., Any], Iterable[Any]], Iterable[Any]]


def measure(mapped: Map, submit: Any = None, tiny: int = 10**6) -> dict[str, float]:
    """What a driver's map achieves. tiny: how many squares, fewer for the very slow."""
    list(mapped(spin, [0.0001] * 200))
    found: dict[str, float] = {}

    def timed(job: Callable[[], Any]) -> float:
        begun = time.perf_counter()
        job()
        return time.perf_counter() - begun

    assert sum(mapped(square, range(1000))) == 332833500
    found["squares, M/s"] = max(
        tiny / timed(lambda: list(mapped(square, range(tiny)))) / 1e6 for _ in range(3)
    )
    for name, seconds, count in (("1 ms", 1e-3, 3000), ("10 us", 1e-5, 150_000)):
        if tiny < 10**6:
            count //= 5
        took = timed(lambda s=seconds, n=count: list(mapped(spin, [s] * n)))
        found[f"efficiency at {name}"] = seconds * count / CORES / took
    for name, durations in skewed().items():
        ideal = max(max(durations), sum(durations) / CORES)
        found[f"makespan / ideal: {name}"] = (
            timed(lambda d=durations: list(mapped(spin, d))) / ideal
        )
    if submit is not None:
        series = [timed(lambda i=i: submit(square, i).result()) for i in range(2000)]
        found["round trip, us"] = statistics.median(series) * 1e6
        count = 5000
        took = timed(lambda: [f.result() for f in [submit(square, i) for i in range(count)]])
        found["5000 submits, 1/s"] = count / took
    found["peak memory of rank 0, MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return found


# The drivers.


def serial() -> dict[str, float]:
    return measure(map)


def pool() -> dict[str, float]:
    import multiprocessing

    with multiprocessing.Pool(CORES) as workers:
        return measure(workers.map)


def process_pool() -> dict[str, float]:
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(CORES) as executor:
        return measure(executor.map, executor.submit, tiny=20_000)


def mpi4py_default() -> dict[str, float]:
    from mpi4py.futures import MPIPoolExecutor

    with MPIPoolExecutor() as executor:
        return measure(executor.map, executor.submit, tiny=20_000)


def mpi4py_chunks() -> dict[str, float]:
    """chunksize 1000 for tiny tasks, 10 for the others: the best of those tried."""
    from mpi4py.futures import MPIPoolExecutor

    with MPIPoolExecutor() as executor:

        def mapped(function: Any, tasks: Any) -> Any:
            tasks = list(tasks)
            tiny = function is square or tasks[0] < 1e-4
            return executor.map(function, tasks, chunksize=1000 if tiny else 10)

        return measure(mapped)


def schwimmbad() -> dict[str, float] | None:
    from schwimmbad import MPIPool

    with MPIPool() as workers:
        if not workers.is_master():
            workers.wait()
            return None
        return measure(workers.map)


def scoopmpi() -> dict[str, float]:
    from scoopmpi import futures

    return measure(futures.map, futures.submit)


DRIVERS: dict[str, Callable[[], dict[str, float] | None]] = {
    "scoopmpi": scoopmpi,
    "Pool.map": pool,
    "ProcessPool": process_pool,
    "mpi4py.futures": mpi4py_default,
    "mpi4py, chunks": mpi4py_chunks,
    "schwimmbad": schwimmbad,
    "serial": serial,
}


# The conductor.


def command(driver: str) -> list[str]:
    """How a driver is started, with the mpirun that myscoop itself would use."""
    program = [os.path.abspath(__file__), "--driver", driver]
    inner = [sys.executable, "-m", "scoopmpi", *program]
    if driver == "scoopmpi":
        return inner
    if driver not in ("mpi4py.futures", "mpi4py, chunks", "schwimmbad"):
        return [sys.executable, *program]
    module = [] if driver == "schwimmbad" else ["-m", "mpi4py.futures"]
    return on_ranks([sys.executable, *module, *program])[0]


def on_ranks(
    program: list[str], more: Mapping[str, str] = MappingProxyType({})
) -> tuple[list[str], dict[str, str]]:
    """Words that start a rank for each core and one more, by the library's own mpirun, unbound.

    more: variables for them. The second part is the environment in which to start it.
    """
    from scoopmpi.launch.commandline import launcher
    from scoopmpi.launch.flavours.ranks import Ranks
    from scoopmpi.launch.hosts.allocation import Host

    env = {**os.environ, **more}
    found = launcher.find(env)
    hosts, root = (Host("localhost", CORES + 1),), os.geteuid() == 0
    command = found.flavour.command_line(
        found.mpirun, Ranks(hosts, program, env, library=found.library, root=root)
    )
    return list(command.argv), {**env, **command.env}


def figures_of(name: str, words: list[str], env: Mapping[str, str]) -> dict[str, float]:
    """What a program measures and prints as JSON; nothing, with a word on stderr, if it fails."""
    answer = subprocess.run(words, env=env, capture_output=True, text=True, timeout=600)
    lines = [line for line in answer.stdout.splitlines() if line.startswith("{")]
    if not lines:
        print(f"{name} failed: {answer.stderr[-500:]}", file=sys.stderr)
        return {}
    found: dict[str, float] = json.loads(lines[0])
    return found


def table(
    ways: Sequence[str], rounds: Sequence[Mapping[str, Mapping[str, float]]], ratio: tuple[str, str]
) -> Iterator[str]:
    """Medians of each way, and of the ratio of the first of two ways to the second in a round."""
    yield f"| | {' | '.join(ways)} | {ratio[0]} / {ratio[1]} |"
    yield "|---|" + "---:|" * (len(ways) + 1)
    for figure in rounds[0][ways[0]]:
        columns = [[each[way][figure] for each in rounds] for way in ways]
        columns.append([each[ratio[0]][figure] / each[ratio[1]][figure] for each in rounds])
        yield f"| {figure} | {' | '.join(f'{statistics.median(each):.3g}' for each in columns)} |"


def main(rounds: int) -> None:
    results: dict[str, list[dict[str, float]]] = {driver: [] for driver in DRIVERS}
    for number in range(rounds):
        for driver in DRIVERS:
            results[driver].append(figures_of(driver, command(driver), os.environ))
            print(f"round {number + 1} of {rounds}: {driver}", file=sys.stderr)
    print(f"Medians of {rounds} rounds, {CORES} cores, Python {sys.version.split()[0]}\n")
    print("| |", " | ".join(DRIVERS), "|")
    print("|---|", "---:|" * len(DRIVERS), sep="")
    for figure in next(r for r in results["scoopmpi"] if r):
        cells = []
        for driver in DRIVERS:
            values = [found[figure] for found in results[driver] if figure in found]
            cells.append(f"{statistics.median(values):.3g}" if values else "")
        print(f"| {figure} |", " | ".join(cells), "|")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--driver"]:
        outcome = DRIVERS[sys.argv[2]]()
        if outcome is not None:
            print(json.dumps(outcome), flush=True)
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
