"""joblib's Parallel over the farm, beside joblib's own backends: one table, medians of rounds.

    python benchmarks/joblib_backends.py [ROUNDS] [--json FILE]

Each round starts each system afresh, in turn: ours by `myscoop -n CORES`, the others by Python, all
with as many jobs as there are cores. A case runs twice, and the second time counts: who has started
processes has them by then. dask is measured where `distributed` is installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed, parallel_config

CORES = len(os.sched_getaffinity(0))
SYSTEMS = ["scoopmpi", "loky", "multiprocessing", "threading", "sequential"]
if importlib.util.find_spec("distributed"):
    SYSTEMS.append("dask")
OURS = [sys.executable, "-m", "scoopmpi.myscoop", "--sched=local", "-n", str(CORES)]


def tiny(x: int) -> int:
    """Last less than a microsecond."""
    return x + 1


def spins(seconds: float) -> None:
    """Keep a core for so many seconds."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


def sums(array: Any, part: int) -> float:
    """Read a thousandth of an array."""
    size = len(array) // 1000
    return float(array[part * size : (part + 1) * size].sum())


def outer(count: int) -> int:
    """Make calls of its own, of 1 ms."""
    return len(Parallel(n_jobs=CORES)(delayed(spins)(0.001) for _ in range(count)))


def search() -> None:
    """Try four sets of parameters on a table of digits, three times each."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import GridSearchCV
    from sklearn.svm import SVC

    GridSearchCV(SVC(), {"C": [1, 10], "gamma": [1e-4, 1e-3]}, cv=3).fit(
        *load_digits(return_X_y=True)
    )


def forest() -> None:
    """Grow a hundred trees on a table of digits."""
    from sklearn.datasets import load_digits
    from sklearn.ensemble import RandomForestClassifier

    RandomForestClassifier(100, n_jobs=CORES).fit(*load_digits(return_X_y=True))


def cases() -> dict[str, Callable[[], Any]]:
    """Return what is measured."""
    found: dict[str, Callable[[], Any]] = {
        "100,000 calls of 1 us": lambda: Parallel()(delayed(tiny)(x) for x in range(100_000)),
        "1000 calls of 1 ms": lambda: Parallel()(delayed(spins)(0.001) for _ in range(1000)),
        "20 calls of 100 ms": lambda: Parallel()(delayed(spins)(0.1) for _ in range(20)),
        "50 Parallel of 8 calls of 1 ms": lambda: [
            Parallel()(delayed(spins)(0.001) for _ in range(8)) for _ in range(50)
        ],
        "10 calls that make 50 of 1 ms": lambda: Parallel()(delayed(outer)(50) for _ in range(10)),
    }
    if importlib.util.find_spec("numpy"):
        import numpy

        array = numpy.ones(100_000_000 // 8)
        found["100 calls with one array of 100 MB"] = lambda: Parallel()(
            delayed(sums)(array, x) for x in range(100)
        )
    if importlib.util.find_spec("sklearn"):
        found["GridSearchCV of 12 fits"] = search
        found["a forest of 100 trees"] = forest
    return found


def run(system: str) -> None:
    """Measure all cases with one backend, and print the seconds."""
    jobs = CORES
    if system == "scoopmpi":
        from scoopmpi.joblib import register

        register()
    if system == "dask":
        from distributed import Client

        Client(n_workers=CORES, threads_per_worker=1, dashboard_address=None)
    seconds = {}
    with parallel_config(backend=system, n_jobs=jobs):
        for name, case in cases().items():
            for _ in range(2):
                begin = time.perf_counter()
                case()
                seconds[name] = time.perf_counter() - begin
    print(json.dumps(seconds))


def main() -> None:
    """Measure all systems in turn, and print the table."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("rounds", nargs="?", type=int, default=3)
    reader.add_argument("--run", help=argparse.SUPPRESS)
    reader.add_argument("--json", help="a file that gets the medians too")
    asked = reader.parse_args()
    if asked.run:
        run(asked.run)
        return
    found: dict[str, dict[str, list[float]]] = {}
    for _ in range(asked.rounds):
        for system in SYSTEMS:
            begin = OURS if system == "scoopmpi" else [sys.executable]
            words = [*begin, __file__, "--run", system]
            said = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout
            for case, seconds in json.loads(said.splitlines()[-1]).items():
                found.setdefault(case, {}).setdefault(system, []).append(seconds)
    medians = {
        case: {system: statistics.median(times) for system, times in systems.items()}
        for case, systems in found.items()
    }
    print(f"| seconds | {' | '.join(SYSTEMS)} |\n|---|{'---:|' * len(SYSTEMS)}")
    for case, by_system in medians.items():
        print(f"| {case} | {' | '.join(f'{by_system[system]:.3g}' for system in SYSTEMS)} |")
    if asked.json:
        Path(asked.json).write_text(json.dumps(medians, indent=1) + "\n")


if __name__ == "__main__":
    main()
