"""Which batch system has started this process: the nearest of its daemons among the ancestors.

Variables may be inherited from another job's shell (`qsub -V`, `sbatch`), ancestors cannot. On
Linux only; in a container, and behind ssh, there are none to be seen.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path("/proc")
_DAEMONS = {
    "slurmstepd": "slurm", "pbs_mom": "pbs", "sge_shepherd": "sge", "res": "lsf",
    "flux-broker": "flux",
}  # fmt: skip
"""What the processes are called under which jobs run: for LSF and Flux by documentation only."""
_MOST = 1000
"""Generations: a loop of them would be a fault of the system's."""


def manager() -> str | None:
    """The name of the batch system whose daemon is the nearest ancestor; None where none is."""
    process = "self"
    for _ in range(_MOST):
        name, parent = _about(process)
        if name in _DAEMONS:
            return _DAEMONS[name]
        if parent in ("", "0"):
            return None
        process = parent
    return None


def _about(process: str) -> tuple[str, str]:
    """A process's name and the number of its parent, empty where they cannot be seen."""
    try:
        text = (ROOT / process / "status").read_text(errors="replace")
    except OSError:
        return "", ""
    pairs = (line.partition(":") for line in text.splitlines())
    said = {name: value.strip() for name, _, value in pairs}
    return said.get("Name", ""), said.get("PPid", "")
