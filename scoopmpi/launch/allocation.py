"""What a batch system has given to this job: hosts and their slots. Data only."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

_HOST_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""What may stand in a launcher's host list, where `,`, `:` and a leading `-` have meanings."""


class AllocationError(Exception):
    """The environment of a batch system contradicts itself; the message names the variable."""


@dataclass(frozen=True, slots=True)
class Host:
    """A machine and how many workers it may take."""

    name: str
    slots: int


@dataclass(frozen=True, slots=True)
class Allocation:
    """The hosts of a job in the manager's order, each once.

    evidence: the variables or files that said so.
    """

    manager: str
    hosts: tuple[Host, ...]
    evidence: tuple[str, ...] = ()

    @property
    def slots(self) -> int:
        """The workers that fit: one for each slot."""
        return sum(host.slots for host in self.hosts)

    @property
    def local(self) -> bool:
        """Whether everything runs on this machine, without a batch system."""
        return self.manager == "local"

    def resized(self, workers: int) -> Allocation:
        """The same hosts for exactly this many workers: fewer fill the first hosts, more spread."""
        counts = [0] * len(self.hosts)
        left = workers
        while left > 0:
            for place, host in enumerate(self.hosts):
                taken = min(host.slots, left)
                counts[place] += taken
                left -= taken
        hosts = zip(self.hosts, counts, strict=True)
        return replace(self, hosts=tuple(Host(host.name, n) for host, n in hosts if n))


def merged(names: Iterable[tuple[str, int]], source: str) -> tuple[Host, ...]:
    """Hosts in order of first appearance, the slots of repeated ones added up; at least one.

    Raises AllocationError, naming the source, for what is no host name and where no slot is left.
    """
    slots: dict[str, int] = {}
    for name, count in names:
        if not _HOST_NAME.fullmatch(name):
            raise AllocationError(f"{source}: {name!r} is no host name")
        slots[name] = slots.get(name, 0) + count
    hosts = tuple(Host(name, count) for name, count in slots.items() if count > 0)
    if not hosts:
        raise AllocationError(f"{source} names no host with a slot")
    return hosts
