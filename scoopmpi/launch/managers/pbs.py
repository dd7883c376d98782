"""PBS: Torque, OpenPBS, PBS Pro. The node file has a line for each slot."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..allocation import Allocation, AllocationError, Host, merged
from ..asking import Ask

NAME = "pbs"


def allocation(env: Mapping[str, str], ask: Ask) -> Allocation | None:
    """The hosts of a PBS job, from `PBS_NODEFILE`."""
    path = env.get("PBS_NODEFILE")
    if not env.get("PBS_JOBID") and not (path and env.get("PBS_ENVIRONMENT")):
        return None
    if not path:
        raise AllocationError("PBS_JOBID is set but PBS_NODEFILE is not: is this shell in the job?")
    try:
        text = Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError as problem:
        raise AllocationError(f"PBS_NODEFILE={path} cannot be read: {problem.strerror}") from None
    lines = [Host(line.strip(), 1) for line in text.splitlines() if line.strip()]
    return Allocation(NAME, merged(lines, f"PBS_NODEFILE={path}"), ("PBS_NODEFILE",))
