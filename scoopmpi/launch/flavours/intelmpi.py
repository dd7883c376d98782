"""Intel MPI, with its own build of Hydra."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..allocation import Allocation
from . import mpich
from .command import Command, with_own_directory

NAME = "Intel MPI"
EXTRA = "impi"
LAUNCHERS = ("mpirun", "mpiexec.hydra")


def recognises(library: str) -> bool:
    """As in "Intel(R) MPI Library 2021.17 for Linux* OS"."""
    return "Intel(R) MPI" in library


def starts(version: str, library: str) -> bool:
    """As in "Intel(R) MPI Library for Linux* OS, Version 2021.17"."""
    return "Intel(R) MPI" in version


def command(
    mpirun: str,
    allocation: Allocation,
    program: Sequence[str],
    env: Mapping[str, str],
    root: bool,
    agent: str | None = None,
) -> Command:
    """As Hydra's, but pinning is switched off by a variable, and mpirun looks for its parts."""
    settings = {"I_MPI_PIN": "0", **mpich.daemons(allocation), **with_own_directory(mpirun, env)}
    return Command((mpirun, *mpich.layout(allocation, agent), *program), settings)
