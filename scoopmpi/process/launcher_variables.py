"""The variables by which launchers tell a process its place in the job: one table for all.

A launcher that is new here needs one entry in `LAUNCHERS`; whoever asks for a rank, for a number
of ranks, or for the launcher's name asks here. Known before MPI is there, and without it. Pure:
environments in, facts out. Which variables a launcher obeys is a matter of `launch`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple


class Launcher(NamedTuple):
    """Names the variables that one launcher, or an interface of several, sets for each rank.

    name: for users; empty for an interface that several launchers offer.
    sign: is set by this launcher, and by none below it in the table.
    rank: this process's number in the job.
    sizes: the number of ranks, the most trustworthy variable first.
    local: this process's number among the ranks of its host, and how many these are.
    late: prefixes where no variable says the rank; MPI says it later.
    place: prefixes of what makes an MPI program believe that it is this rank of this job.
    """

    name: str = ""
    sign: str | None = None
    rank: str | None = None
    sizes: tuple[str, ...] = ()
    local: tuple[str, str] | None = None
    late: tuple[str, ...] = ()
    place: tuple[str, ...] = ()


OPEN_MPI = Launcher(  # versions 4 and 5, as seen
    "the mpirun of Open MPI",
    sign="OMPI_COMM_WORLD_SIZE",
    rank="OMPI_COMM_WORLD_RANK",
    sizes=("OMPI_COMM_WORLD_SIZE",),
    local=("OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE"),
    place=("OMPI_COMM_WORLD_", "OMPI_MCA_ess", "OMPI_MCA_orte", "OMPI_MCA_pmix", "PRTE_"),
)
PMIX = Launcher(rank="PMIX_RANK", place=("PMIX_",))
HYDRA = Launcher(  # of MPICH 4 and 5, as seen
    "the mpirun of MPICH",
    sign="MPI_LOCALNRANKS",
    rank="PMI_RANK",
    sizes=("PMI_SIZE", "MPI_LOCALNRANKS"),
    local=("MPI_LOCALRANKID", "MPI_LOCALNRANKS"),
    place=("PMI_", "MPI_LOCAL", "HYD_", "HYDI_", "HYDRA_", "MPIR_CVAR_PMI"),
)
INTEL_MPI = HYDRA._replace(  # 2021, as seen: a Hydra
    name="the mpirun of Intel MPI", sign="I_MPI_HYDRA_TOPOLIB"
)
PMI = Launcher(rank="PMI_ID", late=("PMI_FD",))
MVAPICH2 = Launcher(  # its mpirun_rsh, by its source
    local=("MV2_COMM_WORLD_LOCAL_RANK", "MV2_COMM_WORLD_LOCAL_SIZE"), late=("MPIRUN_RANK",)
)
PALS = Launcher(  # HPE Cray: programs for Aurora read them
    local=("PALS_LOCAL_RANKID", "PALS_LOCAL_SIZE"), late=("PALS_",)
)
ALPS = Launcher(late=("ALPS_APP",))  # older Crays
SRUN = Launcher(  # 22.05, as seen
    "srun",
    sign="SLURM_STEP_NUM_TASKS",
    rank="SLURM_PROCID",
    sizes=("SLURM_STEP_NUM_TASKS",),
)
LAUNCHERS = (OPEN_MPI, PMIX, INTEL_MPI, HYDRA, PMI, MVAPICH2, PALS, ALPS, SRUN)
"""In the order in which they are believed. Slurm is asked last: the daemons of another launcher may
be ranks of a step of Slurm themselves, and leave its variables to theirs."""

_SLURM_SPECIAL_STEPS = 0xFFFF_FFF0
"""Step numbers from here on are no steps of ranks: batch script, interactive shell, extern."""
_FAULT_TOLERANCE = "OMPI_MCA_mpi_ft_enable"
_RANKS_OF_THE_HOST = "SLURM_GTIDS"
"""The numbers of all ranks of this host (recorded with 22.05)."""
_NUMBER = re.compile(r"\d{1,7}", re.ASCII)
_NUMBERS = re.compile(r"\d{1,7}(,\d{1,7})*", re.ASCII)
_LATE = tuple(prefix for each in LAUNCHERS for prefix in each.late)
_PLACE = tuple(prefix for each in LAUNCHERS for prefix in each.place)


def rank_of(env: Mapping[str, str]) -> int | None:
    """Return the rank that a launcher gave this process; None where no variable says it."""
    for launcher in LAUNCHERS:
        text = env.get(launcher.rank, "") if launcher.rank else ""
        if text.isdecimal() and (launcher is not SRUN or in_step_of_ranks(env)):
            return int(text)
    return None


def in_step_of_ranks(env: Mapping[str, str]) -> bool:
    """True in a step of Slurm with ranks; its batch script and salloc's shell are process 0 too."""
    step = env.get("SLURM_STEP_ID", "")
    return step.isdecimal() and int(step) < _SLURM_SPECIAL_STEPS


def size_of(env: Mapping[str, str]) -> int | None:
    """Return how many ranks the launcher says that it started; None where it does not say."""
    for name in (name for launcher in LAUNCHERS for name in launcher.sizes):
        if env.get(name, "").isdecimal():
            return int(env[name])
    return None


def launcher_of(env: Mapping[str, str]) -> Launcher | None:
    """Return the launcher that has started this process, by its sign; None for an unknown one."""
    return next((each for each in LAUNCHERS if each.sign is not None and each.sign in env), None)


def by_hydra(env: Mapping[str, str]) -> bool:
    """True where a Hydra has started this process: MPICH's, or Intel MPI's."""
    return HYDRA.sign in env


def rank_comes_late(env: Mapping[str, str]) -> bool:
    """True where a launcher has started this process whose ranks only MPI knows."""
    return any(name.startswith(_LATE) for name in env)


def without_place(env: Mapping[str, str]) -> dict[str, str]:
    """Return an environment for a program that is no rank of this job.

    With the variables that are left out, an MPI program would take itself for this rank, and hang
    (Open MPI) or fail (MPICH).
    """
    return {name: value for name, value in env.items() if not name.startswith(_PLACE)}


def survivable(env: Mapping[str, str]) -> bool:
    """True where the other ranks live on when one dies: Open MPI was started `--with-ft ulfm`."""
    return env.get(_FAULT_TOLERANCE) == "1"


class LocalRank(NamedTuple):
    """Counts a worker among the workers of its host, from 0, and how many they are.

    Workers share out the host's cores and GPUs by it, without a word to each other.
    """

    number: int
    workers: int


def local_rank_of(rank: int, env: Mapping[str, str]) -> LocalRank | None:
    """Return the place of a worker on its host; None where the launcher does not say.

    Also None where it contradicts itself. rank: the worker's rank in the job.
    """
    for number, size in filter(None, (launcher.local for launcher in LAUNCHERS)):
        if number in env:
            return _without_rank_0(rank, env[number], env.get(size, ""))
    return _listed(rank, env)


def _without_rank_0(rank: int, number: str, size: str) -> LocalRank | None:
    """Ranks are placed host by host: one with the same number on its host is beside rank 0."""
    if not _NUMBER.fullmatch(number) or not _NUMBER.fullmatch(size):
        return None
    beside_rank_0 = int(number) == rank
    found = LocalRank(int(number) - beside_rank_0, int(size) - beside_rank_0)
    return found if 0 <= found.number < found.workers and int(number) <= rank else None


def _listed(rank: int, env: Mapping[str, str]) -> LocalRank | None:
    """Slurm lists the ranks of the host, in whatever order they were dealt to hosts."""
    text = env.get(_RANKS_OF_THE_HOST, "")
    ranks = sorted({*map(int, text.split(","))} - {0}) if _NUMBERS.fullmatch(text) else []
    if env.get("SLURM_PROCID") != str(rank) or rank not in ranks:
        return None
    return LocalRank(ranks.index(rank), len(ranks))
