"""PBS. Torque's node file has a line for each core, those of OpenPBS and PBS Pro for each mpiproc.

There `select=2:ncpus=8` has two lines and 16 cores: `qstat -f` knows, NCPUS hints. Torque sets
PBS_NP and its like, the others do not. Recorded jobs of OpenPBS 23.06 are in `tests/samples`;
Torque after its manual ("Exported batch environment variables"), not tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...process.asking import Ask
from ..hosts.allocation import Allocation, AllocationError, Host, merged
from . import qstat
from .reading import count, lines, names

NAME = "pbs"
TITLE = "PBS"
ALIASES = ("torque", "openpbs", "pbspro")
VARIABLES = ("PBS_",)
DAEMONS = ("pbs_mom",)
_READ_BY_LAUNCHERS = ("PBS_NODEFILE", "PBS_ENVIRONMENT")
"""Open MPI 5 reads the node file where it sees these two, and takes a line for a host."""
_TORQUE = ("PBS_NP", "PBS_NUM_PPN", "PBS_NUM_NODES")


def allocation(env: Mapping[str, str], ask: Ask) -> Allocation | None:
    """Return the hosts of a PBS job: one worker for each mpiproc asked for, else for each core."""
    path, job = env.get("PBS_NODEFILE"), env.get("PBS_JOBID")
    if not path and not job:
        return None
    if not path:
        raise AllocationError(
            f"PBS_JOBID={job} is set but PBS_NODEFILE is not: is this shell in the job?"
        )
    if not job and not env.get("PBS_ENVIRONMENT"):
        raise AllocationError(
            f"PBS_NODEFILE={path} is set but PBS_JOBID is not: is this shell in the job?"
        )
    hosts = merged((Host(name, 1) for name in names(path, "PBS_NODEFILE")), f"PBS_NODEFILE={path}")
    odd = any(len(line.split()) > 1 for line in lines(path, "PBS_NODEFILE"))
    found = Allocation(NAME, hosts, ("PBS_NODEFILE",), stale=_READ_BY_LAUNCHERS if odd else ())
    if any(env.get(variable) for variable in _TORQUE):
        return _of_torque(found, env)
    answer = ask(("qstat", "-f", job)) if job and job[0].isdigit() else None
    told = _told(found, qstat.chunks(answer or "", job or ""))
    return told or _guided(found, env, answer)


# Torque.


def _of_torque(found: Allocation, env: Mapping[str, str]) -> Allocation:
    """Return the hosts of a job of Torque: a line stands for a core.

    At some sites it stands for a host, with PBS_NUM_PPN cores.
    """
    total, per_host = count(env, "PBS_NP"), count(env, "PBS_NUM_PPN") or count(env, "PBS_PPN")
    if total is None or total == found.slots:
        return found
    if per_host and per_host * found.slots == total:
        hosts = [Host(host.name, host.slots * per_host) for host in found.hosts]
        evidence = ("PBS_NODEFILE", "PBS_NUM_PPN" if env.get("PBS_NUM_PPN") else "PBS_PPN")
        return replace(found, hosts=tuple(hosts), evidence=evidence)
    raise AllocationError(
        f"PBS_NP={total} contradicts the {found.slots} lines of "
        f"PBS_NODEFILE={env['PBS_NODEFILE']}, which should be one for each core"
    )


# OpenPBS and PBS Pro.


def _told(found: Allocation, chunks: list[qstat.Chunk] | None) -> Allocation | None:
    """Return the hosts as `qstat` says, where it speaks of the same ones as the node file."""
    names = {host.name for host in found.hosts}
    shorts = {name.partition(".")[0]: name for name in names}
    cores, slots = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    for chunk in chunks or ():
        name = chunk.host if chunk.host in names else shorts.get(chunk.host.partition(".")[0])
        if name is not None:
            cores[name] += chunk.cores
            slots[name] += max(1, chunk.cores // (chunk.threads or 1)) if chunk.cores else 0
        elif chunk.mpiprocs != 0:  # these are the only ones without a line
            return None
    if not all(cores.values()):
        return None
    if any(chunk.mpiprocs is not None for chunk in chunks or ()):
        slots = {host.name: host.slots for host in found.hosts}
    hosts = tuple(Host(host.name, slots[host.name], cores[host.name]) for host in found.hosts)
    return replace(found, hosts=hosts, evidence=("PBS_NODEFILE", "qstat -f"))


def _guided(found: Allocation, env: Mapping[str, str], answer: str | None) -> Allocation:
    """Return the hosts by the node file and NCPUS, which is of the first chunk, without `qstat`.

    Where lines repeat they may be mpiprocs or chunks: lines times NCPUS could be others' cores.
    """
    cores = count(env, "NCPUS", least=1)
    said = "does not tell of these hosts" if answer else "does not answer"
    note = f"`qstat -f` {said}: workers and cores follow from the lines of PBS_NODEFILE"
    if cores is None:
        return replace(found, notes=(note,), warnings=(note,))
    if all(host.slots == 1 for host in found.hosts):
        hosts = [Host(host.name, cores) for host in found.hosts]
    else:
        hosts = [Host(host.name, host.slots, max(host.slots, cores)) for host in found.hosts]
    evidence = ("PBS_NODEFILE", "NCPUS")
    notes = (f"{note} and NCPUS",)
    return replace(found, hosts=tuple(hosts), evidence=evidence, notes=notes, warnings=notes)
