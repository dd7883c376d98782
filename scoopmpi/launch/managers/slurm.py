"""Slurm: host lists in brackets and counts with repetitions, read without `scontrol`.

The variables are those of sbatch(1), "OUTPUT ENVIRONMENT VARIABLES"; recorded with Slurm 22.05.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import NamedTuple

from ...process.asking import Ask
from ..hosts.allocation import MOST_HOSTS, Allocation, AllocationError, Host, merged
from ..hosts.brackets import expanded, first
from .reading import count

NAME = "slurm"
TITLE = "Slurm"
ALIASES: tuple[str, ...] = ()
VARIABLES = ("SLURM_", "SLURMD_")
DAEMONS = ("slurmstepd",)
_COUNT = re.compile(r"(\d{1,9})(?:\(x(\d{1,9})\))?", re.ASCII)
_MANY = 10**9
"""CPUs of a host, where nobody limits them."""
_MOST_COMPONENTS = 128
"""Slurm's own limit for the components of a heterogeneous job, MAX_HET_JOB_COMPS."""


class _Part(NamedTuple):
    """The names of the variables of a job, of a step, or of a component of a heterogeneous job."""

    names: str
    tasks: str | None
    cpus: str | None
    cpus_per_task: str
    total: str
    tasks_per_node: str | None


def allocation(env: Mapping[str, str], ask: Ask) -> Allocation | None:
    """Return the hosts of a Slurm job: a worker for each task asked for, else for each CPU.

    Without a number of tasks, as many CPUs as `--cpus-per-task` says are a task. A CPU of Slurm
    is a core or a hyper-thread, as the site has it; no variable tells which.
    """
    if not (env.get("SLURM_JOB_ID") or env.get("SLURM_JOBID")):
        names = env.get("SLURM_JOB_NODELIST")
        if names:
            raise AllocationError(f"SLURM_JOB_NODELIST={names} is set but SLURM_JOB_ID is not")
        return None
    parts: list[Allocation] = []
    for part in _parts(env):
        parts.append(_read(env, part))
        if sum(len(each.hosts) for each in parts) > MOST_HOSTS:
            source = f"{part.names}, with those before it,"
            raise AllocationError(f"{source} names more than {MOST_HOSTS} hosts")
    evidence = tuple(chain.from_iterable(part.evidence for part in parts))
    hosts = merged(
        chain.from_iterable(part.hosts for part in parts), f"{evidence[0]}={env[evidence[0]]}"
    )
    return Allocation(
        NAME, hosts, evidence, tuple(chain.from_iterable(part.notes for part in parts))
    )


def _parts(env: Mapping[str, str]) -> list[_Part]:
    """Return the variables to read: those of the job, of its components, or of a step.

    Within a step the task counts are the step's, while `SLURM_JOB_NODELIST` stays the job's.
    The shell of salloc is a step as well, but keeps the job's counts.
    """
    tasks, per_task = "SLURM_TASKS_PER_NODE", "SLURM_CPUS_PER_TASK"
    step = env.get("SLURM_STEP_TASKS_PER_NODE")
    if step and step == env.get(tasks):
        return [_Part("SLURM_STEP_NODELIST", tasks, None, per_task, "SLURM_STEP_NUM_TASKS", None)]
    for size, group in (("SLURM_HET_SIZE", "_HET_GROUP_"), ("SLURM_PACK_SIZE", "_PACK_GROUP_")):
        many = count(env, size, least=1)
        if many is not None and many > _MOST_COMPONENTS:
            raise AllocationError(f"{size}={many} is more than Slurm's limit, {_MOST_COMPONENTS}")
        if many is not None:  # the second names were those of Slurm until 19.05
            return [_job(env, f"{group}{place}", asked=True) for place in range(many)]
    asked = bool(env.get("SLURM_NTASKS") or env.get("SLURM_NTASKS_PER_NODE"))
    return [_job(env, "", asked=asked)]


def _job(env: Mapping[str, str], end: str, *, asked: bool) -> _Part:
    """Return the variables of a job or of a component, whose names have its place at their end.

    A component's tasks are right without `-n` as well.
    """
    names = "SLURM_JOB_NODELIST" + end
    return _Part(
        names=names if env.get(names) else "SLURM_NODELIST" + end,
        tasks="SLURM_TASKS_PER_NODE" + end if asked else None,
        cpus="SLURM_JOB_CPUS_PER_NODE" + end,
        cpus_per_task="SLURM_CPUS_PER_TASK" + end,
        total="SLURM_NTASKS" + end,
        tasks_per_node="SLURM_NTASKS_PER_NODE" + end,
    )


def _read(env: Mapping[str, str], part: _Part) -> Allocation:
    """Return the hosts of a part as they are listed, some perhaps without a slot."""
    if not env.get(part.names):
        wanted = part.names.replace("SLURM_NODELIST", "SLURM_JOB_NODELIST")
        raise AllocationError(f"this is a Slurm job, but {wanted} is not set")
    names = first(expanded(env[part.names], part.names), part.names)
    per_task = count(env, part.cpus_per_task, least=1)
    cpus: list[int] | None = None
    notes: tuple[str, ...] = ()
    if part.cpus and (part.tasks is None or env.get(part.cpus)):
        cpus, _ = _per_node(env, part.cpus, part.names, len(names))
    used = [part.names, part.tasks or part.cpus or ""]
    if part.tasks is None:
        cores = cpus or []
        slots = [max(1, number // (per_task or 1)) if number else 0 for number in cores]
    else:
        slots, notes = _tasks(env, part.tasks, part, len(names))
        cores = [number * (per_task or 1) for number in slots]
        if part.cpus and cpus and per_task is None and cores != cpus:
            cores = list(map(max, cores, cpus))
            used.append(part.cpus)
    if env.get("SLURM_OVERCOMMIT"):
        limits, variable = _limits(env, part, cpus, len(names))
        if any(many > limit for many, limit in zip(cores, limits, strict=True)):
            cores = list(map(min, cores, limits))
            used.append(variable)
            notes += (f"SLURM_OVERCOMMIT: {sum(slots)} tasks share {sum(cores)} CPUs",)
    if per_task is not None:
        used.append(part.cpus_per_task)
    return Allocation(NAME, tuple(map(Host, names, slots, cores)), tuple(used), notes)


def _limits(
    env: Mapping[str, str], part: _Part, cpus: list[int] | None, hosts: int
) -> tuple[list[int], str]:
    """Return the CPUs of each host where tasks may be more (`--overcommit`), and who says so.

    In a step they are known for its first host alone, where the process is.
    """
    if part.cpus is not None and cpus is not None:
        return cpus, part.cpus
    own = count(env, "SLURM_CPUS_ON_NODE", least=1)
    return [own or _MANY] * hosts, "SLURM_CPUS_ON_NODE"


def _tasks(
    env: Mapping[str, str], variable: str, part: _Part, hosts: int
) -> tuple[list[int], tuple[str, ...]]:
    """Return the tasks of each host, checked against their total, and what to say of them.

    Slurm 23.02.0 and 23.02.1 had wrong ones beside right totals (bugs.schedmd.com, 16426).
    """
    found, more = _per_node(env, variable, part.names, hosts)
    total = count(env, part.total)
    if total is None or more or total == sum(found):
        return found, ()
    text, right = f"{variable}={env[variable]}", f"{part.total}={total}"
    each = count(env, part.tasks_per_node) if part.tasks_per_node else None
    if each and each * hosts == total:
        return [each] * hosts, (f"{text} is wrong beside {right} and {part.tasks_per_node}={each}",)
    raise AllocationError(f"{text} has {sum(found)} tasks for these hosts, but {right}")


def _per_node(
    env: Mapping[str, str], variable: str, names: str, hosts: int
) -> tuple[list[int], bool]:
    """Return a count for each host, and True where there are more: so it is in shrunk jobs."""
    text, listed = env.get(variable), f"{names}={env[names]}"
    if not text:
        raise AllocationError(f"{listed} has no {variable} beside it")
    found = list(islice(counts(text, variable), hosts + 1))
    if len(found) < hosts:
        raise AllocationError(f"{variable}={text} has fewer counts than {listed} hosts")
    return found[:hosts], len(found) > hosts


def counts(text: str, variable: str) -> Iterator[int]:
    """Yield `2(x3),1` as 2, 2, 2, 1."""
    for item in text.split(","):
        found = _COUNT.fullmatch(item.strip())
        if found is None:
            raise AllocationError(f"{variable}={text}: {item!r} is no count")
        for _ in range(int(found[2] or 1)):
            yield int(found[1])
