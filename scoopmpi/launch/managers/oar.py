"""OAR: a line of the node file for each resource of the job, which is a core.

By OAR's documentation ("Environment variables" of a job, oarsh(1)): no job was tried.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...process.asking import Ask
from ..hosts.allocation import Allocation, AllocationError, Host, merged
from .reading import names

NAME = "oar"
TITLE = "OAR"
ALIASES: tuple[str, ...] = ()
VARIABLES = ("OAR_",)
DAEMONS: tuple[str, ...] = ()
_FILES = ("OAR_NODEFILE", "OAR_FILE_NODES", "OAR_NODE_FILE")
"""One file under all its names."""


def allocation(env: Mapping[str, str], ask: Ask) -> Allocation | None:
    """Return the hosts of an OAR job: one worker for each core.

    Other hosts are reached by `oarsh`, as ssh is closed to users there.
    """
    job = env.get("OAR_JOB_ID") or env.get("OAR_JOBID")
    variable = next((name for name in _FILES if env.get(name)), None)
    if not job and variable is None:
        return None
    if variable is None:
        raise AllocationError(f"OAR_JOB_ID={job} is set but {_FILES[0]} is not")
    if not job:
        raise AllocationError(f"{variable}={env[variable]} is set but OAR_JOB_ID is not")
    path = env[variable]
    hosts = merged((Host(name, 1) for name in names(path, variable)), f"{variable}={path}")
    return Allocation(NAME, hosts, (variable,), agent="oarsh")
