"""Choose where several batch systems answer: one's variables come from another job's shell.

`qsub -V` and `sbatch` hand on all of them. The system counts that has started this process, else
the one that has given it this host, else the first; of the others the user is told, and their
variables are kept from the launcher, which would believe them.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from ..hosts.allocation import Allocation, AllocationError
from . import ancestors
from .manager import Manager

Answers: TypeAlias = Mapping[str, Allocation | AllocationError]
"""The answers of managers, by their names, in the order in which they were asked."""
_INNER = "flux"
"""An instance of it within another system's job is meant to be there."""


def by_weight(found: Answers, daemons: Mapping[str, str]) -> list[str]:
    """Return the names of the managers that have answered, the one that counts first.

    daemons: names of processes below which jobs run, and the manager of each.
    """
    names = list(found)
    if len(names) > 1 and names[0] != _INNER:
        started_by = ancestors.manager(daemons)
        here = (name for name in names if _is_here(found[name]))
        counts = started_by if started_by in found else next(here, names[0])
        names.sort(key=lambda name: name != counts)
    return names


def _is_here(answer: Allocation | AllocationError) -> bool:
    """True where this machine is one of the hosts."""
    own = socket.gethostname().partition(".")[0]
    names = {host.name.partition(".")[0] for host in getattr(answer, "hosts", ())}
    return not names.isdisjoint((own, "localhost"))


def by_wrapper(env: Mapping[str, str]) -> bool:
    """True where PBS's variables are those that Slurm's own qsub has set: of the same job."""
    job = env.get("PBS_JOBID", "").partition(".")[0]
    return job != "" and job == env.get("SLURM_JOB_ID")


def beside(
    answer: Allocation, chosen: Manager, others: Sequence[Manager], env: Mapping[str, str],
    *, tell: bool,
) -> Allocation:  # fmt: skip
    """Return the answer that counts, with what is to be known of the managers beside it.

    answer, chosen: the allocation, and the manager that has given it. others: those beside it.
    tell: the user did not choose, and is told of them.
    """
    if not others or chosen.NAME == _INNER:
        return answer
    answer = replace(answer, stale=(*answer.stale, *_stale(others, env)))
    if not tell:
        return answer
    warning = (
        f"the variables of {', '.join(each.TITLE for each in others)} are there too, as in a job "
        f"that was submitted from another's shell: taken are the hosts of {chosen.TITLE} "
        f"(--sched={others[0].NAME} takes the others)"
    )
    return replace(answer, warnings=(warning, *answer.warnings))


def _stale(managers: Iterable[Manager], env: Mapping[str, str]) -> tuple[str, ...]:
    """Return the variables by which launchers, too, would take these for the job's own system."""
    beginnings = tuple(beginning for each in managers for beginning in each.VARIABLES)
    return tuple(sorted(name for name in env if name.startswith(beginnings)))
