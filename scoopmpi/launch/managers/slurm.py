"""Slurm: host lists in brackets and counts with repetitions, read without `scontrol`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice, product

from ..allocation import Allocation, AllocationError, merged

NAME = "slurm"
MOST_HOSTS = 100_000
"""Beyond the largest cluster: a longer list is a mistake that would fill the memory."""
_COUNT = re.compile(r"(\d{1,9})(?:\(x(\d{1,9})\))?", re.ASCII)
_PIECE = re.compile(r"([^\[\],]*)(?:\[([^\[\]]+)\])?")
_ITEM = re.compile(r"((?:[^\[\],]|\[[^\[\]]+\])+)(,|\Z)")
_RANGE = re.compile(r"(\d{1,18})(?:-(\d{1,18}))?", re.ASCII)


def allocation(env: Mapping[str, str]) -> Allocation | None:
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
    hosts = _first(expanded(names, list_variable), list_variable)
    # Slurm may name more counts than there are nodes.
    slots = list(islice(counts(env[variable], variable), len(hosts)))
    if len(slots) < len(hosts):
        raise AllocationError(f"{variable}={env[variable]} has fewer counts than {source} hosts")
    pairs = zip(hosts, slots, strict=True)
    return Allocation(NAME, merged(pairs, source), (list_variable, variable))


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


def expanded(text: str, variable: str = "SLURM_JOB_NODELIST") -> Iterator[str]:
    """`a[01-03,7]-ib,b` as a01-ib, a02-ib, a03-ib, a7-ib, b."""
    place, text = 0, text.strip()
    while True:
        item = _ITEM.match(text, place)
        if item is None:
            raise AllocationError(f"{variable}={text}: {text[place:]!r} is no host list")
        names = [""]
        for piece in _PIECE.finditer(item[1]):
            endings = _numbers(piece[2], f"{variable}={text}") if piece[2] else iter([""])
            pairs = product(names, _first(endings, variable))
            names = _first((name + piece[1] + ending for name, ending in pairs), variable)
        yield from names
        if not item[2]:
            return
        place = item.end()


def _numbers(text: str, source: str) -> Iterator[str]:
    for item in text.split(","):
        found = _RANGE.fullmatch(item)
        if found is None or int(found[1]) > int(found[2] or found[1]):
            raise AllocationError(f"{source}: {item!r} is no range")
        for number in range(int(found[1]), int(found[2] or found[1]) + 1):
            yield str(number).zfill(len(found[1]))


def _first(names: Iterator[str], variable: str) -> list[str]:
    """All the names, unless they are too many."""
    found = list(islice(names, MOST_HOSTS + 1))
    if len(found) > MOST_HOSTS:
        raise AllocationError(f"{variable} names more than {MOST_HOSTS} hosts")
    return found
