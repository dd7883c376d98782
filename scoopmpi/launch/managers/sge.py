"""Grid Engine: a line for each host and queue in the file of the parallel environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..allocation import Allocation, AllocationError, merged

NAME = "sge"


def allocation(env: Mapping[str, str]) -> Allocation | None:
    """The hosts of a parallel Grid Engine job, from `PE_HOSTFILE`."""
    path = env.get("PE_HOSTFILE")
    if not path:
        return None
    try:
        lines = [line.split() for line in Path(path).read_text().splitlines()]
    except OSError as problem:
        raise AllocationError(f"PE_HOSTFILE={path} cannot be read: {problem.strerror}") from None
    counts = []
    for words in lines:
        if not words:
            continue
        if len(words) < 2 or not words[1].isdigit():
            raise AllocationError(f"PE_HOSTFILE={path}: no host and count in {' '.join(words)!r}")
        counts.append((words[0], int(words[1])))
    if not counts:
        raise AllocationError(f"PE_HOSTFILE={path} names no host")
    return Allocation(NAME, merged(counts), ("PE_HOSTFILE",))
