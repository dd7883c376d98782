"""Slurm: host lists in brackets and counts with repetitions, read without `scontrol`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ..allocation import Allocation, AllocationError, merged

NAME = "slurm"
_COUNT = re.compile(r"(\d+)(?:\(x(\d+)\))?")
_PIECE = re.compile(r"([^\[\],]*)(?:\[([^\[\]]+)\])?")


def allocation(env: Mapping[str, str]) -> Allocation | None:
    """The hosts of a Slurm job: one worker for each task that was asked for, else for each CPU."""
    if not (env.get("SLURM_JOB_ID") or env.get("SLURM_JOBID")):
        return None
    names = env.get("SLURM_JOB_NODELIST") or env.get("SLURM_NODELIST")
    if not names:
        raise AllocationError("SLURM_JOB_ID is set but SLURM_JOB_NODELIST is not")
    hosts = list(expanded(names))
    asked = env.get("SLURM_NTASKS")
    variable = "SLURM_TASKS_PER_NODE" if asked else "SLURM_JOB_CPUS_PER_NODE"
    if not env.get(variable):
        raise AllocationError(f"SLURM_JOB_NODELIST={names} has no {variable} beside it")
    slots = list(counts(env[variable], variable))
    if len(slots) < len(hosts):
        raise AllocationError(f"{variable}={env[variable]} has fewer counts than {names} hosts")
    pairs = list(zip(hosts, slots, strict=False))
    return Allocation(NAME, merged(pairs), ("SLURM_JOB_NODELIST", variable))


def counts(text: str, variable: str) -> Iterator[int]:
    """`2(x3),1` as 2, 2, 2, 1."""
    for item in text.split(","):
        found = _COUNT.fullmatch(item.strip())
        if found is None:
            raise AllocationError(f"{variable}={text}: {item!r} is no count")
        yield from [int(found[1])] * int(found[2] or 1)


def expanded(text: str) -> Iterator[str]:
    """`a[01-03,7]-ib,b` as a01-ib, a02-ib, a03-ib, a7-ib, b."""
    for item in re.split(r",(?![^\[]*\])", text.strip()):
        pieces = [match for match in _PIECE.finditer(item) if match[0]]
        if not item or "".join(match[0] for match in pieces) != item:
            raise AllocationError(f"SLURM_JOB_NODELIST={text}: {item!r} is no host list")
        names = [""]
        for piece in pieces:
            endings = list(_numbers(piece[2], text)) if piece[2] else [""]
            names = [name + piece[1] + ending for name in names for ending in endings]
        yield from names


def _numbers(text: str, whole: str) -> Iterator[str]:
    for item in text.split(","):
        first, dash, last = item.partition("-")
        last = last if dash else first
        if not (first.isdigit() and last.isdigit()) or int(first) > int(last):
            raise AllocationError(f"SLURM_JOB_NODELIST={whole}: {item!r} is no range")
        for number in range(int(first), int(last) + 1):
            yield str(number).zfill(len(first))
