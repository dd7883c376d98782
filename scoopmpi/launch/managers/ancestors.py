"""Find out which batch system has started this process, by its daemons among the ancestors.

Variables may be inherited from another job's shell (`qsub -V`, `sbatch`), ancestors cannot. On
Linux only; in a container, and behind ssh, there are none to be seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

ROOT = Path("/proc")
_MOST = 1000
"""Generations: a loop of them would be a fault of the system's."""


def manager(daemons: Mapping[str, str]) -> str | None:
    """Return the batch system whose daemon is the nearest ancestor; None where none is.

    daemons: names of processes below which jobs run, and the batch system of each.
    """
    process = "self"
    for _ in range(_MOST):
        name, parent = _about(process)
        if name in daemons:
            return daemons[name]
        if parent in ("", "0"):
            return None
        process = parent
    return None


def _about(process: str) -> tuple[str, str]:
    """Return a process's name and the number of its parent, empty where they cannot be seen."""
    try:
        text = (ROOT / process / "status").read_text(errors="replace")
    except OSError:
        return "", ""
    pairs = (line.partition(":") for line in text.splitlines())
    said = {name: value.strip() for name, _, value in pairs}
    return said.get("Name", ""), said.get("PPid", "")
