"""From the slots of a job to the ranks on its hosts: what the options for counting ask. Pure."""

from __future__ import annotations

import random
import re
from dataclasses import replace

from .allocation import Allocation, AllocationError, Host

_ORDER = re.compile(r"(?P<how>normal|sort|random)(?:_(?P<seed>.+))?")
_NUMBERS = re.compile(r"(\d+)")


def ordered(allocation: Allocation, how: str) -> Allocation:
    """The hosts as the manager gave them (`normal`), by name (`sort`), or shuffled (`random_7`).

    The same seed gives the same order; rank 0 is on the first host.
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


def _natural(name: str) -> list[tuple[int, str]]:
    """So that n10 comes behind n9."""
    parts = _NUMBERS.split(name)
    return [(int(part), part) if part.isdecimal() else (0, part) for part in parts]


def hybrid(allocation: Allocation, workers: int) -> Allocation:
    """So many workers on each host, which share its cores."""
    return _with_slots(allocation, [workers] * len(allocation.hosts))


def multiplied(allocation: Allocation, times: int) -> Allocation:
    """So many workers for each slot."""
    return _with_slots(allocation, [host.slots * times for host in allocation.hosts])


def exactly(allocation: Allocation, workers: int) -> Allocation:
    """So many workers, dealt to the hosts in turn, none beyond its slots.

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
    """So many workers, as SCOOP places them: fewer fill the first hosts, more spread."""
    counts, left = [0] * len(allocation.hosts), workers
    while left > 0:
        for place, host in enumerate(allocation.hosts):
            taken = min(host.slots, left)
            counts[place] += taken
            left -= taken
    return _with_slots(allocation, counts)


def with_rank_0(allocation: Allocation) -> Allocation:
    """The same with rank 0 on the first host, one more there: it takes no slot."""
    first, *others = allocation.hosts
    return replace(allocation, hosts=(replace(first, slots=first.slots + 1), *others))


def pinning(
    allocation: Allocation, way: str | None, asked: bool, farm: bool
) -> tuple[str | None, str]:
    """How workers are pinned, None where they are not, and why not.

    way: `compact`, `spread`, or None not to. asked: the user wants it in any case.
    Of a farm on this machine they are not unless asked: rank 0 has the same cores, and 5000
    submits to 2 workers on 2 cores took 1.2 to 1.7 times as long (benchmarks/pinning.py). Nor where
    cores are left over, as another farm of the job would be pinned to the same.
    """
    if way is None:
        return None, "--disable-pinmpi"
    if any(host.slots > host.cores for host in allocation.hosts):
        return None, "there are more of them than cores"
    if asked or not farm:
        return way, ""
    if allocation.local:
        return None, "rank 0 is on the same cores; --pinmpi pins"
    if any(host.slots * allocation.threads < host.cores for host in allocation.hosts):
        return None, "they leave cores to others; --pinmpi pins"
    return way, ""


def _with_slots(allocation: Allocation, counts: list[int]) -> Allocation:
    pairs = zip(allocation.hosts, counts, strict=True)
    hosts = tuple(Host(host.name, count, host.cores) for host, count in pairs if count)
    return replace(allocation, hosts=hosts)
