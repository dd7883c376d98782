"""No batch system: this machine, a worker for each physical core that the process may use."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from ...process import topology
from ...process.asking import Ask
from ..hosts.allocation import LOCAL, Allocation, Host

NAME = LOCAL
TITLE = "this machine"
ALIASES = ("none",)
VARIABLES: tuple[str, ...] = ()
DAEMONS: tuple[str, ...] = ()
ROOT = Path("/")
HYPERTHREADS = "MYMPIRUN_HYPERTHREADS"
"""Set to 1 or another word for yes: each CPU counts, where a core has several."""
_YES = frozenset(("1", "true", "t", "yes", "y", "on"))
_V2 = ("sys/fs/cgroup", "sys/fs/cgroup/unified")
_QUOTA = re.compile(r"(\d{1,18})\s(0*[1-9]\d{0,17})\s*", re.ASCII)


def allocation(env: Mapping[str, str], ask: Ask) -> Allocation | None:
    """Return the machine itself, always."""
    unit = "CPUs" if _hyperthreads(env) else "physical cores"
    evidence = (f"{unit} of the CPU affinity", "cgroup quota")
    return Allocation(NAME, (Host("localhost", cores(env)),), evidence)


def cores(env: Mapping[str, str] = os.environ) -> int:
    """Return the cores that this process may use, by its affinity and the quotas of its cgroups.

    A quota of one and a half cores counts as two: with one worker, half a core would be idle.
    """
    count = _usable(hyperthreads=_hyperthreads(env))
    return max(1, min([count, *_quotas()]))


def _hyperthreads(env: Mapping[str, str]) -> bool:
    return env.get(HYPERTHREADS, "").lower() in _YES


def _usable(*, hyperthreads: bool) -> int:
    """Return the CPUs or cores of the affinity, which only Linux tells.

    macOS has neither hyper-threads on Arm nor /sys.
    """
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    allowed = os.sched_getaffinity(0)
    if hyperthreads:
        return len(allowed)
    return len(topology.cores(allowed, ROOT / topology.SYSTEM.relative_to("/")))


def _quotas() -> Iterator[int]:
    """Yield the limits of the process's cgroups and of all around them.

    In the kernel's documentation: cgroup-v1, cgroup-v2.
    Within a container its own cgroup may be mounted as the root while its path is the host's:
    then only the root is found, and is the right one.
    """
    for line in (_text(ROOT / "proc/self/cgroup") or "0::/\n1:cpu:/").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:
            for place in (place for mount in _V2 for place in _upwards(ROOT / mount, path)):
                yield from _whole(_text(place / "cpu.max"))
        elif "cpu" in controllers.split(","):
            for mount in (controllers, "cpu"):
                for place in _upwards(ROOT / "sys/fs/cgroup" / mount, path):
                    quota = _text(place / "cpu.cfs_quota_us").strip()
                    yield from _whole(f"{quota} {_text(place / 'cpu.cfs_period_us')}")


def _upwards(mount: Path, path: str) -> Iterator[Path]:
    """Return the cgroup and those around it, up to the root, none outside of it."""
    inside = PurePosixPath(path.lstrip("/"))
    if ".." in inside.parts:
        inside = PurePosixPath()
    return (mount / each for each in (inside, *inside.parents))


def _whole(text: str) -> Iterator[int]:
    """Yield the cores of a quota, rounded up; nothing for `max` and -1, which are no limits."""
    found = _QUOTA.fullmatch(text)
    if found:
        yield max(1, math.ceil(int(found[1]) / int(found[2])))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except (OSError, ValueError):
        return ""
