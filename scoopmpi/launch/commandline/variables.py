"""Choose the environment variables that ranks are told on the launcher's command line."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ...process import rank_settings
from ..hosts.allocation import Allocation
from .launch import Launch

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
TOLD = ("SCOOPMPI_RANKS", "SCOOPMPI_THREADS", "SCOOPMPI_PIN", "SCOOPMPI_GPUS", "SCOOPMPI_TERMINAL")
"""What the ranks of a farm are told (`program.rank_settings`), and no others must inherit."""


def of_ranks(
    launch: Launch, allocation: Allocation, ranks: int, pin: str | None, env: Mapping[str, str],
    terminal: bool = False,
) -> dict[str, str]:  # fmt: skip
    """Return the variables of the ranks with their values.

    ranks: how many there are. pin: how workers are pinned, None where they are not.
    env: the environment of the caller; what the user has set there stays.
    terminal: whether the command draws what rank 0 says of its jobs.
    """
    threads = str(allocation.threads)
    told = {name: threads for name in THREADS if not _by_user(name, env)}
    if (path := _absolute(env.get("PYTHONPATH", ""))) != env.get("PYTHONPATH", ""):
        told["PYTHONPATH"] = path
    if launch.asked.temporary is not None:
        told["TMPDIR"] = launch.asked.temporary
    if not launch.has_farm:
        return told
    told |= {"SCOOPMPI_RANKS": str(ranks), "SCOOPMPI_THREADS": threads}
    if pin is not None:
        told["SCOOPMPI_PIN"] = pin
    if not launch.binding.all_gpus:
        told["SCOOPMPI_GPUS"] = "share"
    if terminal:
        told[rank_settings.TERMINAL] = "bar"
    return told


def _by_user(name: str, env: Mapping[str, str]) -> bool:
    """True where the user set a number of threads: OpenPBS sets OMP_NUM_THREADS in every job.

    There it is NCPUS, over what the user said at `qsub`; what differs was set in the job.
    """
    by_pbs = name == "OMP_NUM_THREADS" and "PBS_JOBID" in env and env.get(name) == env.get("NCPUS")
    return bool(env.get(name)) and not by_pbs


def _absolute(path: str) -> str:
    """Return PYTHONPATH with full paths: `.` means this directory, on other hosts too."""
    return os.pathsep.join(os.path.abspath(entry) for entry in path.split(os.pathsep) if entry)
