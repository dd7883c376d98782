"""MPICH with its launcher Hydra; MVAPICH has the same."""

from __future__ import annotations

from .command import Command, Ranks

NAME = "MPICH"
EXTRA = "mpich"
LAUNCHERS = ("mpirun", "mpiexec.hydra", "mpirun.mpich", "mpiexec")


def recognises(library: str) -> bool:
    """As in "MPICH Version: 5.0.2"."""
    return "MPICH" in library or "MVAPICH" in library


def starts(version: str, library: str) -> bool:
    """As in "HYDRA build details:"."""
    return "HYDRA" in version and "Intel" not in version


def command(mpirun: str, ranks: Ranks) -> Command:
    """The command line; Hydra forwards the environment by itself."""
    return Command((mpirun, "-bind-to", "none", *layout(ranks)), daemons(ranks))


def layout(ranks: Ranks) -> tuple[str, ...]:
    """Hydra's options for hosts, variables and ranks, and the program."""
    names = ",".join(f"{host.name}:{host.slots}" for host in ranks.hosts)
    ways: tuple[str, ...] = ()
    if ranks.agent:
        ways = ("-launcher", "ssh", "-launcher-exec", ranks.agent)
    if ranks.manager == "local":
        ways = ("-launcher", "fork")
    variables = [word for pair in ranks.variables.items() for word in ("-genv", *pair)]
    count = ("-n", str(ranks.count))
    return (*ways, "-hosts", names, *variables, *ranks.words, *count, *ranks.program)


def daemons(ranks: Ranks) -> dict[str, str]:
    """What srun needs to start Hydra's daemons: with MpiDefault=pmix it takes them for ranks."""
    return {"SLURM_MPI_TYPE": "none"} if ranks.manager == "slurm" else {}
