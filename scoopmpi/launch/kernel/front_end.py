"""A front end that starts a kernel: who it is, and what of its surroundings the ranks must not see.

Jupyter may itself be a rank of an MPI job or of a step of Slurm (`srun --pty jupyter lab`). Its
variables would make the launcher, and the ranks, believe that they are that rank. A kernel gets the
hosts of the whole job, not those of its step.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping, Sequence

from ...process.launcher_variables import in_step_of_ranks, without_place
from ...program.finding import ProgramNotFound, find
from .spec import PROGRAM

PROCESS = "JPY_PARENT_PID"
"""Names the front end's process, as `jupyter_client` tells its kernels."""
_OF_STEP = (
    "SLURM_STEP", "SLURM_SRUN_", "SLURM_CPU_BIND", "SLURM_MEM_BIND", "SLURM_PMIX", "SLURM_PTY_",
    "SLURM_LAUNCH_NODE", "SLURM_NTASKS", "SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID",
    "SLURM_GTIDS", "SLURM_TASK_PID", "SLURM_NPROCS", "SLURM_TASKS_PER_NODE", "SLURM_NNODES",
    "SLURM_NODELIST", "SLURM_DISTRIBUTION", "SLURM_MPI_TYPE",
)  # fmt: skip
"""How variables begin that a step has of its own: those of srun(1), and counts that it changes."""
_OVERLAP = {"SLURM_OVERLAP": "1"}
"""Has steps of the launcher not wait for the end of the one in which the front end runs."""


def is_kernel(words: Sequence[str]) -> bool:
    """True where a command line runs our kernel."""
    if not words or words[0] not in ("kernel", PROGRAM):
        return False
    try:
        return find(words[0]).module == PROGRAM
    except ProgramNotFound:
        return False


def without_its_job(env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a front end without what makes it a rank of a job of its own."""
    found = without_place(env)
    if not in_step_of_ranks(env):
        return found
    return {name: text for name, text in found.items() if not name.startswith(_OF_STEP)} | _OVERLAP


def leave_its_job(env: MutableMapping[str, str]) -> None:
    """Change this process's environment so."""
    kept = without_its_job(env)
    for name in [name for name in env if name not in kept]:
        del env[name]
    env.update(kept)


def process(env: Mapping[str, str]) -> int | None:
    """Return the front end's process; None where nobody says it, or it is not on this host."""
    text = env.get(PROCESS, "")
    if not text.isdecimal() or int(text) <= 1:
        return None
    try:
        os.kill(int(text), 0)
    except ProcessLookupError:
        return None
    except OSError:  # another user's: a hub's
        pass
    return int(text)
