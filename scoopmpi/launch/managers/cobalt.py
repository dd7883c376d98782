"""Cobalt: whole nodes, in a file or as numbers. It says nothing of their cores.

By Cobalt's and ALCF's documentation: no job was tried, and its large sites have moved to PBS.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from ...process.asking import Ask
from ..hosts.allocation import Allocation, AllocationError, Host, merged
from ..hosts.brackets import first, ranges
from . import local
from .reading import names

NAME = "cobalt"
TITLE = "Cobalt"
ALIASES: tuple[str, ...] = ()
VARIABLES = ("COBALT_",)
DAEMONS: tuple[str, ...] = ()


def allocation(env: Mapping[str, str], ask: Ask) -> Allocation | None:
    """Return the hosts of a Cobalt job, each with as many workers as this machine has cores."""
    job = env.get("COBALT_JOBID")
    if not job:
        return None
    if env.get("COBALT_NODEFILE"):
        variable = "COBALT_NODEFILE"
        listed = names(env[variable], variable)
    elif env.get("COBALT_PARTNAME"):
        variable = "COBALT_PARTNAME"
        listed = _numbered(env[variable])
    else:
        raise AllocationError(
            f"COBALT_JOBID={job} is set, but neither COBALT_NODEFILE nor COBALT_PARTNAME"
        )
    hosts = merged((Host(name, 1) for name in listed), f"{variable}={env[variable]}")
    if len(hosts) < len(listed):
        return Allocation(NAME, hosts, (variable,))
    cores = local.cores(env)
    note = f"Cobalt tells no cores: taken are the {cores} of this machine for each host"
    same = tuple(Host(host.name, cores) for host in hosts)
    return Allocation(NAME, same, (variable,), (note,))


def _numbered(text: str) -> list[str]:
    """Return `1-3,7` as nid00001, nid00002, nid00003, nid00007: so Cray calls its nodes."""
    source = f"COBALT_PARTNAME={text}"
    many = chain.from_iterable(range(low, high + 1) for low, high, _ in ranges(text, source))
    return first((f"nid{number:05d}" for number in many), "COBALT_PARTNAME")
