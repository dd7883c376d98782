"""MPICH with its launcher Hydra; MVAPICH has the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..allocation import Allocation
from .command import Command, with_rank_0

NAME = "MPICH"
EXTRA = "mpich"
LAUNCHERS = ("mpirun", "mpiexec.hydra", "mpirun.mpich", "mpiexec")


def recognises(library: str) -> bool:
    """As in "MPICH Version: 5.0.2"."""
    return "MPICH" in library or "MVAPICH" in library


def starts(version: str, library: str) -> bool:
    """As in "HYDRA build details:"."""
    return "HYDRA" in version and "Intel" not in version


def command(
    mpirun: str, allocation: Allocation, program: Sequence[str], env: Mapping[str, str], root: bool
) -> Command:
    """The command line; Hydra forwards the environment by itself."""
    hosts = with_rank_0(allocation)
    words = [mpirun, "-bind-to", "none"]
    if allocation.local:
        words += ["-launcher", "fork"]
    words += ["-hosts", ",".join(f"{host.name}:{host.slots}" for host in hosts)]
    words += ["-n", str(sum(host.slots for host in hosts)), *program]
    return Command(tuple(words))
