"""What launchers say of a rank by variables, before MPI is there."""

from __future__ import annotations

import pytest

from scoopmpi.process.launcher_variables import (
    LAUNCHERS,
    LocalRank,
    local_rank_of,
    rank_comes_late,
    rank_of,
    size_of,
    without_place,
)
from tests.launch.test_managers import recorded


@pytest.mark.parametrize(
    ("env", "rank", "size"),
    [
        ({}, None, None),
        ({"OMPI_COMM_WORLD_RANK": "3", "OMPI_COMM_WORLD_SIZE": "4"}, 3, 4),
        ({"PMI_RANK": "0", "PMI_SIZE": "17", "MPI_LOCALNRANKS": "9"}, 0, 17),
        ({"PMIX_RANK": "2"}, 2, None),
        ({"PMI_RANK": "", "PMI_SIZE": "many"}, None, None),
        ({"PMI_RANK": "²"}, None, None),
        # mpirun in a Slurm job: its own numbers count
        ({"PMI_RANK": "5", "PMI_SIZE": "8", "SLURM_PROCID": "0", "SLURM_STEP_ID": "0"}, 5, 8),
        # the shell of salloc
        ({"SLURM_PROCID": "0", "SLURM_STEP_ID": "4294967290"}, None, None),
        (recorded("slurm_n4"), None, None),  # a batch script, though SLURM_PROCID=0
        (recorded("slurm_step"), 0, 1),
    ],
)
def test_rank_and_size(env: dict[str, str], rank: int | None, size: int | None) -> None:
    assert (rank_of(env), size_of(env)) == (rank, size)


def openmpi(local: object, size: object) -> dict[str, str]:
    return {"OMPI_COMM_WORLD_LOCAL_RANK": f"{local}", "OMPI_COMM_WORLD_LOCAL_SIZE": f"{size}"}


def slurm(rank: int, ranks: str) -> dict[str, str]:
    return {"SLURM_PROCID": str(rank), "SLURM_GTIDS": ranks}


@pytest.mark.parametrize(
    ("rank", "env", "place"),
    [
        (1, openmpi(1, 3), LocalRank(0, 2)),  # beside rank 0
        (2, openmpi(2, 3), LocalRank(1, 2)),
        (3, openmpi(0, 2), LocalRank(0, 2)),  # the second host
        (4, openmpi(1, 2), LocalRank(1, 2)),
        (1, openmpi(0, 1), LocalRank(0, 1)),  # rank 0 alone on the first host
        (5, {"MPI_LOCALRANKID": "2", "MPI_LOCALNRANKS": "4"}, LocalRank(2, 4)),
        (5, {"MV2_COMM_WORLD_LOCAL_RANK": "2", "MV2_COMM_WORLD_LOCAL_SIZE": "4"}, LocalRank(2, 4)),
        (5, {"PALS_LOCAL_RANKID": "2", "PALS_LOCAL_SIZE": "4"}, LocalRank(2, 4)),
        # mpirun's ranks in a Slurm step are no ranks of Slurm
        (4, {**openmpi(1, 2), **slurm(0, "0")}, LocalRank(1, 2)),
        (2, slurm(2, "0,1,2"), LocalRank(1, 2)),
        (
            3,
            slurm(3, "2,3") | {"SLURM_LOCALID": "1"},
            LocalRank(1, 2),
        ),  # recorded
        (3, slurm(3, "1,3,5"), LocalRank(1, 3)),  # dealt in turn: rank 0 is elsewhere
        (4, slurm(4, "0,2,4"), LocalRank(1, 2)),
        # not known, or nonsense
        (1, {}, None),
        (1, {"OMPI_COMM_WORLD_LOCAL_RANK": "1"}, None),
        (1, {"MPI_LOCALRANKID": "1", "OMPI_COMM_WORLD_LOCAL_SIZE": "4"}, None),
        (1, openmpi(3, 3), None),
        (1, openmpi(2, 3), None),
        (1, openmpi(-1, 3), None),
        (1, openmpi("", ""), None),
        (1, openmpi("1\n", 3), None),
        (1, openmpi("١", 3), None),
        (1, openmpi("1", "9" * 5000), None),
        (1, slurm(1, ""), None),
        (1, slurm(1, "0,1,"), None),
        (1, slurm(1, "0-1"), None),
        (1, slurm(1, "2,3"), None),
        (1, slurm(0, "0,1"), None),
    ],
)
def test_which_worker_of_its_host(rank: int, env: dict[str, str], place: LocalRank | None) -> None:
    assert local_rank_of(rank, env) == place


def test_each_worker_of_two_hosts_has_a_place_of_its_own() -> None:
    hosts = [range(5), range(5, 9)]
    for ranks in hosts:
        found = [
            local_rank_of(rank, openmpi(local, len(ranks)))
            for local, rank in enumerate(ranks) if rank
        ]  # fmt: skip
        assert found == [LocalRank(index, 4) for index in range(4)]


def test_a_launcher_is_known_by_its_sign_and_its_variables_are_not_handed_on() -> None:
    for each in LAUNCHERS:
        assert (each.sign is None) or each.name
        if each.rank and each.rank != "SLURM_PROCID":
            assert without_place({each.rank: "1", "HOME": "/"}) == {"HOME": "/"}


def test_ranks_that_only_mpi_knows() -> None:
    assert rank_comes_late({"PALS_APID": "7"})
    assert rank_comes_late({"PMI_FD": "3"})
    assert not rank_comes_late({"PMI_RANK": "3", "HOME": "/"})
