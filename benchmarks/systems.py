"""The systems that `peers.py` compares: how each is started, and how it maps.

A driver hands a `System` to `measure`, which does the work and prints what it finds. This file is
the program of every start: `systems.py DRIVER PART WORKERS SECONDS ROUND`. All have the same number
of workers; those that need a rank to coordinate get one more. Each is used as its manual says;
"in chunks" are those that make none by themselves, with chunks as `multiprocessing.Pool` cuts them.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, NamedTuple

from work import PARTS, Figures, Map, Run, Submit, System, square

HERE = os.path.abspath(__file__)
CORES = len(os.sched_getaffinity(0))

Measure = Callable[[System], None]


def chunk(tasks: list[Any], workers: int, function: Callable[..., Any]) -> int:
    """Pool's rule, but at most 1000 tiny tasks or 10 others: the best of those tried."""
    tiny = function is square or tasks[0] < 1e-4
    return max(1, min(-(-len(tasks) // (4 * workers)), 1000 if tiny else 10))


def in_chunks(executor: Any, workers: int) -> Map:
    def mapped(function: Callable[..., Any], tasks: Iterable[Any]) -> Iterable[Any]:
        tasks = list(tasks)
        values: Iterable[Any] = executor.map(
            function, tasks, chunksize=chunk(tasks, workers, function)
        )
        return values

    return mapped


# Ours.


def scoopmpi(workers: int, measure: Measure) -> None:
    from scoopmpi import futures

    measure(System(futures.map, workers, futures.submit, futures.as_completed, kept_calls))


@contextmanager
def kept_calls() -> Iterator[Submit]:
    from scoopmpi import MPIExecutor

    with (
        tempfile.TemporaryDirectory() as directory,
        MPIExecutor(checkpoint=os.path.join(directory, "calls.ckpt")) as executor,
    ):
        yield executor.submit


def our_pool(workers: int, measure: Measure) -> None:
    from scoopmpi import Pool

    with Pool() as pool:
        measure(System(pool.map, workers, lambda function, x: pool.apply_async(function, (x,))))


def our_executor(workers: int, measure: Measure) -> None:
    from concurrent.futures import as_completed

    from scoopmpi import MPIExecutor

    with MPIExecutor() as executor:
        measure(System(executor.map, workers, executor.submit, as_completed))


def deap(workers: int, measure: Measure) -> None:
    """As its users write it: the function is a `partial` of the toolbox too."""
    from deap.base import Toolbox

    from scoopmpi import futures

    toolbox = Toolbox()
    toolbox.register("map", futures.map)

    def mapped(function: Callable[..., Any], tasks: Iterable[Any]) -> Iterable[Any]:
        if not hasattr(toolbox, function.__name__):
            toolbox.register(function.__name__, function)
        values: Iterable[Any] = toolbox.map(getattr(toolbox, function.__name__), tasks)
        return values

    measure(System(mapped, workers))


# The peers.


def pool(workers: int, measure: Measure) -> None:
    import multiprocessing

    with multiprocessing.Pool(workers) as each:
        measure(System(each.map, workers, lambda function, x: each.apply_async(function, (x,))))


def process_pool(workers: int, measure: Measure) -> None:
    from concurrent.futures import ProcessPoolExecutor, as_completed

    with ProcessPoolExecutor(workers) as executor:
        measure(System(executor.map, workers, executor.submit, as_completed, slow=True))


def process_pool_chunks(workers: int, measure: Measure) -> None:
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(workers) as executor:
        measure(System(in_chunks(executor, workers), workers))


def mpi4py_default(workers: int, measure: Measure) -> None:
    from concurrent.futures import as_completed

    from mpi4py.futures import MPIPoolExecutor

    with MPIPoolExecutor() as executor:
        measure(System(executor.map, workers, executor.submit, as_completed, slow=True))


def mpi4py_chunks(workers: int, measure: Measure) -> None:
    from mpi4py.futures import MPIPoolExecutor

    with MPIPoolExecutor() as executor:
        measure(System(in_chunks(executor, workers), workers))


def schwimmbad(workers: int, measure: Measure) -> None:
    from schwimmbad import MPIPool

    with MPIPool() as each:  # workers leave the program here
        measure(System(each.map, workers, slow=True))


def serial(workers: int, measure: Measure) -> None:
    measure(System(map, workers))


class Driver(NamedTuple):
    """How a system is run. start: what starts it: our launcher, an interpreter, or ranks."""

    run: Callable[[int, Measure], None]
    start: str
    module: tuple[str, ...] = ()


SERVER = ("-m", "mpi4py.futures")
YIELDS = {"OMPI_MCA_mpi_yield_when_idle": "1"}
"""As Open MPI does by itself where `mpirun --oversubscribe` is told of fewer slots than ranks; here
it is told of a slot for each. Without, a rank 0 that polls takes a worker's core: schwimmbad's
efficiency at 32 x 1 ms falls from 0.97 to 0.37."""
DRIVERS = {
    "scoopmpi": Driver(scoopmpi, "scoopmpi"),
    "our Pool": Driver(our_pool, "scoopmpi"),
    "our MPIExecutor": Driver(our_executor, "scoopmpi"),
    "DEAP on scoopmpi": Driver(deap, "scoopmpi"),
    "Pool.map": Driver(pool, "python"),
    "ProcessPool": Driver(process_pool, "python"),
    "ProcessPool in chunks": Driver(process_pool_chunks, "python"),
    "mpi4py.futures": Driver(mpi4py_default, "ranks", SERVER),
    "mpi4py in chunks": Driver(mpi4py_chunks, "ranks", SERVER),
    "schwimmbad": Driver(schwimmbad, "ranks"),
    "serial": Driver(serial, "python"),
}


# Starts.


def command(
    driver: str, part: str, workers: int = CORES, seconds: float = 1.0, order: int = 0
) -> tuple[list[str], dict[str, str]]:
    """How a driver is started, with the mpirun that myscoop itself would use, and where.

    order: of the round; the rows of a part are shuffled by it.
    """
    program = [HERE, driver, part, str(workers), str(seconds), str(order)]
    _, start, module = DRIVERS[driver]
    return words_of(start, module, program, workers)


def words_of(
    start: str,
    module: tuple[str, ...],
    program: list[str],
    workers: int,
    python: str = sys.executable,
) -> tuple[list[str], dict[str, str]]:
    """How a program of a driver is started, and in which environment."""
    if start == "ranks":
        return on_ranks([python, *module, *program], YIELDS, workers)
    farm = ["-m", "scoopmpi", "-n", str(workers)] if start == "scoopmpi" else []
    return [python, *farm, *program], dict(os.environ)


def on_ranks(
    program: list[str], more: Mapping[str, str] = MappingProxyType({}), workers: int = CORES
) -> tuple[list[str], dict[str, str]]:
    """Words that start a rank for each worker and one more, by the library's own mpirun, unbound.

    more: variables for them. The second part is the environment in which to start it.
    """
    from scoopmpi.launch.commandline import launcher
    from scoopmpi.launch.flavours.ranks import Ranks
    from scoopmpi.launch.hosts.allocation import Host

    env = {**os.environ, **more}
    found = launcher.find(env)
    hosts, root = (Host("localhost", workers + 1),), os.geteuid() == 0
    command = found.flavour.command_line(
        found.mpirun, Ranks(hosts, program, env, library=found.library, root=root)
    )
    return list(command.argv), {**env, **command.env}


def figures_of(name: str, words: list[str], env: Mapping[str, str]) -> Figures:
    """What a program measures, row by row."""
    found: Figures = answer_of(name, words, env)
    return found


def answer_of(
    name: str, words: list[str], env: Mapping[str, str], directory: str | None = None
) -> dict[str, Any]:
    """What a program prints as JSON; nothing, with a word on stderr, if it fails."""
    answer = subprocess.run(
        words, env=env, cwd=directory, capture_output=True, text=True, timeout=600
    )
    lines = [line for line in answer.stdout.splitlines() if line.startswith("{")]
    if not lines:
        print(f"{name} failed: {answer.stderr[-500:]}", file=sys.stderr)
        return {}
    found: dict[str, Any] = json.loads(lines[0])
    return found


def main(driver: str, part: str, workers: str, seconds: str, order: str) -> None:
    run = Run(float(seconds), random.Random(int(order)))

    def measure(system: System) -> None:
        print(json.dumps(PARTS[part](system, run)), flush=True)

    DRIVERS[driver].run(int(workers), measure)


if __name__ == "__main__":
    main(*sys.argv[1:])
