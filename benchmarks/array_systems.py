"""The systems that `arrays.py` compares: how each maps large values, and how it is started.

This file is the program of every start: `array_systems.py SYSTEM WORKERS SECONDS TOTAL SIZES WORDS
ORDER`. It prints the figure of every map as a line of JSON, by size and case. The cases of a size
are shuffled by the round, as what comes before leaves memory that is used again.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import raw_arrays
from array_cases import SIZES, System, cases, job, make
from systems import SERVER, words_of

HERE = os.path.abspath(__file__)
Figures = dict[str, dict[str, list[float]]]
"""Of each map, by size and case."""


def scoopmpi(workers: int, measure: Callable[[System], None]) -> None:
    from scoopmpi import futures

    def every(function: Callable[..., Any], *iterables: Iterable[Any]) -> list[Any]:
        return list(futures.map(function, *iterables))

    def calls(function: Callable[..., Any], rows: Iterable[Any], more: dict[str, Any]) -> list[Any]:
        return [each.result() for each in [futures.submit(function, row, **more) for row in rows]]

    measure(System(futures.map, every, calls, workers, by_value=True))


def mpi4py_futures(workers: int, measure: Callable[[System], None], chunked: bool = False) -> None:
    """chunked: as `multiprocessing.Pool` cuts its chunks, where a list is wanted."""
    from mpi4py.futures import MPIPoolExecutor

    with MPIPoolExecutor() as executor:

        def every(function: Callable[..., Any], *iterables: Iterable[Any]) -> list[Any]:
            rows = list(zip(*iterables, strict=False))
            size = max(1, -(-len(rows) // (4 * workers))) if chunked else 1
            return list(executor.map(function, *zip(*rows, strict=True), chunksize=size))

        def calls(
            function: Callable[..., Any], rows: Iterable[Any], more: dict[str, Any]
        ) -> list[Any]:
            made = [executor.submit(function, row, **more) for row in rows]
            return [each.result() for each in made]

        measure(System(executor.map, every, calls, workers))


def mpi4py_chunks(workers: int, measure: Callable[[System], None]) -> None:
    mpi4py_futures(workers, measure, chunked=True)


def spread(task: tuple[Any, ...]) -> Any:
    """For `imap`, which hands over one argument."""
    return task[0](*task[1:])


def pool(workers: int, measure: Callable[[System], None]) -> None:
    import multiprocessing

    with multiprocessing.Pool(workers) as each:

        def lazily(function: Callable[..., Any], *iterables: Iterable[Any]) -> Iterable[Any]:
            return each.imap(spread, ((function, *task) for task in zip(*iterables, strict=False)))

        def every(function: Callable[..., Any], *iterables: Iterable[Any]) -> list[Any]:
            return each.starmap(function, zip(*iterables, strict=False))

        def calls(
            function: Callable[..., Any], rows: Iterable[Any], more: dict[str, Any]
        ) -> list[Any]:
            made = [each.apply_async(function, (row,), more) for row in rows]
            return [call.get() for call in made]

        measure(System(lazily, every, calls, workers))


def loky(workers: int, measure: Callable[[System], None]) -> None:
    """joblib, which writes the same array into shared memory once, for tasks that must not write
    into it."""
    from joblib import Parallel, delayed

    def mapped(way: str) -> Callable[..., Any]:
        def mapped(function: Callable[..., Any], *iterables: Iterable[Any]) -> Any:
            tasks = (delayed(function)(*task) for task in zip(*iterables, strict=False))
            return Parallel(n_jobs=workers, return_as=way)(tasks)

        return mapped

    def calls(function: Callable[..., Any], rows: Iterable[Any], more: dict[str, Any]) -> Any:
        return Parallel(n_jobs=workers)(delayed(function)(row, **more) for row in rows)

    measure(System(mapped("generator"), mapped("list"), calls, workers, by_value=True))


class Driver(NamedTuple):
    """How a system is run, and what starts it: our launcher, an interpreter, or ranks.

    run: None where the program is one for MPI, which no `System` describes.
    """

    run: Callable[[int, Callable[[System], None]], None] | None
    start: str
    module: tuple[str, ...] = ()


BEFORE = "scoopmpi before"
"""Started by an interpreter of its own."""
DRIVERS = {
    "scoopmpi": Driver(scoopmpi, "scoopmpi"),
    BEFORE: Driver(scoopmpi, "scoopmpi"),
    "mpi4py.futures": Driver(mpi4py_futures, "ranks", SERVER),
    "mpi4py in chunks": Driver(mpi4py_chunks, "ranks", SERVER),
    "Pool": Driver(pool, "python"),
    "loky": Driver(loky, "python"),
    "raw MPI": Driver(None, "ranks"),
}


def command(
    name: str, workers: int, more: Iterable[str], python: str = sys.executable
) -> tuple[list[str], dict[str, str]]:
    """The words and the environment that start a system; more: what `main` wants besides."""
    _, start, module = DRIVERS[name]
    return words_of(start, module, [HERE, name, str(workers), *more], workers, python)


def main(
    name: str, workers: str, seconds: str, total: str, sizes: str, words: str, order: str
) -> None:
    chosen = {size: cases(SIZES[size], int(total), words.split(";")) for size in sizes.split(",")}
    chance = random.Random(int(order))  # the same on all ranks
    shuffled = {size: chance.sample(rows, len(rows)) for size, rows in chosen.items()}

    def show(found: Figures) -> None:
        in_order = {
            size: {row.name: found[size][row.name] for row in rows if row.name in found[size]}
            for size, rows in chosen.items()
        }
        print(json.dumps(in_order), flush=True)

    def measure(system: System) -> None:
        list(system.all(make, [8] * 100 * system.workers))
        found: Figures = {size: {} for size in chosen}
        for size, rows in shuffled.items():
            for case in rows:
                if system.by_value or case.way != "in a closure":
                    taken = series(job(system, case), float(seconds))
                    found[size][case.name] = [case.figure(each, system.workers) for each in taken]
        show(found)

    run = DRIVERS[name].run
    if run is not None:
        run(int(workers), measure)
        return
    found = {size: raw_arrays.figures(rows, float(seconds)) for size, rows in shuffled.items()}
    if any(found.values()):  # on rank 0
        show(found)


def series(one: Callable[[], None], seconds: float) -> list[float]:
    """What map after map takes, the first too, until so many seconds are over; two at least."""
    found: list[float] = []
    begun = time.perf_counter()
    while len(found) < 2 or time.perf_counter() - begun < seconds:
        at = time.perf_counter()
        one()
        found.append(time.perf_counter() - at)
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
