"""Who runs what where: `myscoop sanity [TASKS [SECONDS]]`.

Each task computes for a while and tells about its worker. The table shows for each worker its
host, process, CPUs, thread variables, tasks and the share of a CPU that it got; below it stands
what looks wrong.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from scoopmpi import futures, runtime

TASKS_PER_WORKER = 20
SECONDS = 0.05
"""Of one task: longer than a scheduler's time slice, so that two on one CPU both notice."""
BAR = 20
"""Characters of the longest bar."""
SHORT_OF_CPU = 0.75
"""Two workers on one CPU get a half each; what a quiet system takes is a few per cent."""
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class Probe(NamedTuple):
    """What a task tells of its worker, and how long it took."""

    rank: int
    host: str
    pid: int
    cpus: tuple[int, ...] | None
    threads: str
    seconds: float
    on_cpu: float


class Row(NamedTuple):
    """A worker in the table; `seconds` and `on_cpu` are sums over its tasks."""

    rank: int
    host: str
    pid: int
    cpus: tuple[int, ...] | None
    threads: str
    tasks: int
    seconds: float
    on_cpu: float


def probe(seconds: float) -> Probe:
    """Compute for so many seconds; tells where."""
    begun, begun_on_cpu = time.perf_counter(), time.thread_time()
    while (passed := time.perf_counter() - begun) < seconds:
        pass
    on_cpu = time.thread_time() - begun_on_cpu
    threads = thread_settings(os.environ)
    host, pid = socket.gethostname(), os.getpid()
    return Probe(runtime.rank, host, pid, allowed_cpus(), threads, passed, on_cpu)


def allowed_cpus() -> tuple[int, ...] | None:
    """The CPUs that this process may use; None where the system does not say."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    return tuple(sorted(os.sched_getaffinity(0)))


def thread_settings(env: Mapping[str, str]) -> str:
    """What the environment says about threads, in few characters: `OMP=1 MKL=4`."""
    names = [name for name in THREADS if name in env]
    if len(names) > 1 and len({env[name] for name in names}) == 1:
        return f"all={env[names[0]]}"
    return " ".join(f"{name.partition('_')[0]}={env[name]}" for name in names) or "-"


def rows(probes: Iterable[Probe]) -> list[Row]:
    """One row a worker, by rank."""
    of_worker: dict[int, list[Probe]] = defaultdict(list)
    for each in probes:
        of_worker[each.rank].append(each)
    return [
        Row(
            *found[0][:5],
            len(found),
            sum(each.seconds for each in found),
            sum(each.on_cpu for each in found),
        )
        for _, found in sorted(of_worker.items())
    ]


def ranges(numbers: Iterable[int] | None) -> str:
    """CPU numbers as people write them: 0-3,8."""
    if numbers is None:
        return "-"
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][-1] + 1:
            parts[-1][1:] = [number]
        else:
            parts.append([number])
    return ",".join("-".join(map(str, part)) for part in parts)


def table(found: Sequence[Row]) -> list[str]:
    """The lines of the table, with a bar for the number of tasks."""
    most = max((row.tasks for row in found), default=1)
    cells = [["worker", "host", "pid", "CPUs", "threads", "tasks", "seconds", "on CPU", ""]]
    for row in found:
        share = f"{100 * row.on_cpu / row.seconds:.0f} %"
        bar = "#" * max(1, round(BAR * row.tasks / most))
        cells.append(
            [
                str(row.rank), row.host, str(row.pid), ranges(row.cpus), row.threads,
                str(row.tasks), f"{row.seconds:.2f}", share, bar,
            ]
        )  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    to_the_right = {0, 2, 5, 6, 7}
    return [
        "  ".join(
            cell.rjust(width) if place in to_the_right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]


def complaints(found: Sequence[Row], workers: int) -> list[str]:
    """What looks wrong, a sentence each."""
    said = []
    silent = sorted(set(range(1, workers + 1)) - {row.rank for row in found})
    if silent and workers > 1:
        said.append(f"no task came to workers {ranges(silent)}: more tasks would tell more")
    slow = [row for row in found if row.on_cpu < SHORT_OF_CPU * row.seconds]
    if slow:
        names = ranges(row.rank for row in slow)
        said.append(f"workers {names} did not get a CPU each: something else runs there")
    of_host: dict[str, list[Row]] = defaultdict(list)
    for row in found:
        of_host[row.host].append(row)
    for host, there in of_host.items():
        cpus = {cpu for row in there for cpu in row.cpus or ()}
        if cpus and len(cpus) < len(there):
            said.append(f"{len(there)} workers share CPUs {ranges(cpus)} of {host}")
    return said


def settings(words: Sequence[str], workers: int) -> tuple[int, float]:
    """How many tasks, of how many seconds; ValueError where the words are no such numbers."""
    if len(words) > 2:
        raise ValueError(f"{len(words)} words instead of TASKS and SECONDS")
    tasks = int(words[0]) if words else TASKS_PER_WORKER * workers
    seconds = float(words[1]) if len(words) > 1 else SECONDS
    if tasks < 1 or not 0 < seconds < 86400:
        raise ValueError(f"{tasks} tasks of {seconds} seconds: both must be above 0")
    return tasks, seconds


def main() -> None:
    """Run the tasks and print who ran them."""
    workers = max(1, runtime.size - 1)
    try:
        tasks, seconds = settings(sys.argv[1:], workers)
    except ValueError as error:
        print(f"sanity: give no, one or two numbers: TASKS SECONDS ({error})", file=sys.stderr)
        sys.exit(2)
    begun = time.perf_counter()
    found = rows(futures.map(probe, [seconds] * tasks))
    took = time.perf_counter() - begun
    hosts = len({row.host for row in found})
    busy = sum(row.seconds for row in found) / (took * workers)
    print(
        f"{counted(tasks, 'task')} of {seconds:g} s on {counted(workers, 'worker')} of "
        f"{counted(hosts, 'host')}: {took:.2f} s, workers busy {100 * busy:.0f} %\n"
    )
    print(*table(found), sep="\n")
    notes = complaints(found, workers)
    if notes:
        print("", *(f"note: {note}" for note in notes), sep="\n")


def counted(number: int, word: str) -> str:
    """A number and what it counts."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


if __name__ == "__main__":
    main()
