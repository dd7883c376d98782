"""Intel MPI, with its own build of Hydra."""

from __future__ import annotations

from . import mpich
from .command import Command, Ranks, with_own_directory

NAME = "Intel MPI"
EXTRA = "impi"
LAUNCHERS = ("mpirun", "mpiexec.hydra")


def recognises(library: str) -> bool:
    """As in "Intel(R) MPI Library 2021.17 for Linux* OS"."""
    return "Intel(R) MPI" in library


def starts(version: str, library: str) -> bool:
    """As in "Intel(R) MPI Library for Linux* OS, Version 2021.17"."""
    return "Intel(R) MPI" in version


def command(mpirun: str, ranks: Ranks) -> Command:
    """As Hydra's, but pinning is switched off by a variable, and mpirun looks for its parts."""
    needs = {**mpich.daemons(ranks), **with_own_directory(mpirun, ranks.env)}
    return Command((mpirun, "-genv", "I_MPI_PIN", "0", *mpich.layout(ranks)), needs)
