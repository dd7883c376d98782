"""Many ranks on few cores: `python benchmarks/ranks.py [RANKS ...]` (64 and 128).

Tasks sleep, so that the cores have nothing to do but to keep the farm going: what wakes ranks here
costs elsewhere too. Beside efficiency it says what a farm costs whose workers have nothing to do,
and rank 0 while all of them run long tasks, as shares of a core (from /proc), and how long a start
and an end take, beside a bare `mpirun` whose ranks import mpi4py.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from peers import shown
from systems import CORES, figures_of, on_ranks
from work import Figures, nap, square

HERE = os.path.abspath(__file__)
IDLE_SECONDS = 5.0
"""A rank's processor time is counted in ticks of 10 ms: a share of 0.2 % is one of them."""


def processor_time(process: int) -> float:
    """Seconds of processor time that a process of this host has used (proc(5))."""
    with open(f"/proc/{process}/stat") as file:
        user, system = file.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def pid(_: int) -> int:
    time.sleep(0.01)  # long enough that each worker gets one
    return os.getpid()


def shares(processes: list[int], job: Callable[[], Any]) -> list[float]:
    """What share of a core each process takes while the job goes on."""
    before = [processor_time(each) for each in processes]
    begun = time.monotonic()
    job()
    took = time.monotonic() - begun
    after = [processor_time(each) for each in processes]
    return [(new - old) / took for old, new in zip(before, after, strict=True)]


def measure(workers: int) -> Figures:
    """The figures of one start, taken on rank 0."""
    from scoopmpi import futures

    started = time.time()
    list(futures.map(square, range(1000)))
    workers_there = sorted(set(futures.map(pid, range(20 * workers))))
    found = {"workers that took tasks": float(len(workers_there))}
    for seconds, each in ((1.0, 3), (0.1, 20), (0.01, 100)):
        begun = time.perf_counter()
        list(futures.map(nap, [seconds] * each * workers))
        found[f"efficiency, naps of {seconds * 1e3:g} ms"] = (
            seconds * each / (time.perf_counter() - begun)
        )
    time.sleep(1)
    idle = shares([os.getpid(), *workers_there], lambda: time.sleep(IDLE_SECONDS))
    long = [IDLE_SECONDS] * workers
    busy = shares([os.getpid(), *workers_there], lambda: list(futures.map(nap, long)))
    for state, (zero, *others) in (("idle", idle), ("all run long tasks", busy)):
        found[f"{state}: rank 0, % of a core"] = 100 * zero
        found[f"{state}: a worker, mean, %"] = 100 * statistics.mean(others)
        found[f"{state}: the busiest worker, %"] = 100 * max(others)
    return {**found, "started": started, "ended": time.time()}


def run(workers: int) -> Figures:
    """Start, run and end a farm; the times of the start and of the end are seen from outside."""
    begun = time.time()
    words = [sys.executable, "-m", "scoopmpi", "-n", str(workers), HERE, "--work", str(workers)]
    found = figures_of(f"{workers} workers", words, os.environ)
    took = time.time()
    words, env = on_ranks([sys.executable, "-c", BARE], workers=workers)
    bare = time.time()
    figures_of("mpi4py alone", words, env)
    bare = time.time() - bare
    if found:
        start, end = found.pop("started") - begun, took - found.pop("ended")
        found = {
            "start, s": start,
            "end, s": end,
            "both beside mpi4py alone": (start + end) / bare,
        } | found
    return found


BARE = "from mpi4py import MPI; MPI.COMM_WORLD.rank or print('{}')"


def main(numbers: list[int]) -> None:
    found = [run(ranks - 1) for ranks in numbers]
    print(f"| {CORES} cores | {' | '.join(f'{ranks} ranks' for ranks in numbers)} |")
    print("|---|" + "---:|" * len(numbers))
    for figure in next((each for each in found if each), {}):
        cells = (shown(each[figure]) if each else "failed" for each in found)
        print(f"| {figure} | {' | '.join(cells)} |")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        print(json.dumps(measure(int(sys.argv[2]))), flush=True)
    else:
        main([int(word) for word in sys.argv[1:]] or [64, 128])
