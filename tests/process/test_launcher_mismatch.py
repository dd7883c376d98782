"""Ranks that cannot see each other, or are not as many as were asked for, end with the reason."""

from __future__ import annotations

import time

import pytest

from scoopmpi.process import launcher_mismatch
from tests.support.libraries import ROOT, Library, libraries
from tests.support.starting import mpirun, start, start_ranks

pytestmark = pytest.mark.timeout(180)

JOBSCRIPTS = ROOT / "jobscripts"
OPEN_MPI = "Open MPI v5.0.11, package: Open MPI user@localhost Distribution, ident: 5.0.11"
MPICH = "MPICH Version:      5.0.2\nMPICH configure:    --with-device=ch4:ucx,ofi\n\0"
INTEL = "Intel(R) MPI Library 2021.18.1 for Linux* OS\n"
BY_OPEN_MPI = {"OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "1"}
BY_MPICH = {"PMI_SIZE": "4", "PMI_RANK": "1", "MPI_LOCALNRANKS": "2"}
BY_INTEL = {**BY_MPICH, "I_MPI_HYDRA_TOPOLIB": "ipl2"}
BY_SRUN = {"SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "1", "SLURM_STEP_ID": "0"}


@pytest.mark.parametrize(
    ("env", "library", "refused"),
    [
        (BY_OPEN_MPI, MPICH, True),
        (BY_OPEN_MPI, MPICH.replace("--with", "--with-pmix --with"), False),  # it may work
        (BY_OPEN_MPI, INTEL, False),  # it starts, and each is alone: told then
        (BY_OPEN_MPI, OPEN_MPI, False),
        ({"OMPI_COMM_WORLD_SIZE": "1"}, MPICH, False),
        (BY_MPICH, MPICH, False),
        (BY_MPICH, OPEN_MPI, False),
        (BY_SRUN, MPICH, False),
        ({}, MPICH, False),
        ({}, "", False),
    ],
)
def test_refused_before_mpi_where_it_would_only_die(
    env: dict[str, str], library: str, refused: bool
) -> None:
    assert (launcher_mismatch.before_mpi(env, library) is not None) is refused


@pytest.mark.parametrize(
    ("env", "library", "words"),
    [
        (BY_OPEN_MPI, INTEL, "by the mpirun of Open MPI, but mpi4py has loaded Intel(R) MPI Libr"),
        (BY_MPICH, OPEN_MPI, "by the mpirun of MPICH, but mpi4py has loaded Open MPI v5.0.11. Use"),
        (BY_INTEL, OPEN_MPI, "by the mpirun of Intel MPI, but mpi4py has loaded Open MPI v5.0.11."),
        (BY_SRUN, OPEN_MPI, "started by srun, but mpi4py has loaded Open MPI v5.0.11. Use a way"),
        ({"PMI_SIZE": "4"}, OPEN_MPI, "started by the launcher of another MPI library, but"),
        ({}, "", "started by the launcher of another MPI library, but mpi4py has loaded nothing"),
    ],
)
def test_alone_though_one_of_four(env: dict[str, str], library: str, words: str) -> None:
    said = launcher_mismatch.in_mpi(env, library, 1, 4) or ""
    assert said.startswith("scoopmpi: this is one of 4 processes that cannot see each other: ")
    assert words in said and "`myscoop PROGRAM` finds it" in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("env", "size", "asked", "words"),
    [
        ({}, 1, None, None),
        ({}, 1, 1, None),
        ({}, 4, 4, None),
        (BY_MPICH, 4, None, None),
        (BY_MPICH, 4, 4, None),
        (
            BY_MPICH,
            4,
            17,
            "17 ranks were asked for (SCOOPMPI_RANKS), but MPICH Version: 5.0.2 has 4",
        ),
        (BY_MPICH, 1, 17, "one of 4 processes that cannot see each other"),
        (
            {"PMI_SIZE": "1"},
            1,
            17,
            "17 ranks were asked for (SCOOPMPI_RANKS), but MPICH Version: 5",
        ),
    ],
)
def test_as_many_as_were_asked_for(
    env: dict[str, str], size: int, asked: int | None, words: str | None
) -> None:
    said = launcher_mismatch.in_mpi(env, MPICH, size, asked)
    assert said is None if words is None else said is not None and words in said


OWNERS = {"openmpi": "Open MPI", "mpich": "MPICH", "impi": "Intel MPI"}


def test_under_the_mpirun_of_another_library(library: Library) -> None:
    """Each rank would find itself alone and compute everything, or MPI would end it."""
    ours = "openmpi" in library.name
    others = [each for each in libraries() if ("openmpi" in each.name) is not ours]
    if not others:
        pytest.skip("only one MPI library here")
    for other in others:
        words, _ = mpirun(other, 3, ["-m", "scoopmpi", "squares.py", "5"])
        begun = time.monotonic()
        answer = start(library, words, cwd=JOBSCRIPTS)
        assert time.monotonic() - begun < 30
        assert answer.returncode != 0 and "First" not in answer.stdout
        said = [line for line in answer.stderr.splitlines() if line.startswith("scoopmpi:")]
        assert said and len({*said}) == 1, answer.stderr  # nothing of workers that have died
        assert "one of 3 processes that cannot see each other" in said[0]
        assert f"the mpirun of {OWNERS[other.name.partition('-')[0]]}, but mpi4py has" in said[0]


def test_another_number_of_ranks_than_was_asked_for(library: Library) -> None:
    asked = Library(library.name, {**library.env, "SCOOPMPI_RANKS": "17"})
    answer = start_ranks(asked, 3, ["-m", "scoopmpi", "squares.py", "5"], JOBSCRIPTS)
    assert answer.returncode != 0 and "First" not in answer.stdout
    said = [line for line in answer.stderr.splitlines() if line.startswith("scoopmpi:")]
    assert len(said) == 1 and "17 ranks were asked for" in said[0] and " has 3: " in said[0]
