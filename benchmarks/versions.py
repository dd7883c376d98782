"""Two versions of scoopmpi, in turn: `python benchmarks/versions.py BEFORE AFTER [ROUNDS]`.

BEFORE and AFTER are interpreters of two environments, each with its own scoopmpi installed. Every
round starts both, the other one first next time; the table shows medians over the rounds, and of
the ratio within a round (after / before, of times and of rates as they are named). Beside speed it
counts what a worker opens and imports until its first task, as that is what a start costs on a
file system that many ranks share.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from work import spin, square, timed

HERE = os.path.abspath(__file__)
WORKERS = 2


def tree(depth: int) -> int:
    """The number of nodes, each of which maps over its two children."""
    from scoopmpi import futures

    return 1 + (sum(futures.map(tree, [depth - 1] * 2)) if depth else 0)


def loaded(_: int) -> tuple[int, int]:
    """How many modules a worker has imported: ours, and all."""
    ours = [name for name in sys.modules if name.split(".")[0] == "scoopmpi"]
    return len(ours), len(sys.modules)


def measure() -> dict[str, float]:
    from scoopmpi import futures

    def trip() -> int:
        return futures.submit(square, 3).result()

    def submits() -> None:
        for future in [futures.submit(square, x) for x in range(5000)]:
            future.result()

    def generations() -> None:
        for _ in range(200):
            list(futures.map(spin, [1e-5] * 32))

    ours, everything = next(iter(futures.map(loaded, [0])))
    list(futures.map(square, range(10_000)))
    list(futures.map(tree, [6] * 2 * WORKERS))  # what nesting needs is imported with the first
    tasks = 2000, 100_000
    return {
        "10^6 squares, s": timed(lambda: sum(futures.map(square, range(10**6)))),
        "tasks of 1 ms: elapsed / ideal": timed(lambda: list(futures.map(spin, [1e-3] * tasks[0])))
        / (tasks[0] * 1e-3 / WORKERS),
        "tasks of 10 us: elapsed / ideal": timed(lambda: list(futures.map(spin, [1e-5] * tasks[1])))
        / (tasks[1] * 1e-5 / WORKERS),
        "maps of 32 tasks of 10 us, ms": timed(generations) / 200 * 1e3,
        "round trip, us": statistics.median(timed(trip) for _ in range(500)) * 1e6,
        "a submit of 5000, us": timed(submits) / 5000 * 1e6,
        "a nested task of 2^14, us": timed(lambda: futures.submit(tree, 13).result()) / 2**14 * 1e6,
        "modules of ours on a worker": ours,
        "modules on a worker": everything,
    }


def started(python: str, directory: str) -> dict[str, float]:
    """One start of one version: what its program says, and what the start itself took."""
    begun = time.perf_counter()
    words = [python, "-m", "scoopmpi", "-n", str(WORKERS), "-c", "pass"]
    subprocess.run(words, cwd=directory, timeout=60, check=True)
    start = time.perf_counter() - begun
    return {"start to end of an empty program, s": start, **said(python, HERE, directory)}


def said(python: str, program: str, directory: str) -> dict[str, float]:
    """What a program measures on a farm of one version, and prints as JSON."""
    words = [python, "-m", "scoopmpi", "-n", str(WORKERS), program, "--work"]
    answer = subprocess.run(words, cwd=directory, timeout=300, check=True, stdout=subprocess.PIPE)
    found: dict[str, float] = json.loads(answer.stdout)
    return found


Start = Callable[[str, str], dict[str, float]]


def main(before: str, after: str, rounds: int, start: Start = started) -> None:
    """Start both in turn, in a directory without a checkout in it, and show the medians."""
    seen: tuple[list[dict[str, float]], list[dict[str, float]]] = [], []
    with tempfile.TemporaryDirectory() as directory:
        for turn in range(rounds):
            for which in (0, 1) if turn % 2 else (1, 0):
                seen[which].append(start((before, after)[which], directory))
    print(f"| medians of {rounds} rounds, {WORKERS} workers | before | after | ratio |")
    print("|---|---:|---:|---:|")
    for name in seen[0][0]:
        old, new = ([figures[name] for figures in side] for side in seen)
        ratio = statistics.median(b / a for a, b in zip(old, new, strict=True))
        print(f"| {name} | {_median(old)} | {_median(new)} | {ratio:.2f} |")


def _median(figures: list[float]) -> str:
    return f"{statistics.median(figures):.4g}"


if __name__ == "__main__":
    if sys.argv[1:] == ["--work"]:
        print(json.dumps(measure()))
    elif len(sys.argv) in (3, 4):
        main(sys.argv[1], sys.argv[2], int((*sys.argv, "5")[3]))
    else:
        sys.exit(__doc__)
