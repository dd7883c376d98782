"""Batch systems: each module has one function, `allocation(env, ask)`, and a `NAME`.

It returns None where its system is not there, and raises AllocationError where it is there but
contradicts itself. Slurm comes before PBS, as its qsub wrapper sets PBS variables too.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..allocation import Allocation, AllocationError
from ..asking import Ask, nobody
from . import local, pbs, sge, slurm

MANAGERS = (slurm, pbs, sge, local)
ALIASES = {"torque": "pbs", "openpbs": "pbs", "gridengine": "sge"}


def detect(env: Mapping[str, str], name: str | None = None, ask: Ask = nobody) -> Allocation:
    """The allocation of this job; `name` forces a manager.

    Raises AllocationError for an unknown name, or where the forced manager is not there.
    """
    wanted = ALIASES.get(name or "", name)
    modules = {module.NAME: module for module in MANAGERS}
    if wanted is not None and wanted not in modules:
        raise AllocationError(f"--sched {name} is unknown; known are {', '.join(modules)}")
    for module in MANAGERS if wanted is None else (modules[wanted],):
        found: Allocation | None = module.allocation(env, ask)
        if found is not None:
            return found
    raise AllocationError(f"--sched {name} was asked for, but this is no {name} job")
