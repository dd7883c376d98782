"""scoopmpi beside its peers, in one run: `python benchmarks/peers.py [PART ...] [ROUNDS]`.

The parts are generations, sleepers, calls, squares and maps (see `work.py`); all without a word.
Every round starts every system afresh, in turn, so that a machine that grows slower is slower for
all; the tables show medians over the rounds. There are as many workers as cores, for sleepers 16
too. The MPI library is that of mpi4py: MPI4PY_LIBMPI=/path/to/libmpi.so.12 chooses another one.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence

from systems import CORES, DRIVERS, command, figures_of
from work import PARTS, Figures

WORKERS = {"sleepers": (CORES, 16)}
"""Where it is not only the number of cores."""
SYSTEMS = {
    "generations": tuple(DRIVERS),
    "sleepers": (
        "scoopmpi", "our Pool", "Pool.map", "mpi4py.futures", "mpi4py in chunks", "schwimmbad",
    ),
    "calls": (
        "scoopmpi", "our Pool", "our MPIExecutor", "Pool.map", "ProcessPool", "mpi4py.futures",
    ),
    "squares": tuple(DRIVERS),
    "maps": (
        "scoopmpi", "Pool.map", "ProcessPool", "mpi4py.futures", "mpi4py in chunks", "schwimmbad",
        "serial",
    ),
}  # fmt: skip


def asked() -> argparse.Namespace:
    """What the words on the command line say."""
    reader = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    reader.add_argument("words", nargs="*", help="parts, and a number of rounds (5)")
    reader.add_argument("--systems", help="only these, as the tables name them: scoopmpi,Pool.map")
    reader.add_argument("--workers", help="so many instead: 2,16,64")
    reader.add_argument("--seconds", type=float, default=1.0, help="of a row, as far as it has any")
    options = reader.parse_args()
    options.rounds = next((int(word) for word in options.words if word.isdecimal()), 5)
    options.parts = [word for word in options.words if not word.isdecimal()] or list(PARTS)
    for part in options.parts:
        if part not in PARTS:
            reader.error(f"{part} is no part; known are {', '.join(PARTS)}")
    options.systems = options.systems.split(",") if options.systems else []
    for system in options.systems:
        if system not in DRIVERS:
            reader.error(f"{system} is no system; known are {', '.join(DRIVERS)}")
    return options


def measured(
    part: str, systems: Sequence[str], workers: Sequence[int], rounds: int, seconds: float
) -> dict[str, list[Figures]]:
    """What each system achieves in each round, all numbers of workers together."""
    found: dict[str, list[Figures]] = {system: [] for system in systems}
    for number in range(rounds):
        for system in systems:
            figures: Figures = {}
            for each in workers:
                words, env = command(system, part, each, seconds, number)
                figures.update(figures_of(system, words, env))
            found[system].append(figures)
            print(f"{part}, round {number + 1} of {rounds}: {system}", file=sys.stderr)
    return found


def beside(found: Mapping[str, Sequence[Figures]]) -> Iterator[str]:
    """A table of medians: a column for each system, empty where it cannot do it."""
    yield f"| | {' | '.join(found)} |"
    yield "|---|" + "---:|" * len(found)
    figures = dict.fromkeys(key for rounds in found.values() for each in rounds for key in each)
    for figure in figures:
        cells = []
        for rounds in found.values():
            values = [each[figure] for each in rounds if figure in each]
            cells.append(shown(statistics.median(values)) if values else "")
        yield f"| {figure} | {' | '.join(cells)} |"


def shown(value: float) -> str:
    """Three digits that count, and no powers of ten."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(
    ways: Sequence[str], rounds: Sequence[Mapping[str, Figures]], ratio: tuple[str, str]
) -> Iterator[str]:
    """Medians of each way, and of the ratio of the first of two ways to the second in a round."""
    yield f"| | {' | '.join(ways)} | {ratio[0]} / {ratio[1]} |"
    yield "|---|" + "---:|" * (len(ways) + 1)
    for figure in rounds[0][ways[0]]:
        columns = [[each[way][figure] for each in rounds] for way in ways]
        columns.append([each[ratio[0]][figure] / each[ratio[1]][figure] for each in rounds])
        yield f"| {figure} | {' | '.join(f'{statistics.median(each):.3g}' for each in columns)} |"


def library() -> str:
    """The MPI library that the ranks load, in a word or two."""
    from scoopmpi.launch.commandline import launcher

    return " ".join(launcher.find(os.environ).library.split(",")[0].replace("Version:", "").split())


def main() -> None:
    options = asked()
    print(f"{CORES} cores, Python {sys.version.split()[0]}, {library()}")
    for part in options.parts:
        systems = options.systems or SYSTEMS[part]
        workers: Sequence[int] = WORKERS.get(part, (CORES,))
        if options.workers:
            workers = [int(word) for word in options.workers.split(",")]
        found = measured(part, systems, workers, options.rounds, options.seconds)
        print(f"\n{part.capitalize()}, medians of {options.rounds} rounds:\n")
        print("\n".join(beside(found)), flush=True)


if __name__ == "__main__":
    main()
