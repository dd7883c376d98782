"""Grid Engine: a line for each host and queue in the file of the parallel environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from ..allocation import Allocation, AllocationError, Host, merged
from ..asking import Ask

NAME = "sge"
_COUNT = re.compile(r"\d{1,9}", re.ASCII)


def allocation(env: Mapping[str, str], ask: Ask) -> Allocation | None:
    """The hosts of a Grid Engine job, from `PE_HOSTFILE`, or this one where it has no such file."""
    path = env.get("PE_HOSTFILE")
    if not path:
        return _without_environment(env)
    try:
        text = Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError as problem:
        raise AllocationError(f"PE_HOSTFILE={path} cannot be read: {problem.strerror}") from None
    counts = []
    for words in filter(None, map(str.split, text.splitlines())):
        if len(words) < 2 or not _COUNT.fullmatch(words[1]):
            raise AllocationError(f"PE_HOSTFILE={path}: no host and count in {' '.join(words)!r}")
        counts.append(Host(words[0], int(words[1])))
    return Allocation(NAME, merged(counts, f"PE_HOSTFILE={path}"), ("PE_HOSTFILE",))


def _without_environment(env: Mapping[str, str]) -> Allocation | None:
    """A job without `-pe` has `NSLOTS` slots (one): the other cores are somebody else's."""
    slots = env.get("NSLOTS", "")
    if not (env.get("SGE_ROOT") and env.get("JOB_ID") and _COUNT.fullmatch(slots)):
        return None
    return Allocation(NAME, (Host("localhost", max(1, int(slots))),), ("NSLOTS",))
