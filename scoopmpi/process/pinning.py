"""Workers pin themselves to cores of their own: the same under every MPI library.

Two jobs on one host that both pin to its first cores are far worse than no pinning at all. So a
worker pins itself only where the cores are the job's: where its workers take all of those that may
be used, or where these are fewer than the machine has, as a cpuset of the batch system makes them.
Must happen before anything starts a thread: threads inherit it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from .launcher_variables import LocalRank
from .topology import SYSTEM, Core, cores

_RANGES = re.compile(r"\d{1,7}(-\d{1,7})?(,\d{1,7}(-\d{1,7})?)*", re.ASCII)
_MOST = 1 << 20
"""CPUs that we are willing to count, whatever a file says."""


def share(of: Sequence[Core], index: int, threads: int, way: str) -> frozenset[int]:
    """Return the CPUs of the worker with this number; none where the cores are used up.

    of: the cores that may be used. index: the worker's number, from 0. threads: cores of a worker.
    way: compact, the next cores; spread, workers alternate between the packages. It does not depend
    on the number of workers, so that two that count differently never share a core.
    """
    order = _dealt(of, threads) if way == "spread" else list(of)
    mine = order[index * threads : (index + 1) * threads]
    return frozenset(cpu for core in mine for cpu in core.cpus) if len(mine) == threads else _NONE


_NONE: frozenset[int] = frozenset()


def _dealt(of: Sequence[Core], threads: int) -> list[Core]:
    """Deal cores in portions of a worker, one of each package in turn; the rest at the end."""
    packages: dict[int, list[Core]] = {}
    for core in of:
        packages.setdefault(core.package, []).append(core)
    portions: list[Sequence[Core]] = []
    left: list[Core] = []
    for turn in zip_longest(*(_portions(package, threads) for package in packages.values())):
        for portion in filter(None, turn):
            if len(portion) == threads:
                portions.append(portion)
            else:
                left += portion
    return [core for portion in portions for core in portion] + left


def _portions(package: list[Core], size: int) -> Iterator[list[Core]]:
    return (package[start : start + size] for start in range(0, len(package), size))


def decide(
    of: Sequence[Core], everyone: frozenset[int] | None, place: LocalRank, threads: int, way: str
) -> tuple[frozenset[int], str]:
    """Return the CPUs to pin this worker to, none where it is to be left alone, and why.

    of: the cores with the CPUs that it may use. everyone: the CPUs that any process of this machine
    may use, None where that is not known. place: the worker's number on its host.
    threads: cores of a worker. way: as for `share`.
    """
    needed, there = place.workers * threads, len(of)
    allowed = {cpu for core in of for cpu in core.cpus}
    if there <= threads:
        return _NONE, f"it may use {_cores(there)} only, which is its share"
    if needed > there:
        return _NONE, f"{place.workers} workers of {_cores(threads)} are more than {_cores(there)}"
    if needed < there and (everyone is None or everyone <= allowed):
        return _NONE, f"others may use the {_cores(there)} too, of which this job needs {needed}"
    mine = share(of, place.number, threads, way)
    return mine, f"worker {place.number + 1} of {place.workers} here"


def _cores(number: int) -> str:
    return f"{number} core" if number == 1 else f"{number} cores"


def pin(place: LocalRank | None, threads: int, way: str, root: Path = SYSTEM) -> str:
    """Pin this process as `decide` says; return what was done and why."""
    if not hasattr(os, "sched_setaffinity"):
        return "not pinned: this system knows no affinity"
    if place is None:
        return "not pinned: the launcher does not say which of the host's ranks this is"
    try:
        usable = cores(os.sched_getaffinity(0), root)
        mine, why = decide(usable, everyone(root), place, threads, way)
        if not mine:
            return f"not pinned: {why}"
        os.sched_setaffinity(0, mine)
    except OSError as problem:
        return f"not pinned: {problem.strerror}"
    return f"pinned to CPUs {','.join(map(str, sorted(mine)))}: {why}"


def everyone(root: Path = SYSTEM) -> frozenset[int] | None:
    """Return the CPUs that processes get without a cpuset: those online, but for isolated ones."""
    online, isolated = (_listed(root / name) for name in ("online", "isolated"))
    return online - (isolated or _NONE) if online else None


def _listed(path: Path) -> frozenset[int] | None:
    """Read CPU numbers as the kernel writes them: 0-3,8."""
    try:
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None
    if not _RANGES.fullmatch(text):
        return None
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        found.update(range(int(first), min(int(last or first), _MOST) + 1))
    return frozenset(found)
