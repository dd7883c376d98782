"""What a checkpoint costs: `python benchmarks/checkpoint.py [ROUNDS]`.

Each round starts the same program without a checkpoint, with a new one, and with the one that was
just written; the order changes from round to round. The table shows medians, and that of the ratio
to the run without in the same round.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from peers import table
from systems import CORES, figures_of, on_ranks
from work import spin, square

HERE = os.path.abspath(__file__)
WAYS = ("without", "with a new file", "from the file")


def squares() -> None:
    from scoopmpi import futures

    assert sum(1 for _ in futures.map(square, range(10**6))) == 10**6


def milliseconds() -> None:
    from scoopmpi import futures

    assert len(list(futures.map(spin, [0.001] * 4000))) == 4000


def submits() -> None:
    from scoopmpi import futures

    calls = [futures.submit(square, x) for x in range(5000)]
    assert [call.result() for call in calls] == [x * x for x in range(5000)]


FIGURES: dict[str, Callable[[], Any]] = {
    "10^6 squares, s": squares,
    "4000 tasks of 1 ms, s": milliseconds,
    "5000 submits, s": submits,
}


def measure() -> dict[str, float]:
    """Seconds of each job in one start."""
    from scoopmpi import futures

    list(futures.map(spin, [0.0005] * 400))
    found = {}
    for figure, job in FIGURES.items():
        begun = time.perf_counter()
        job()
        found[figure] = time.perf_counter() - begun
    return found


def run(options: list[str]) -> dict[str, float]:
    """One start of the program on this machine, by the library's own mpirun."""
    words, env = on_ranks([sys.executable, "-m", "scoopmpi", *options, HERE, "--measure"], {})
    return figures_of("the program", words, env) or sys.exit("no figures")


def one_round(path: Path, backwards: bool) -> dict[str, dict[str, float]]:
    """All ways once; the file is written before it is read."""
    path.unlink(missing_ok=True)
    kept = ["--checkpoint", str(path)]
    options = {"without": [], "with a new file": kept, "from the file": kept}
    ways = (*WAYS[1:], WAYS[0]) if backwards else WAYS
    return {way: run(options[way]) for way in ways}


def main(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "run.ckpt"
        found = [one_round(path, bool(number % 2)) for number in range(rounds)]
    version = sys.version.split()[0]
    print(f"Medians of {rounds} rounds, {CORES} workers, Python {version}\n")
    print("\n".join(table(WAYS, found, (WAYS[1], WAYS[0]))))


if __name__ == "__main__":
    if sys.argv[1:] == ["--measure"]:
        print(json.dumps(measure()), flush=True)
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
