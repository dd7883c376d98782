"""Grid Engine: a line for each host and queue in the file of the parallel environment.

The file is that of sge_pe(5): host, processes there, queue, processors (`UNDEFINED`, `0,0`,
`<NULL>`); the variables those of qsub(1). By both manuals NSLOTS is the sum of the second column,
as it is in all recorded jobs (8.1.9): where it is not, one of them is of another job.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from ...process.asking import Ask
from ..hosts.allocation import Allocation, AllocationError, Host, merged
from .reading import count, lines, number

NAME = "sge"
TITLE = "Grid Engine"
ALIASES = ("gridengine", "uge", "ge", "age")
VARIABLES = ("PE_HOSTFILE", "NSLOTS", "JOB_ID", "SGE_TASK_", "SGE_BINDING")
DAEMONS = ("sge_shepherd",)
_CPUS = re.compile(r"\d{1,9}(?:\s+\d{1,9})*", re.ASCII)


def allocation(env: Mapping[str, str], ask: Ask) -> Allocation | None:
    """Return the hosts of a Grid Engine job: one worker for each slot."""
    path = env.get("PE_HOSTFILE")
    in_job = bool(env.get("SGE_ROOT") and env.get("JOB_ID") and env.get("NSLOTS"))
    if path:
        return _bound(_parallel(env, path), env)
    if not in_job:
        return None
    if env.get("PE"):
        raise AllocationError(f"PE={env['PE']} is set but PE_HOSTFILE is not")
    # A job without `-pe` has one slot: the other cores are somebody else's.
    slots = max(1, count(env, "NSLOTS") or 1)
    return Allocation(NAME, (Host("localhost", slots),), ("NSLOTS",))


def _parallel(env: Mapping[str, str], path: str) -> Allocation:
    source = f"PE_HOSTFILE={path}"
    found = []
    for line in lines(path, "PE_HOSTFILE"):
        words = line.split()
        if len(words) < 2:
            raise AllocationError(f"{source}: no host and count in {line!r}")
        found.append(Host(words[0], number(words[1], source)))
    hosts = merged(found, source)
    slots, total = count(env, "NSLOTS"), sum(host.slots for host in hosts)
    if slots is not None and slots != total:
        raise AllocationError(f"NSLOTS={slots}, but {source} has {total} slots")
    return Allocation(NAME, hosts, ("PE_HOSTFILE",))


def _bound(found: Allocation, env: Mapping[str, str]) -> Allocation:
    """Return it with the cores that `-binding` has left to the job on this host, the first one."""
    cpus = env.get("SGE_BINDING", "").strip()
    if not _CPUS.fullmatch(cpus):
        return found
    host, *others = found.hosts
    bound = replace(host, cores=len(set(cpus.split())))
    notes: tuple[str, ...] = ()
    if bound.cores < bound.slots:
        notes = (f"SGE_BINDING={cpus}: {bound.slots} slots of {bound.name} share {bound.cores}",)
    evidence = (*found.evidence, "SGE_BINDING")
    return replace(found, hosts=(bound, *others), evidence=evidence, notes=notes)
