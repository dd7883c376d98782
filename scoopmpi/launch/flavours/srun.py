"""Slurm's own launcher, for every MPI library that its plugins can start.

Taken where a library comes without launcher, or on request. Tried with Slurm 22.05, two nodes on
one machine, and Open MPI 4 (pmix), MPICH 4 and 5 and Intel MPI 2021 (pmi2). Open MPI 5 ends in
MPI_Init there with more than two ranks on a node, under any srun --mpi=pmix. MVAPICH and Cray MPICH
are from their guides. No library says that it is this one's.
"""

from __future__ import annotations

from . import cray, intelmpi, mpich, mvapich, openmpi
from .command_line import CommandLine
from .flavour import Flavour
from .ranks import LaunchError, Ranks

NAME = "srun"
TITLE = "srun"
ALIASES = ("slurm",)
EXTRA = ""
LAUNCHERS = ("srun",)
MOST_WORDS = None
MOST_BYTES = None
PLUGINS: tuple[tuple[Flavour, str], ...] = (
    (openmpi, "pmix"), (intelmpi, "pmi2"), (cray, "cray_shasta"), (mvapich, "pmi2"),
    (mpich, "pmi2"),
)  # fmt: skip
_LONGEST = 128 * 1024
"""A word of a command line, Linux: MAX_ARG_STRLEN."""

# What the batch job wants of its tasks; srun would take it for what this step shall be. The last
# two are refused beside --cpus-per-task, from Slurm 23.11 on, where they differ from it.
_OF_THE_JOB = (
    "SLURM_NTASKS_PER_NODE", "SLURM_NTASKS_PER_CORE", "SLURM_NTASKS_PER_SOCKET",
    "SLURM_NTASKS_PER_GPU", "SLURM_DISTRIBUTION", "SLURM_HOSTFILE", "SLURM_EXACT",
    "SLURM_EXCLUSIVE", "SLURM_CPU_BIND", "SLURM_CPU_BIND_TYPE", "SLURM_CPU_BIND_LIST",
    "SLURM_CPU_BIND_VERBOSE", "SLURM_THREADS_PER_CORE", "SLURM_HINT", "SLURM_CPUS_PER_TASK",
    "SLURM_TRES_PER_TASK",
)  # fmt: skip


def recognises(library: str) -> bool:
    """Return False: libraries have launchers of their own."""
    return False


def starts(version: str, library: str) -> bool:
    """True for "slurm-wlm 22.05.8", "slurm 23.11.4"."""
    return version.lower().startswith("slurm") and (plugin(library) is not None or not library)


def plugin(library: str) -> str | None:
    """Return the plugin for a library, a word of `srun --mpi=list`."""
    return next((name for flavour, name in PLUGINS if flavour.recognises(library)), None)


def command_line(mpirun: str, ranks: Ranks) -> CommandLine:
    """Return the command line; srun hands over the environment by itself.

    A host is named once for each of its ranks, with -m arbitrary: the only way to say how many of
    them go where (seen with 22.05; `n1*9` is refused).
    """
    if sum((len(host.name) + 1) * host.slots for host in ranks.hosts) > _LONGEST:
        raise LaunchError(
            f"srun cannot be told the places of {ranks.count} ranks: the list of hosts is longer "
            f"than {_LONGEST} characters. Load the mpirun of the MPI library"
        )
    names = ",".join(host.name for host in ranks.hosts for _ in range(host.slots))
    words = [mpirun, *_wiring(ranks.library), f"--nodes={len(ranks.hosts)}"]
    words += [f"--nodelist={names}", "--distribution=arbitrary", *_cores(ranks)]
    # stdin is for rank 0, as with every mpirun.
    words += ["--export=ALL", "--input=0", "--kill-on-bad-exit=1"]
    if ranks.step_of_slurm:
        words.append("--overlap")
    if ranks.asked.debug_mpi:
        words += ["--verbose", "--label"]
    words += [*ranks.asked.mpirun_options, f"--ntasks={ranks.count}", *ranks.checked_program()]
    unset = tuple(name for name in _OF_THE_JOB if name in ranks.env) + ranks.withheld
    # Not in --export: there a comma in a value begins the next variable.
    return CommandLine(tuple(words), dict(ranks.variables), unset, _notes(ranks))


def _wiring(library: str) -> tuple[str, ...]:
    """Return how ranks find each other; the cluster's default where the library is not known."""
    name = plugin(library)
    return () if name is None else (f"--mpi={name}",)


def _cores(ranks: Ranks) -> tuple[str, ...]:
    """Return the words for cores; rank 0 is one task more than there are: --overcommit.

    --cpus-per-task implies --exact from 22.05 on (its manual), and with --exact and --overcommit a
    step gets no cores at all (seen with 22.05). It is needed where ranks fit, as srun does not
    inherit it (22.05). Without both a step has all cores of the job.
    """
    if ranks.bound is None:
        return ("--overcommit", "--cpu-bind=none")
    return (f"--cpus-per-task={ranks.threads}", "--cpu-bind=cores")


def _notes(ranks: Ranks) -> tuple[str, ...]:
    said = []
    agent, branches = ranks.asked.agent, ranks.asked.branches
    if agent is not None and agent not in ("slurm", "srun"):
        said.append(f"--launcher {agent}: srun needs no other program to start ranks")
    if branches is not None:
        said.append(f"--branchcount {branches}: srun has the width that Slurm is set to")
    return tuple(said)
