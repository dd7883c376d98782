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
    mpirun: str,
    allocation: Allocation,
    program: Sequence[str],
    env: Mapping[str, str],
    root: bool,
    agent: str | None = None,
) -> Command:
    """The command line; Hydra forwards the environment by itself."""
    words = (mpirun, "-bind-to", "none", *layout(allocation, agent), *program)
    return Command(words, daemons(allocation))


def layout(allocation: Allocation, agent: str | None) -> tuple[str, ...]:
    """Hydra's options for hosts and ranks."""
    hosts = with_rank_0(allocation)
    names = ",".join(f"{host.name}:{host.slots}" for host in hosts)
    ways: tuple[str, ...] = ("-launcher", "ssh", "-launcher-exec", agent) if agent else ()
    if allocation.local:
        ways = ("-launcher", "fork")
    return (*ways, "-hosts", names, "-n", str(sum(host.slots for host in hosts)))


def daemons(allocation: Allocation) -> dict[str, str]:
    """What srun needs to start Hydra's daemons: with MpiDefault=pmix it takes them for ranks."""
    return {"SLURM_MPI_TYPE": "none"} if allocation.manager == "slurm" else {}
