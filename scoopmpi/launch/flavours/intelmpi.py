"""Intel MPI, with its own build of Hydra. Tried with 2021.18.

It does not read `-hosts a:9,b:8` as numbers of ranks: all would land where its own count says. So
each host has a set of arguments, `-host a -n 9 program : -host b -n 8 program`, which also stands
above what a batch system says. Its `mpirun` is a shell script that hands no signal on; so Hydra is
started at once, and is told what the script would find out of the batch system.
"""

from __future__ import annotations

import os

from . import hydra
from .command_line import CommandLine, with_own_directory
from .ranks import Ranks

NAME = "intelmpi"
TITLE = "Intel MPI"
ALIASES = ("impi", "intel", "intel-mpi")
EXTRA = "impi"
LAUNCHERS = ("mpiexec.hydra", "mpirun")
MOST_WORDS = 800
"""950 pass, with the launcher's own, and 1000 do not (found by trying)."""
MOST_BYTES = None

_BOOTSTRAPS = {"slurm": "slurm", "pbs": "pbs", "sge": "sge", "lsf": "lsf"}
_CHOSEN = ("I_MPI_HYDRA_BOOTSTRAP", "I_MPI_HYDRA_BOOTSTRAP_EXEC")


def recognises(library: str) -> bool:
    """True for "Intel(R) MPI Library 2021.17 for Linux* OS"."""
    return "Intel(R) MPI" in library


def starts(version: str, library: str) -> bool:
    """True for "Intel(R) MPI Library for Linux* OS, Version 2021.17"."""
    return "Intel(R) MPI" in version


def command_line(mpirun: str, ranks: Ranks) -> CommandLine:
    """Return Hydra's command line, but binding is a matter of variables."""
    words = [mpirun, *_binding(ranks), *_bootstrap(ranks), *hydra.variables(ranks)]
    if ranks.asked.branches is not None:
        words += ["-branch-count", str(ranks.asked.branches)]
    if ranks.asked.debug_mpi:
        words += ["-genv", "I_MPI_DEBUG", "5", "-print-rank-map"]
    words += ranks.asked.mpirun_options
    program = ranks.checked_program()
    for host in ranks.hosts:
        words += ["-host", host.name, "-n", str(host.slots), *program, ":"]
    needs, unset = hydra.environment(ranks)
    if os.path.basename(mpirun) == "mpirun":  # which looks for its parts
        needs = needs | with_own_directory(mpirun, ranks.env)
    return CommandLine(tuple(words[:-1]), needs, unset)


def _bootstrap(ranks: Ranks) -> tuple[str, ...]:
    """Return the bootstrap as asked for, else that of the script mpirun in such a job, else ssh."""
    if ranks.asked.agent is None and ranks.manager in _BOOTSTRAPS:
        chosen = any(name in ranks.env for name in _CHOSEN)
        return () if chosen else ("-launcher", _BOOTSTRAPS[ranks.manager])
    return hydra.bootstrap(ranks)


def _binding(ranks: Ranks) -> tuple[str, ...]:
    """Return a domain of so many cores for each rank, next to each other or far apart.

    Intel's reference, "Process Pinning": a domain is counted in cells, which are hyper-threads
    unless I_MPI_PIN_CELL says core.
    """
    if ranks.bound is None:
        return ("-genv", "I_MPI_PIN", "0")
    order = "scatter" if ranks.bound == "spread" else "compact"
    pairs = {
        "I_MPI_PIN": "1",
        "I_MPI_PIN_CELL": "core",
        "I_MPI_PIN_DOMAIN": f"{ranks.threads}:{order}",
    }
    return tuple(word for pair in pairs.items() for word in ("-genv", *pair))
