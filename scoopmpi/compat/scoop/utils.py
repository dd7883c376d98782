"""`scoop.utils`: which hosts and how many workers, as SCOOP's programs ask for it.

Pairs of a host's name and its workers, read by scoopmpi's own parsers.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn, TypeVar

from scoopmpi.launch import managers
from scoopmpi.launch.hosts import hostlist as lists
from scoopmpi.launch.hosts.allocation import Allocation, is_host_name
from scoopmpi.launch.hosts.brackets import expanded
from scoopmpi.launch.managers import local

Hosts = list[tuple[str, int]]
_ENVIRONMENTS = {"slurm": "SLURM", "pbs": "PBS", "sge": "SGE"}
_Item = TypeVar("_Item")
_LEVELS = {-2: logging.CRITICAL, -1: logging.ERROR, 0: logging.WARNING, 1: logging.INFO}
loopbackReferences = ["127.0.0.1", "localhost", "::1"]
loggerName = "SCOOPLogger"
"""The name of `initLogging`'s logger, unless it is told another one."""
loggingConfig: dict[str, Any] = {}


def __getattr__(name: str) -> Any:
    if name == "localHostnames":  # asking for the own name may ask a server
        return [*loopbackReferences, socket.gethostname().split(".")[0]]
    raise AttributeError(f"module 'scoop.utils' has no attribute {name!r}")


def getEnv() -> str:
    """Return the batch system of this job: SLURM, PBS, SGE or other."""
    return _ENVIRONMENTS.get(managers.detect(os.environ).manager, "other")


def getHosts(filename: str | None = None, hostlist: Sequence[str] | None = None) -> Hosts:
    """Return the hosts of a file, of a list of names, or of this job."""
    if filename:
        return getHostsFromFile(filename)
    if hostlist:
        return getHostsFromList(hostlist)
    found = managers.detect(os.environ)
    return getDefaultHosts() if found.local else _pairs(found)


def getHostsFromFile(filename: str) -> Hosts:
    """Return the hosts of a host file in any of the known formats."""
    return _pairs(lists.from_file(filename, local.cores))


def getHostsFromList(hosts: Iterable[str]) -> Hosts:
    """Return the hosts of a list of names; a repeated one has more workers."""
    return _pairs(lists.from_words(tuple(hosts)))


def getHostsFromSLURM() -> Hosts:
    """Return the hosts of this Slurm job."""
    return _pairs(managers.detect(os.environ, "slurm"))


def getHostsFromPBS() -> Hosts:
    """Return the hosts of this PBS job."""
    return _pairs(managers.detect(os.environ, "pbs"))


def getHostsFromSGE() -> Hosts:
    """Return the hosts of this Grid Engine job."""
    return _pairs(managers.detect(os.environ, "sge"))


def getDefaultHosts() -> Hosts:
    """This machine and its cores."""
    return [("127.0.0.1", getCPUcount())]


def getWorkerQte(hosts: Iterable[tuple[str, int]]) -> int:
    """Return how many workers this job was given; without a batch system those of the hosts."""
    found = managers.detect(os.environ)
    return sum(slots for _, slots in hosts) if found.local else found.slots


def getCPUcount() -> int:
    """Return the cores that this process may use."""
    return local.cores()


def parseSLURM(string: str) -> Hosts:
    """Return the hosts of a list in Slurm's spelling, a worker each."""
    return [(name, 1) for name in expanded(string, "host list")]


def externalHostname(hosts: Sequence[tuple[str, int]]) -> str:
    """A name of the first host that others may know it by."""
    name = hosts[0][0]
    return socket.gethostname() if name in loopbackReferences and len(hosts) > 1 else name


def groupTogether(in_list: Iterable[_Item]) -> list[_Item]:
    """Return the items with equal ones side by side, in the order of their first appearance."""
    groups: dict[_Item, list[_Item]] = {}
    for item in in_list:
        groups.setdefault(item, []).append(item)
    return [item for group in groups.values() for item in group]


def isStr(string: object) -> bool:
    """Return whether it is text."""
    return isinstance(string, str)


def isValid(string: str) -> bool:
    """Return whether a text may be the name of a host."""
    return is_host_name(string)


def initLogging(verbosity: int = 0, name: str = "SCOOP") -> logging.Logger:
    """A logger of this name that writes to stderr; verbosity: from -2, errors, to 4, everything."""
    logger = logging.getLogger(f"{name}Logger")
    handler = logging.StreamHandler()
    handler.setFormatter(
        logging.Formatter("[%(asctime)-15s] %(module)-9s %(levelname)-7s %(message)s")
    )
    logger.handlers[:] = [handler]
    logger.setLevel(_LEVELS.get(verbosity, logging.DEBUG))
    loggingConfig[logger.name] = {"handlers": ["console"], "level": logger.level}
    return logger


def KeyboardInterruptHandler(signum: int, frame: object) -> NoReturn:
    """A handler of a signal that ends the program as Ctrl-C does."""
    raise KeyboardInterrupt(f"signal {signum}")


def _pairs(found: Allocation) -> Hosts:
    return [(host.name, host.slots) for host in found.hosts]
