"""`myscoop sweep` beside `xargs -P` and GNU parallel: `python benchmarks/sweep.py [ROUNDS]`.

Every round starts each of them afresh, in turn, for each row; the figures are seconds of whole
commands with their start, medians over the rounds. All run as many items at once as there are
cores; scoopmpi has a coordinating rank more. What items print goes to /dev/null by each one's own
way: `myscoop sweep` alone keeps it in the order of the items.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

CORES = len(os.sched_getaffinity(0))
ROOT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}

ITEMS: dict[str, tuple[int, tuple[str, ...]]] = {
    "3000 x /bin/true": (3000, ("/bin/true",)),
    "3000 x sh -c :": (3000, ("sh", "-c", ":")),
    "300 x sleep 0.02": (300, ("sleep", "0.02")),
    "300 that print 100 KB": (300, ("head", "-c", "100000", "/dev/zero")),
    "10 that print 1 MB": (10, ("head", "-c", "1000000", "/dev/zero")),
}
Words = Callable[[int, Sequence[str], Path], list[str]]


def ours(options: Sequence[str], count: int, words: Sequence[str]) -> list[str]:
    command = [sys.executable, "-m", "scoopmpi.myscoop", "--sched=local", "-n", str(CORES)]
    return [*command, "sweep", *options, "-t", f"1-{count}", *words]


def myscoop(count: int, words: Sequence[str], folder: Path) -> list[str]:
    return ours([], count, words)


def with_log(count: int, words: Sequence[str], folder: Path) -> list[str]:
    return ours(["--log", f"{folder}/log", "--joblog", f"{folder}/joblog"], count, words)


def xargs(count: int, words: Sequence[str], folder: Path) -> list[str]:
    return ["xargs", "-P", str(CORES), "-I", "NUMBER", *words]


def parallel(count: int, words: Sequence[str], folder: Path) -> list[str]:
    return ["parallel", "--will-cite", "-j", str(CORES), "-N0", "-q", *words]


def with_joblog(count: int, words: Sequence[str], folder: Path) -> list[str]:
    front, *rest = parallel(count, words, folder)
    return [front, "--joblog", str(folder / "joblog"), *rest]


WAYS: dict[str, Words] = {
    "myscoop sweep": myscoop,
    "myscoop sweep, logs": with_log,
    "xargs -P": xargs,
    "parallel": parallel,
    "parallel --joblog": with_joblog,
}


def seconds(way: Words, count: int, words: Sequence[str]) -> float:
    """How long a command takes for so many items, which it reads as lines if at all."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as lines:
        lines.write(b"".join(b"%d\n" % number for number in range(1, count + 1)))
        lines.seek(0)
        begun = time.perf_counter()
        subprocess.run(
            way(count, words, Path(folder)), env={**os.environ, **ROOT}, cwd=folder, check=True,
            stdin=lines, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        return time.perf_counter() - begun


def installed() -> dict[str, Words]:
    """The ways that this machine knows."""
    return {
        name: way for name, way in WAYS.items()
        if way in (myscoop, with_log) or shutil.which(name.split()[0])
    }  # fmt: skip


def measured(rounds: int) -> dict[str, dict[str, list[float]]]:
    """What each way takes for each row, in each round."""
    ways = installed()
    found: dict[str, dict[str, list[float]]] = {row: {name: [] for name in ways} for row in ITEMS}
    for number in range(rounds):
        for row, (count, words) in ITEMS.items():
            for name, way in ways.items():
                found[row][name].append(seconds(way, count, words))
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    return found


def table(found: Mapping[str, Mapping[str, Sequence[float]]]) -> Iterator[str]:
    """Medians in seconds, and of the ratios within a round: to xargs, and of parallel to ours."""
    ways = list(next(iter(found.values())))
    ratios = [("myscoop sweep", "xargs -P"), ("parallel", "myscoop sweep")]
    ratios = [pair for pair in ratios if set(pair) <= set(ways)]
    heads = [*ways, *(f"{first} / {second}" for first, second in ratios)]
    yield f"| | {' | '.join(heads)} |"
    yield "|---|" + "---:|" * len(heads)
    for row, times in found.items():
        columns: list[Sequence[float]] = list(times.values())
        for first, second in ratios:
            columns.append([a / b for a, b in zip(times[first], times[second], strict=True)])
        yield f"| {row} | {' | '.join(f'{statistics.median(each):.3g}' for each in columns)} |"


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"{CORES} cores, Python {sys.version.split()[0]}, medians of {rounds} rounds, seconds:\n")
    print("\n".join(table(measured(rounds))))


if __name__ == "__main__":
    main()
