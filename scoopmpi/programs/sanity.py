"""Show which worker runs where: `myscoop sanity [TASKS [SECONDS]]`.

Each task computes for a while and tells about its worker. The table shows for each worker its
host, process, CPUs, thread variables, GPUs, tasks and the share of a CPU that it got; below it
stands what looks wrong.
"""

from __future__ import annotations

import functools
import os
import socket
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from scoopmpi import futures
from scoopmpi.process import identity, topology
from scoopmpi.program import ready_programs

TASKS_PER_WORKER = 20
SECONDS = 0.05
"""Of one task: longer than a scheduler's time slice, so that two on one CPU both notice."""
BAR = 20
"""Characters of the longest bar."""
SHORT_OF_CPU = 0.75
"""Two workers on one CPU get a half each; what a quiet system takes is a few per cent."""
GPUS = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES")
LONGEST_GPU = 12
"""Characters of a GPU's name: GPU-8932f937 of one that goes on."""
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class Probe(NamedTuple):
    """What a task tells of its worker, and how long it took.

    cpus: those that the worker may use. cores: those that the job may use on this host.
    """

    rank: int
    host: str
    pid: int
    cpus: tuple[int, ...] | None
    threads: str
    gpus: str
    cores: tuple[tuple[int, ...], ...]
    seconds: float
    on_cpu: float


class Row(NamedTuple):
    """A worker in the table; `seconds` and `on_cpu` are sums over its tasks."""

    rank: int
    host: str
    pid: int
    cpus: tuple[int, ...] | None
    threads: str
    gpus: str
    cores: tuple[tuple[int, ...], ...]
    tasks: int
    seconds: float
    on_cpu: float


def probe(seconds: float) -> Probe:
    """Compute for so many seconds; tells where."""
    begun, begun_on_cpu = time.perf_counter(), time.thread_time()
    while (passed := time.perf_counter() - begun) < seconds:
        pass
    on_cpu = time.thread_time() - begun_on_cpu
    threads, gpus = thread_settings(os.environ), visible_gpus(os.environ)
    host, pid, cores = socket.gethostname(), os.getpid(), cores_of_job(os.getppid())
    rank = identity.this.rank
    return Probe(rank, host, pid, allowed_cpus(), threads, gpus, cores, passed, on_cpu)


def allowed_cpus(pid: int = 0) -> tuple[int, ...] | None:
    """Return the CPUs that a process may use; None where the system does not say.

    pid: 0 is this process.
    """
    if not hasattr(os, "sched_getaffinity"):
        return None
    try:
        return tuple(sorted(os.sched_getaffinity(pid)))
    except OSError:
        return None


@functools.cache
def cores_of_job(parent: int) -> tuple[tuple[int, ...], ...]:
    """Return the CPUs of each core here that the job may use.

    parent: the process id of a worker's parent, which is not pinned.
    """
    return tuple(core.cpus for core in topology.cores(allowed_cpus(parent) or ()))


def visible_gpus(env: Mapping[str, str]) -> str:
    """Return which GPUs a program sees, long names shortened; - where nobody says."""
    name = next((name for name in GPUS if name in env), None)
    if name is None:
        return "-"
    return ",".join(part.strip()[:LONGEST_GPU] for part in env[name].split(",")) or "none"


def thread_settings(env: Mapping[str, str]) -> str:
    """Return what the environment says about threads, in few characters: `OMP=1 MKL=4`."""
    names = [name for name in THREADS if name in env]
    if len(names) > 1 and len({env[name] for name in names}) == 1:
        return f"all={env[names[0]]}"
    return " ".join(f"{name.partition('_')[0]}={env[name]}" for name in names) or "-"


def rows(probes: Iterable[Probe]) -> list[Row]:
    """Return one row a worker, by rank."""
    of_worker: dict[int, list[Probe]] = defaultdict(list)
    for each in probes:
        of_worker[each.rank].append(each)
    return [_row(found) for _, found in sorted(of_worker.items())]


def _row(found: Sequence[Probe]) -> Row:
    """Return the row of one worker from all its tasks."""
    sums = {
        "tasks": len(found),
        "seconds": sum(each.seconds for each in found),
        "on_cpu": sum(each.on_cpu for each in found),
    }
    return Row(**{**found[0]._asdict(), **sums})


def ranges(numbers: Iterable[int] | None) -> str:
    """Return CPU numbers as people write them: 0-3,8."""
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
    """Return the lines of the table, with a bar for the number of tasks."""
    most = max((row.tasks for row in found), default=1)
    cells = [["worker", "host", "pid", "CPUs", "threads", "GPUs", "tasks", "seconds", "on CPU", ""]]
    for row in found:
        share = f"{100 * row.on_cpu / row.seconds:.0f} %"
        bar = "#" * max(1, round(BAR * row.tasks / most))
        cells.append(
            [
                str(row.rank), row.host, str(row.pid), ranges(row.cpus), row.threads, row.gpus,
                str(row.tasks), f"{row.seconds:.2f}", share, bar,
            ]
        )  # fmt: skip
    if all(row.gpus == "-" for row in found):
        cells = [[*line[:5], *line[6:]] for line in cells]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    to_the_right = {"worker", "pid", "tasks", "seconds", "on CPU"}
    return [
        "  ".join(
            cell.rjust(width) if name in to_the_right else cell.ljust(width)
            for name, cell, width in zip(cells[0], line, widths, strict=True)
        ).rstrip()
        for line in cells
    ]


def complaints(found: Sequence[Row], workers: int) -> list[str]:
    """Return what looks wrong, a sentence each."""
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
        said += crowds(host, [row for row in there if row.cpus])
    many = [row for row in found if row.cpus and most_threads(row.threads) > len(row.cpus)]
    if many:
        names = ranges(row.rank for row in many)
        said.append(f"workers {names} run more threads than they have CPUs")
    return said


def crowds(host: str, there: Sequence[Row]) -> list[str]:
    """Return who of a host shares cores while others are free, a sentence each."""
    cores = {core for row in there for core in row.cores}
    used = {cpu for row in there for cpu in row.cpus or ()}
    free = [core for core in cores if used.isdisjoint(core)]
    said: list[str] = []
    told: set[int] = set()
    for where in sorted({*(row.cpus or () for row in there), tuple(sorted(used))}, key=len):
        inside = [row for row in there if set(row.cpus or ()) <= set(where)]
        room = sum(not set(where).isdisjoint(core) for core in cores) if free else len(where)
        if len(inside) <= max(1, room) or told & {row.rank for row in inside}:
            continue
        told |= {row.rank for row in inside}
        text = f"workers {ranges(row.rank for row in inside)} share CPUs {ranges(where)} of {host}"
        idle = ranges(cpu for core in free for cpu in core)
        said.append(f"{text}, while CPUs {idle} are free" if free else text)
    return said


def most_threads(settings: str) -> int:
    """Return the largest number in `thread_settings`."""
    words = settings.replace("=", " ").replace(",", " ").split()
    return max((int(word) for word in words if word.isdecimal()), default=0)


def main() -> None:
    """Run the tasks and print who ran them."""
    workers = max(1, identity.this.size - 1)
    words = ready_programs.tasks_and_seconds(ready_programs.checked("sanity"))
    tasks, seconds = words[0] or TASKS_PER_WORKER * workers, words[1] or SECONDS
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
    """Return a number and what it counts."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


if __name__ == "__main__":
    main()
