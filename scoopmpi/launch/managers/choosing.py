"""Where several batch systems answer, one's variables are inherited from another job's shell.

`qsub -V` and `sbatch` hand on all of them. The system counts that has started this process, else
the one that has given it this host, else the first; of the others the user is told, and their
variables are kept from the launcher, which would believe them.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeAlias

from ..hosts.allocation import Allocation, AllocationError
from . import ancestors

Answers: TypeAlias = Mapping[str, Allocation | AllocationError]
"""What managers have said, by their names, in the order in which they were asked."""
_INNER = "flux"
"""An instance of it within another system's job is meant to be there."""
_SPOKEN = {
    "slurm": "Slurm", "flux": "Flux", "cobalt": "Cobalt", "sge": "Grid Engine",
    "kubernetes": "Kubernetes",
}  # fmt: skip
"""How people write them; the others in capitals."""
_VARIABLES = {
    "flux": ("FLUX_",), "slurm": ("SLURM_", "SLURMD_"), "cobalt": ("COBALT_",), "pbs": ("PBS_",),
    "lsf": ("LSB_",), "sge": ("PE_HOSTFILE", "NSLOTS", "JOB_ID", "SGE_TASK_", "SGE_BINDING"),
    "oar": ("OAR_",), "pjm": ("PJM_",), "kubernetes": ("K_MPI_",),
}  # fmt: skip
"""How the names of the variables begin that a manager gives to its jobs."""


def by_weight(found: Answers) -> list[str]:
    """The managers that have answered, the one that counts first."""
    names = list(found)
    if len(names) > 1 and names[0] != _INNER:
        daemon = ancestors.manager()
        here = (name for name in names if _is_here(found[name]))
        counts = daemon if daemon in found else next(here, names[0])
        names.sort(key=lambda name: name != counts)
    return names


def _is_here(answer: Allocation | AllocationError) -> bool:
    """Whether this machine is one of the hosts."""
    own = socket.gethostname().partition(".")[0]
    names = {host.name.partition(".")[0] for host in getattr(answer, "hosts", ())}
    return not names.isdisjoint((own, "localhost"))


def by_wrapper(env: Mapping[str, str]) -> bool:
    """Whether PBS's variables are those that Slurm's own qsub has set: of the same job."""
    job = env.get("PBS_JOBID", "").partition(".")[0]
    return job != "" and job == env.get("SLURM_JOB_ID")


def beside(answer: Allocation, others: list[str], env: Mapping[str, str], tell: bool) -> Allocation:
    """What counts, with what is to be known of the others; tell: the user did not choose."""
    if not others or answer.manager == _INNER:
        return answer
    answer = replace(answer, stale=(*answer.stale, *_stale(others, env)))
    if not tell:
        return answer
    warning = (
        f"the variables of {', '.join(map(_spoken, others))} are there too, as in a job that was "
        f"submitted from another's shell: taken are the hosts of {_spoken(answer.manager)} "
        f"(--sched={others[0]} takes the others)"
    )
    return replace(answer, warnings=(warning, *answer.warnings))


def _stale(managers: Iterable[str], env: Mapping[str, str]) -> tuple[str, ...]:
    """The variables by which launchers, too, would take these for the job's own system."""
    beginnings = tuple(beginning for name in managers for beginning in _VARIABLES[name])
    return tuple(sorted(name for name in env if name.startswith(beginnings)))


def _spoken(name: str) -> str:
    return _SPOKEN.get(name, name.upper())
