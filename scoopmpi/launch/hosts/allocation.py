"""What a batch system has given to this job: hosts and their slots. Data only."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_HOST_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""What may stand in a launcher's host list, where `,`, `:` and a leading `-` have meanings."""


MOST_HOSTS = 100_000
"""Beyond the largest cluster: a longer list is a mistake that would fill the memory."""
MOST_SLOTS = 20_000_000
"""So are more: the most cores of any machine in the TOP500 are TaihuLight's 10.6 million."""


class AllocationError(Exception):
    """The environment of a batch system contradicts itself; the message names the variable."""


LOCAL = "local"
"""The manager of an allocation that is this machine, without a batch system."""


@dataclass(frozen=True, slots=True)
class Host:
    """A machine, how many workers it may take, and how many cores the job has there.

    cores: 0, where nobody says, stands for one for each slot.
    """

    name: str
    slots: int
    cores: int = 0

    def __post_init__(self) -> None:
        if not self.cores:
            object.__setattr__(self, "cores", self.slots)

    @property
    def threads(self) -> int:
        """Return the number of cores of one worker."""
        return max(1, self.cores // max(1, self.slots))


@dataclass(frozen=True, slots=True)
class Allocation:
    """The hosts of a job in the manager's order, each once.

    evidence: the variables, files and commands that said so.
    notes: what a person may want to know of it, a sentence each. warnings: those that nobody should
    miss.
    agent: the remote shell of this batch system, where its hosts are closed to ssh.
    stale: variables that a launcher would believe, and must not: another job's, or an odd file's.
    """

    manager: str
    hosts: tuple[Host, ...]
    evidence: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    agent: str | None = None
    warnings: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.slots > MOST_SLOTS:
            source = ", ".join(self.evidence) or self.manager
            raise AllocationError(f"{source}: {self.slots} slots are more than any machine has")

    @property
    def slots(self) -> int:
        """Return the number of workers that fit: one for each slot."""
        return sum(host.slots for host in self.hosts)

    @property
    def cores(self) -> int:
        """Return the number of all cores of the job."""
        return sum(host.cores for host in self.hosts)

    @property
    def threads(self) -> int:
        """Return the number of cores that every worker has, on whatever host."""
        return min(host.threads for host in self.hosts)

    @property
    def local(self) -> bool:
        """True where everything runs on this machine, without a batch system."""
        return self.manager == LOCAL


def is_host_name(text: str) -> bool:
    """True for a text that may stand in a launcher's list of hosts."""
    return _HOST_NAME.fullmatch(text) is not None


def merged(hosts: Iterable[Host], source: str) -> tuple[Host, ...]:
    """Return hosts in order of first appearance, those of one name added up.

    At least one has a slot; hosts without any are left out.
    Raises AllocationError, naming the source, for what is no host name and where no slot is left.
    """
    sums: dict[str, tuple[int, int]] = {}
    for host in hosts:
        if not is_host_name(host.name):
            raise AllocationError(f"{source}: {host.name!r} is no host name")
        slots, cores = sums.get(host.name, (0, 0))
        sums[host.name] = slots + host.slots, cores + host.cores
        if len(sums) > MOST_HOSTS:
            raise AllocationError(f"{source} names more than {MOST_HOSTS} hosts")
    found = tuple(Host(name, *counts) for name, counts in sums.items() if counts[0] > 0)
    if not found:
        raise AllocationError(f"{source} names no host with a slot")
    return found
