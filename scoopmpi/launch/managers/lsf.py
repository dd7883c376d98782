"""LSF: hosts and slots in a variable, or a line or a word for each slot.

The variables are those of IBM Spectrum LSF's reference, "Environment variables set for job
execution". By documentation only: no job of LSF was tried.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from ...process.asking import Ask
from ..hosts.allocation import Allocation, AllocationError, Host, merged
from ..hosts.brackets import ranges
from .reading import count, lines, names, number

NAME = "lsf"
TITLE = "LSF"
ALIASES = ("spectrumlsf",)
VARIABLES = ("LSB_",)
DAEMONS = ("res",)
"""By documentation only."""
_LAUNCH_NODE = re.compile(r"(?:batch|login)[\w.-]*", re.ASCII)
"""As on Summit and Lassen: the job script runs there, ranks must not."""
_CPUS = re.compile(r"\d{1,6}(?:-\d{1,6})?(?:,\d{1,6}(?:-\d{1,6})?)*", re.ASCII)
_MOST_CPUS = 8192
"""Of one host, the largest that Linux on x86 is built for (NR_CPUS)."""


def allocation(env: Mapping[str, str], ask: Ask) -> Allocation | None:
    """Return the hosts of an LSF job: one worker for each slot."""
    job = env.get("LSB_JOBID")
    if not job:
        return None
    if env.get("LSB_MCPU_HOSTS"):
        found = _counted(env["LSB_MCPU_HOSTS"])
    elif env.get("LSB_DJOB_HOSTFILE"):
        path = env["LSB_DJOB_HOSTFILE"]
        found = _repeated(names(path, "LSB_DJOB_HOSTFILE"), "LSB_DJOB_HOSTFILE", path)
    elif env.get("LSB_HOSTS"):
        found = _repeated(env["LSB_HOSTS"].split(), "LSB_HOSTS", env["LSB_HOSTS"])
    else:
        raise AllocationError(
            f"LSB_JOBID={job} is set, but none of LSB_MCPU_HOSTS, LSB_DJOB_HOSTFILE, LSB_HOSTS"
        )
    total, workers = found.slots, _without_launch_node(found)
    slots = count(env, "LSB_DJOB_NUMPROC")
    if slots is not None and slots not in (total, workers.slots):
        variable = found.evidence[0]
        raise AllocationError(f"LSB_DJOB_NUMPROC={slots}, but {variable} has {total} slots")
    return _with_affinity(workers, env)


def _counted(text: str) -> Allocation:
    """Return the hosts of `n1 16 n2 8`."""
    words, source = text.split(), f"LSB_MCPU_HOSTS={text}"
    if len(words) % 2:
        raise AllocationError(f"{source}: {words[-1]!r} has no number behind it")
    pairs = zip(words[::2], words[1::2], strict=True)
    hosts = merged([Host(name, number(slots, source)) for name, slots in pairs], source)
    return Allocation(NAME, hosts, ("LSB_MCPU_HOSTS",))


def _repeated(listed: list[str], variable: str, value: str) -> Allocation:
    hosts = merged((Host(name, 1) for name in listed), f"{variable}={value}")
    return Allocation(NAME, hosts, (variable,))


def _without_launch_node(found: Allocation) -> Allocation:
    first, *others = found.hosts
    if not others or first.slots != 1 or not _LAUNCH_NODE.fullmatch(first.name):
        return found
    note = f"{first.name} is a launch node: it takes no worker"
    return replace(found, hosts=tuple(others), notes=(*found.notes, note))


def _with_affinity(found: Allocation, env: Mapping[str, str]) -> Allocation:
    """Return the allocation with the cores of `-R affinity[…]`.

    The file has a line for each slot, with its host and CPUs.
    Empty where the job has no affinity, as Open MPI takes it too.
    """
    variable = "LSB_AFFINITY_HOSTFILE"
    path = env.get(variable)
    if not path:
        return found
    cpus: dict[str, set[int]] = {host.name: set() for host in found.hosts}
    for line in lines(path, variable):
        host, listed, *_ = (*line.split(), "")
        if not _CPUS.fullmatch(listed):
            note = f"{variable}={path} is not understood: {line!r} has no CPUs"
            return replace(found, notes=(*found.notes, note))
        cpus.get(host, set()).update(_numbers(listed, f"{variable}={path}"))
    if not all(cpus.values()):
        return found
    hosts = tuple(replace(host, cores=len(cpus[host.name])) for host in found.hosts)
    return replace(found, hosts=hosts, evidence=(*found.evidence, variable))


def _numbers(text: str, source: str) -> set[int]:
    """Return `0,2-3` as 0, 2, 3."""
    pairs = list(ranges(text, source))
    if max(high for _, high, _ in pairs) >= _MOST_CPUS:
        raise AllocationError(f"{source}: {text} are more CPUs than a host has")
    return {number for low, high, _ in pairs for number in range(low, high + 1)}
