"""PJM, the job manager of Fujitsu's Technical Computing Suite: a line for each (virtual) node.

By documentation, and as the R package parallelly reads it: no job was tried.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...process.asking import Ask
from ..hosts.allocation import Allocation, AllocationError, Host, merged
from . import local
from .reading import count, names

NAME = "pjm"
TITLE = "PJM"
ALIASES = ("fujitsu",)
VARIABLES = ("PJM_",)
DAEMONS: tuple[str, ...] = ()


def allocation(env: Mapping[str, str], ask: Ask) -> Allocation | None:
    """Return the hosts of a PJM job, with the workers that `--mpi` says, else one for each core.

    Other hosts are reached by `pjrsh`, as the sites' own job scripts do with Open MPI and Hydra.
    """
    job, path = env.get("PJM_JOBID"), env.get("PJM_O_NODEINF")
    if not job and not path:
        return None
    if not job or not path:
        there, missing = ("PJM_JOBID", "PJM_O_NODEINF")[:: 1 if job else -1]
        raise AllocationError(f"{there}={env[there]} is set but {missing} is not")
    processes, cores = count(env, "PJM_PROC_BY_NODE", 1), count(env, "PJM_VNODE_CORE", 1)
    evidence = ["PJM_O_NODEINF"]
    notes: tuple[str, ...] = ()
    if processes:
        evidence.append("PJM_PROC_BY_NODE")
    if cores:
        evidence.append("PJM_VNODE_CORE")
    else:  # whole nodes, of one kind
        cores = local.cores(env)
        notes = (f"PJM_VNODE_CORE is not set: {cores} cores, as this machine has, for each host",)
    each = [Host(name, processes or cores, cores) for name in names(path, "PJM_O_NODEINF")]
    hosts = merged(each, f"PJM_O_NODEINF={path}")
    return Allocation(NAME, hosts, tuple(evidence), notes, agent="/bin/pjrsh")
