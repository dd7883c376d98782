"""Hydra, the launcher of MPICH and of its descendants: what their command lines have in common.

It hands over the whole environment by itself. No flavour of its own: a library's module is.
"""

from __future__ import annotations

from .command_line import for_daemons
from .ranks import Ranks

LAUNCHERS = ("mpirun", "mpiexec.hydra", "mpiexec")
BOOTSTRAPS = frozenset(
    (
        "ssh", "rsh", "fork", "slurm", "ll", "lsf", "sge", "manual", "persist", "pbs", "pbsdsh",
        "pdsh", "srun", "blaunch", "qrsh",
    )
)  # fmt: skip
"""What -launcher takes, of MPICH 5 and Intel MPI 2021 (their -help); others are remote shells."""


def bootstrap(ranks: Ranks) -> tuple[str, ...]:
    """Return how the daemons are started, where that is not Hydra's own choice."""
    agent = ranks.asked.agent
    if agent in BOOTSTRAPS:
        return ("-launcher", agent)
    if agent is not None:
        return ("-launcher", "ssh", "-launcher-exec", agent)
    return ("-launcher", "fork") if ranks.local else ()


def variables(ranks: Ranks) -> tuple[str, ...]:
    """Return the words for what the ranks have besides the environment."""
    return tuple(word for pair in ranks.variables.items() for word in ("-genv", *pair))


def layout(ranks: Ranks) -> tuple[str, ...]:
    """Return the hosts with their numbers of ranks, and the program."""
    names = ",".join(f"{host.name}:{host.slots}" for host in ranks.hosts)
    words = (*variables(ranks), *ranks.asked.mpirun_options, "-n", str(ranks.count))
    return ("-hosts", names, *words, *ranks.checked_program())


def binding(ranks: Ranks) -> tuple[str, ...]:
    """Return the words for the cores of a rank, one socket after the other or in turn.

    As on Hydra's wiki page.
    """
    if ranks.bound is None:
        return ("-bind-to", "none")
    spread = ("-map-by", "socket") if ranks.bound == "spread" else ()
    return ("-bind-to", f"core:{ranks.threads}", *spread)


def debugging(ranks: Ranks) -> tuple[str, ...]:
    """Return the words that show what it does, and which rank prints what."""
    return ("-verbose", "-prepend-rank") if ranks.asked.debug_mpi else ()


def environment(ranks: Ranks) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return variables to set and to forget.

    Where Slurm's MpiDefault is pmix, srun takes Hydra's daemons for ranks, and they hang.
    """
    needs, unset = for_daemons(ranks)
    if ranks.manager == "slurm":
        needs["SLURM_MPI_TYPE"] = "none"
    return needs, unset + ranks.withheld
