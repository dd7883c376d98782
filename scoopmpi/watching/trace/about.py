"""What is known of a run from its beginning: the program, versions, the batch job."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any

from ...process import named_files

_MANAGERS = (
    ("SLURM_JOB_ID", "slurm"), ("SLURM_JOBID", "slurm"), ("PBS_JOBID", "pbs"),
    ("LSB_JOBID", "lsf"), ("COBALT_JOBID", "cobalt"), ("FLUX_JOB_ID", "flux"),
    ("OAR_JOB_ID", "oar"), ("OAR_JOBID", "oar"), ("PJM_JOBID", "pjm"), ("SGE_TASK_ID", "sge"),
)  # fmt: skip
"""Variables of a job by which its batch system is known."""


def about(program: Sequence[str], mpi: str, env: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return what the head of a trace says.

    program: its words. mpi: what the MPI library says of itself.
    """
    manager = next((name for variable, name in _MANAGERS if env.get(variable)), "")
    return {
        "command": " ".join(program),
        "versions": {
            "scoopmpi": _version("scoopmpi"),
            "python": ".".join(map(str, sys.version_info[:3])),
            "mpi": mpi,
            "mpi4py": _version("mpi4py"),
        },
        "allocation": {"manager": manager, "job": named_files.job_number(env) or ""},
    }


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:  # it runs where it was unpacked
        return ""
