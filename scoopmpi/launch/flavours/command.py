"""A command to start ranks: words, and what its environment needs beside ours."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..allocation import Allocation, Host

NAMES = frozenset(
    """
    PATH LD_LIBRARY_PATH LD_PRELOAD PYTHONPATH PYTHONHOME PYTHONUNBUFFERED VIRTUAL_ENV CONDA_PREFIX
    CLASSPATH MODULEPATH LOADEDMODULES MODULESHOME MPI4PY_LIBMPI
    """.split()  # noqa: SIM905 (one name a line would bury the rest)
)
PREFIXES = ("SCOOP", "OMP_", "OPENBLAS_", "MKL_", "KMP_", "UCX_", "FI_", "PSM", "MPI4PY_RC_")


@dataclass(frozen=True, slots=True)
class Command:
    """argv: the words. env: variables to set. notes: what to tell the user about it, once."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def exported(env: Mapping[str, str]) -> tuple[str, ...]:
    """The variables that ranks on other hosts need, of those that are set."""
    return tuple(sorted(name for name in env if name in NAMES or name.startswith(PREFIXES)))


def with_rank_0(allocation: Allocation) -> tuple[Host, ...]:
    """The hosts and their ranks: rank 0 is one more on the first, it takes no slot."""
    first, *others = allocation.hosts
    return (Host(first.name, first.slots + 1), *others)


def with_own_directory(mpirun: str, env: Mapping[str, str]) -> dict[str, str]:
    """PATH with the launcher's directory in front: Intel's is a script that looks for its parts."""
    own = os.path.dirname(mpirun)
    path = env.get("PATH", os.defpath)
    return {} if own in path.split(os.pathsep) else {"PATH": os.pathsep.join((own, path))}
