"""scoopmpi beside SCOOP 0.7.2: the same program under both, `python benchmarks/scoop072.py`.

The original comes from PyPI into an environment of its own, as both packages are named `scoop`.
Every figure of every round is a start afresh, the two in turn, so that a machine that grows slower
is slower for both; the table shows medians. Times are taken by the program, after a first map, from
the call until the last value. SCOOP may lose tasks and wait for ever: a run has a time limit.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from math import hypot
from typing import NamedTuple

CORES = len(os.sched_getaffinity(0))
DEPTH = 12
PI_TASKS, PI_TRIES = 3000, 5000  # as SCOOP's own example


# The work: what users of either write.


def square(x: int) -> int:
    return x * x


def leaves(level: int) -> int:
    from scoop import futures

    return 1 if level == 0 else sum(futures.map(leaves, [level - 1] * 2))


def hits(tries: int) -> int:
    return sum(hypot(random.random(), random.random()) < 1 for _ in range(tries))


def squares(count: int) -> bool:
    from scoop import futures

    return sum(futures.map(square, range(count))) == (count - 1) * count * (2 * count - 1) // 6


def submits(count: int) -> bool:
    from scoop import futures

    calls = [futures.submit(square, number) for number in range(count)]
    return [call.result() for call in calls] == [number * number for number in range(count)]


def recursion(depth: int) -> bool:
    return leaves(depth) == 2**depth


def pi(tasks: int) -> bool:
    from scoop import futures

    inside = sum(futures.map(hits, [PI_TRIES] * tasks))
    return abs(4 * inside / (tasks * PI_TRIES) - 3.1416) < 0.01


class Figure(NamedTuple):
    """A line of the table: what is run, with which number, and how many tasks that is."""

    name: str
    work: Callable[[int], bool]
    number: int
    tasks: int


FIGURES = [
    Figure("10,000 squares, tasks/s", squares, 10**4, 10**4),
    Figure("100,000 squares, tasks/s", squares, 10**5, 10**5),
    Figure("2000 submits, tasks/s", submits, 2000, 2000),
    Figure(f"two children a task, {DEPTH} deep, tasks/s", recursion, DEPTH, 2 ** (DEPTH + 1) - 2),
    Figure("pi, 3000 tasks of 5000 points, tasks/s", pi, PI_TASKS, PI_TASKS),
]
WHOLE = "start to end of 16 squares, s"


def work(figure: int) -> None:
    """One figure, inside a farm: prints the seconds that it took, or that the values are wrong."""
    from scoop import futures

    list(futures.map(square, range(16)))
    if figure == len(FIGURES):
        print("took 0", flush=True)
        return
    chosen = FIGURES[figure]
    begun = time.perf_counter()
    right = chosen.work(chosen.number)
    took = time.perf_counter() - begun
    print(f"took {took}" if right else "wrong", flush=True)


# The conductor.


def run(python: str, workers: int, figure: int, limit: float) -> float | str:
    """Tasks a second, or the seconds of a whole run; a text where there is no such number."""
    words = [python, "-m", "scoop", "-n", str(workers), os.path.abspath(__file__), "work"]
    env = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    begun = time.perf_counter()
    with subprocess.Popen(
        [*words, str(figure)], env=env, text=True, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            out, err = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            return f"not in {limit:g} s"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    elapsed = time.perf_counter() - begun
    said = [line for line in out.splitlines() if line.startswith(("took ", "wrong"))]
    if not said:
        print(f"{python}: {(err or out)[-500:]}", file=sys.stderr)
        return "fails"
    if said[0] == "wrong":
        return "wrong values"
    if figure == len(FIGURES):
        return elapsed
    return FIGURES[figure].tasks / float(said[0].split()[1])


def cell(found: list[float | str]) -> str:
    """The median of the rounds that have a number, and what happened in the others."""
    numbers = [each for each in found if isinstance(each, float)]
    texts = sorted({each for each in found if isinstance(each, str)})
    if not numbers:
        return ", ".join(texts)
    median = statistics.median(numbers)
    shown = f"{median:,.0f}" if median >= 100 else f"{median:.3g}"
    missing = len(found) - len(numbers)
    return shown + (f" ({missing} of {len(found)} rounds: {', '.join(texts)})" if missing else "")


@contextlib.contextmanager
def original(python: str | None) -> Iterator[str]:
    """An interpreter that has SCOOP 0.7.2: the one that was given, or a new environment's."""
    if python is not None:
        yield python
        return
    with tempfile.TemporaryDirectory(prefix="scoop072-") as folder:
        venv.create(folder, with_pip=True)
        made = os.path.join(folder, "bin", "python")
        subprocess.run([made, "-m", "pip", "install", "--quiet", "scoop==0.7.2.0"], check=True)
        yield made


def main(rounds: int, python: str | None, workers: int, limit: float) -> None:
    names = [*(figure.name for figure in FIGURES), WHOLE]
    with original(python) as theirs:
        systems = {"scoopmpi": sys.executable, "SCOOP 0.7.2": theirs}
        found: dict[tuple[str, str], list[float | str]] = {}
        for number in range(rounds):
            for figure, name in enumerate(names):
                for system, interpreter in systems.items():
                    answer = run(interpreter, workers, figure, limit)
                    found.setdefault((name, system), []).append(answer)
                    print(f"round {number + 1}: {name}: {system}: {answer}", file=sys.stderr)
    version = sys.version.split()[0]
    print(f"Medians of {rounds} rounds, {workers} workers on {CORES} cores, Python {version}\n")
    print("| |", " | ".join(systems), "| times |")
    print("|---|---:|---:|---:|")
    for name in names:
        print(f"| {name} |", " | ".join(cell(found[name, system]) for system in systems), end="")
        print(f" | {times(name, *(found[name, system] for system in systems))} |")


def times(name: str, ours: list[float | str], theirs: list[float | str]) -> str:
    """How many times faster ours is, where both have numbers."""
    pair = [[each for each in found if isinstance(each, float)] for found in (ours, theirs)]
    if not all(pair):
        return ""
    mine, other = map(statistics.median, pair)
    return f"{other / mine if name == WHOLE else mine / other:.3g}"


if __name__ == "__main__":
    if sys.argv[1:2] == ["work"]:
        work(int(sys.argv[2]))
    else:
        parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
        parser.add_argument("rounds", type=int, nargs="?", default=5)
        parser.add_argument("--python", help="an interpreter that has SCOOP 0.7.2 already")
        parser.add_argument("-n", type=int, default=CORES, metavar="WORKERS", help="of each")
        parser.add_argument("--limit", type=float, default=180, help="seconds for a single run")
        options = parser.parse_args()
        main(options.rounds, options.python, options.n, options.limit)
