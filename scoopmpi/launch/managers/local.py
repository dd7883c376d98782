"""No batch system: this machine, a slot for each core that the process may use."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from pathlib import Path

from ..allocation import LOCAL as NAME
from ..allocation import Allocation, Host
from ..asking import Ask

CPU_MAX = Path("/sys/fs/cgroup/cpu.max")
_QUOTA = re.compile(r"(\d{1,18}) (0*[1-9]\d{0,17})\s*", re.ASCII)


def allocation(env: Mapping[str, str], ask: Ask) -> Allocation:
    """Always an answer: the machine itself."""
    return Allocation(NAME, (Host("localhost", cores()),), ("CPU affinity", "cgroup quota"))


def cores() -> int:
    """Cores that this process may use: affinity and the container's quota considered."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        limit = quota(CPU_MAX.read_text())
    except OSError:
        limit = None
    return max(1, min(usable or 1, limit or usable or 1))


def quota(text: str) -> int | None:
    """Whole cores that cgroup v2's `cpu.max` allows, None without a limit (kernel: cgroup-v2)."""
    found = _QUOTA.fullmatch(text)
    return max(1, math.ceil(int(found[1]) / int(found[2]))) if found else None
