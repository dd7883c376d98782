"""Slurm: host lists in brackets and counts with repetitions, read without `scontrol`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice

from ..allocation import Allocation, AllocationError, Host, merged
from ..asking import Ask
from ..brackets import expanded, first

NAME = "slurm"
_COUNT = re.compile(r"(\d{1,9})(?:\(x(\d{1,9})\))?", re.ASCII)


def allocation(env: Mapping[str, str], ask: Ask) -> Allocation | None:
    """The hosts of a Slurm job: one worker for each task that was asked for, else for each CPU."""
    if not (env.get("SLURM_JOB_ID") or env.get("SLURM_JOBID")):
        return None
    asked = env.get("SLURM_NTASKS")
    variable = "SLURM_TASKS_PER_NODE" if asked else "SLURM_JOB_CPUS_PER_NODE"
    list_variable = _list_variable(env) if asked else "SLURM_JOB_NODELIST"
    names = env.get(list_variable) or env.get("SLURM_NODELIST")
    if not names:
        raise AllocationError("SLURM_JOB_ID is set but SLURM_JOB_NODELIST is not")
    source = f"{list_variable}={names}"
    if not env.get(variable):
        raise AllocationError(f"{source} has no {variable} beside it")
    hosts = first(expanded(names, list_variable), list_variable)
    # Slurm may name more counts than there are nodes.
    slots = list(islice(counts(env[variable], variable), len(hosts)))
    if len(slots) < len(hosts):
        raise AllocationError(f"{variable}={env[variable]} has fewer counts than {source} hosts")
    named = map(Host, hosts, slots)
    return Allocation(NAME, merged(named, source), (list_variable, variable))


def _list_variable(env: Mapping[str, str]) -> str:
    """Within a step the task counts are the step's, while `SLURM_JOB_NODELIST` stays the job's.

    The shell of salloc is a step as well, but keeps the job's counts.
    """
    counts_of_step = env.get("SLURM_STEP_TASKS_PER_NODE")
    in_step = counts_of_step is not None and counts_of_step == env.get("SLURM_TASKS_PER_NODE")
    return "SLURM_STEP_NODELIST" if in_step else "SLURM_JOB_NODELIST"


def counts(text: str, variable: str) -> Iterator[int]:
    """`2(x3),1` as 2, 2, 2, 1."""
    for item in text.split(","):
        found = _COUNT.fullmatch(item.strip())
        if found is None:
            raise AllocationError(f"{variable}={text}: {item!r} is no count")
        for _ in range(int(found[2] or 1)):
            yield int(found[1])
