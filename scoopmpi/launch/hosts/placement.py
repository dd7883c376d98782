"""Place ranks on the hosts of a job: how many on each, and which of them are pinned. Pure.

What the options for counting ask is a `Placement`, what those for cores and GPUs ask a `Binding`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from .allocation import Allocation, AllocationError, Host


@dataclass(frozen=True, slots=True)
class Placement:
    """How many workers each host gets, as the options for counting ask.

    order: of the hosts, see `ordered`. hybrid: workers on each host, None for one on each slot.
    threads: cores for each worker, None for those of a slot. times: workers for each slot, or for
    each one of hybrid's or of those that threads leave room for. universe: workers in total.
    """

    order: str = "normal"
    hybrid: int | None = None
    threads: int | None = None
    times: int = 1
    universe: int | None = None


@dataclass(frozen=True, slots=True)
class Binding:
    """Which cores and GPUs of its host a worker gets, as the options ask.

    pin: `compact` or `spread`, None not to pin. pin_asked: in any case.
    all_gpus: every worker sees all GPUs, not a share of its own.
    """

    pin: str | None = "compact"
    pin_asked: bool = False
    all_gpus: bool = False


_ORDER = re.compile(r"(?P<how>normal|sort|random)(?:_(?P<seed>.+))?")
_NUMBERS = re.compile(r"(\d+)")


def placed(allocation: Allocation, wanted: Placement) -> Allocation:
    """Return the allocation with as many workers on its hosts as was asked for.

    Raises AllocationError where there are fewer.
    """
    found = ordered(allocation, wanted.order)
    if wanted.hybrid is not None:
        found = hybrid(found, wanted.hybrid)
    if wanted.threads is not None:
        found = threaded(found, wanted.threads)
    if wanted.times > 1:
        found = multiplied(found, wanted.times)
    if wanted.universe is None:
        return found
    if wanted.hybrid is not None and wanted.universe > found.slots:
        raise AllocationError(
            f"--universe {wanted.universe} is more than the {found.slots} workers that "
            f"--hybrid {wanted.hybrid} allows on {len(found.hosts)} hosts; leave one of them out"
        )
    return exactly(found, wanted.universe)


def ordered(allocation: Allocation, how: str) -> Allocation:
    """Return the allocation with its hosts in another order; rank 0 is on the first.

    how: `normal`, as the manager gave them, `sort`, by name, or `random_7`, shuffled: the same seed
    gives the same order.
    Raises AllocationError for any other word.
    """
    found = _ORDER.fullmatch(how)
    if found is None or (found["seed"] and found["how"] != "random"):
        raise AllocationError(f"--order {how} is none of normal, sort, random, random_SEED")
    hosts = list(allocation.hosts)
    if found["how"] == "sort":
        hosts.sort(key=lambda host: _natural(host.name))
    elif found["how"] == "random":
        random.Random(found["seed"]).shuffle(hosts)
    return replace(allocation, hosts=tuple(hosts))


def beginning(allocation: Allocation, here: Callable[[str], bool]) -> Allocation:
    """Return the allocation with this host first, for a rank 0 that others on it have to reach.

    here: tells this host by its name. Raises AllocationError where it is none of them.
    """
    first = next((host for host in allocation.hosts if here(host.name)), None)
    if first is None:
        names = ", ".join(host.name for host in allocation.hosts[:4])
        more = ", …" if len(allocation.hosts) > 4 else ""
        raise AllocationError(
            f"a kernel runs on the host of its front end, and this is none of the job's: {names}"
            f"{more}. Start Jupyter in the job, or the kernel with --sched local"
        )
    others = (host for host in allocation.hosts if host is not first)
    return replace(allocation, hosts=(first, *others))


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a key for sorting by which n10 comes behind n9."""
    parts = _NUMBERS.split(name)
    return [(int(part), part) if part.isdecimal() else (0, part) for part in parts]


def hybrid(allocation: Allocation, workers: int) -> Allocation:
    """Return the allocation with so many workers on each host, which share its cores."""
    return _with_slots(allocation, [workers] * len(allocation.hosts))


def threaded(allocation: Allocation, threads: int) -> Allocation:
    """Return the allocation with as many workers on each host as have so many cores each.

    Cores that are left over there have no worker.
    Raises AllocationError where no host has so many.
    """
    counts = [host.cores // threads for host in allocation.hosts]
    if not any(counts):
        most = max(host.cores for host in allocation.hosts)
        raise AllocationError(
            f"--threads {threads} is more than the {most} cores that the job has on any host; "
            f"ask for more, or take --threads {most}"
        )
    pairs = zip(allocation.hosts, counts, strict=True)
    hosts = tuple(Host(host.name, count, count * threads) for host, count in pairs if count)
    return replace(allocation, hosts=hosts)


def multiplied(allocation: Allocation, times: int) -> Allocation:
    """Return the allocation with so many workers for each slot."""
    return _with_slots(allocation, [host.slots * times for host in allocation.hosts])


def exactly(allocation: Allocation, workers: int) -> Allocation:
    """Return it with so many workers in total, dealt to the hosts in turn, none beyond its slots.

    Raises AllocationError where they are more than the slots of a batch job. This machine takes
    any number.
    """
    if workers > allocation.slots and not allocation.local:
        raise AllocationError(
            f"--universe {workers} is more than the {allocation.slots} slots of this "
            f"{allocation.manager} job; --multi or --double puts several workers on a slot"
        )
    if allocation.local:
        return _with_slots(allocation, [workers])
    counts, left = [0] * len(allocation.hosts), workers
    while left:
        for place, host in enumerate(allocation.hosts):
            if left and counts[place] < host.slots:
                counts[place] += 1
                left -= 1
    return _with_slots(allocation, counts)


def resized(allocation: Allocation, workers: int) -> Allocation:
    """Return it with so many workers as SCOOP places them: few fill the first hosts, many share."""
    counts, left = [0] * len(allocation.hosts), workers
    while left > 0:
        for place, host in enumerate(allocation.hosts):
            taken = min(host.slots, left)
            counts[place] += taken
            left -= taken
    return _with_slots(allocation, counts)


def with_rank_0(allocation: Allocation) -> Allocation:
    """Return the same with rank 0 on the first host, one more there: it takes no slot."""
    first, *others = allocation.hosts
    return replace(allocation, hosts=(replace(first, slots=first.slots + 1), *others))


def pinning(allocation: Allocation, wanted: Binding, farm: bool) -> tuple[str | None, str]:
    """Return how workers are pinned, None where they are not, and why not.

    farm: rank 0 is one rank more than slots.
    Those of a farm on this machine are not unless asked: rank 0 has the same cores, and 5000
    submits to 2 workers on 2 cores took 1.2 to 1.7 times as long (benchmarks/pinning.py). Nor where
    cores are left over, as another farm of the job would be pinned to the same.
    """
    way = wanted.pin
    if way is None:
        return None, "--disable-pinmpi"
    if any(host.slots > host.cores for host in allocation.hosts):
        return None, "there are more of them than cores"
    if wanted.pin_asked or not farm:
        return way, ""
    if allocation.local:
        return None, "rank 0 is on the same cores; --pinmpi pins"
    threads = allocation.threads  # it looks at all hosts
    if any(host.slots * threads < host.cores for host in allocation.hosts):
        return None, "they leave cores to others; --pinmpi pins"
    return way, ""


def crowded(given: Allocation, asked: Allocation, cpus: int | None = None) -> Host | None:
    """Return the host whose cores the fewest are for its workers, where they are too few.

    given: as the batch system has it, which may want that (`--overcommit`). asked: with the workers
    that the user wants. cpus: those of this machine, hyper-threads too, where it is the only host.
    """
    if any(host.slots > host.cores for host in given.hosts):
        return None
    host = max(asked.hosts, key=lambda host: host.slots / host.cores)
    return host if host.slots > (cpus or host.cores) else None


def _with_slots(allocation: Allocation, counts: list[int]) -> Allocation:
    pairs = zip(allocation.hosts, counts, strict=True)
    hosts = tuple(Host(host.name, count, host.cores) for host, count in pairs if count)
    return replace(allocation, hosts=hosts)
