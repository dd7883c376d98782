"""Which of the workers of its host a rank is, by the launcher's variables, before MPI is there.

Workers share out the host's cores and GPUs by it, without a word to each other. Ranks are placed
host by host, so that a rank whose number on its host is its number in the job is beside rank 0.
Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

LOCAL_VARIABLES = (
    ("OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE"),  # Open MPI 4 and 5, as seen
    ("MPI_LOCALRANKID", "MPI_LOCALNRANKS"),  # Hydra of MPICH 4 and 5 and of Intel MPI, as seen
    ("MV2_COMM_WORLD_LOCAL_RANK", "MV2_COMM_WORLD_LOCAL_SIZE"),  # mpirun_rsh of MVAPICH2: source
    ("PALS_LOCAL_RANKID", "PALS_LOCAL_SIZE"),  # HPE Cray PALS: programs for Aurora read them
)
"""A rank's number on its host and how many there are. A launcher's daemons may be a batch system's
ranks themselves, so that Slurm is asked last."""
_NUMBER = re.compile(r"\d{1,7}", re.ASCII)
_NUMBERS = re.compile(r"\d{1,7}(,\d{1,7})*", re.ASCII)


class Seat(NamedTuple):
    """This worker's number among the workers of its host, from 0, and how many they are."""

    number: int
    workers: int


def seat_of(rank: int, env: Mapping[str, str]) -> Seat | None:
    """The seat of a worker; None where the launcher does not say, or contradicts itself."""
    for name, of_size in LOCAL_VARIABLES:
        if name in env:
            return _counted(rank, env[name], env.get(of_size, ""))
    return _by_slurm(rank, env)


def _counted(rank: int, local: str, size: str) -> Seat | None:
    if not _NUMBER.fullmatch(local) or not _NUMBER.fullmatch(size):
        return None
    beside_rank_0 = int(local) == rank
    seat = Seat(int(local) - beside_rank_0, int(size) - beside_rank_0)
    return seat if 0 <= seat.number < seat.workers and int(local) <= rank else None


def _by_slurm(rank: int, env: Mapping[str, str]) -> Seat | None:
    """`srun` lists the numbers of all ranks of the host (SLURM_GTIDS; recorded with 22.05)."""
    text = env.get("SLURM_GTIDS", "")
    ranks = sorted({*map(int, text.split(","))} - {0}) if _NUMBERS.fullmatch(text) else []
    if env.get("SLURM_PROCID") != str(rank) or rank not in ranks:
        return None
    return Seat(ranks.index(rank), len(ranks))
