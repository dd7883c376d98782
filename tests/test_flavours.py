"""An allocation in, the launcher's whole command line out; and whose launcher is whose."""

from __future__ import annotations

from types import ModuleType

import pytest

from scoopmpi.launch.allocation import Allocation, Host
from scoopmpi.launch.flavours import FLAVOURS, intelmpi, mpich, of_library, openmpi
from scoopmpi.launch.flavours.command import Command, exported

OPENMPI_5 = "Open MPI v5.0.11, package: Open MPI user@localhost Distribution, ident: 5.0.11"
OPENMPI_4 = "Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4, repo rev: v4.1.4"
MPICH = "MPICH Version:      5.0.2"
INTEL = "Intel(R) MPI Library 2021.17 for Linux* OS"

MPIRUN_5 = "mpirun (Open MPI) 5.0.11\n\nReport bugs to https://www.open-mpi.org/community/help/\n"
MPIRUN_4 = "mpirun (Open MPI) 4.1.4\n\nReport bugs to http://www.open-mpi.org/community/help/\n"
MPIRUN_DEBIAN = "mpirun.openmpi (OpenRTE) 4.1.4\n\nReport bugs to http://www.open-mpi.org/\n"
HYDRA = "HYDRA build details:\n    Version: 5.0.2\n    Release Date: Fri Sep 25 20:45:26 UTC 2026\n"
MPIRUN_INTEL = "Intel(R) MPI Library for Linux* OS, Version 2021.17 Build 20251011 (id: ad3b4c1)\n"

LOCAL = Allocation("local", (Host("localhost", 2),))
TWO_HOSTS = Allocation("pbs", (Host("a", 8), Host("b", 8)))
UNEQUAL = Allocation("sge", (Host("a", 3), Host("b", 1)))

ENV = {"PATH": "/opt/mpi/bin:/bin", "OMP_NUM_THREADS": "1", "HOME": "/h", "PYTHONPATH": "/p"}
EXPORTED = "-x OMP_NUM_THREADS -x PATH -x PYTHONPATH"
PROGRAM = ["python", "-m", "scoopmpi", "squares", "none", "-bind-to"]
"""The program's own words may look like a launcher's."""


def command(flavour: ModuleType, allocation: Allocation, root: bool = False) -> Command:
    found: Command = flavour.command("/opt/mpi/bin/mpirun", allocation, PROGRAM, ENV, root)
    return found


OPENMPI_WAY = "--map-by slot:OVERSUBSCRIBE --bind-to none"


@pytest.mark.parametrize("root", [False, True])
@pytest.mark.parametrize(
    ("flavour", "allocation", "options"),
    [
        (openmpi, LOCAL, f"--host localhost:3 {OPENMPI_WAY} -n 3"),
        (openmpi, TWO_HOSTS, f"--host a:9,b:8 {OPENMPI_WAY} {EXPORTED} -n 17"),
        (openmpi, UNEQUAL, f"--host a:4,b:1 {OPENMPI_WAY} {EXPORTED} -n 5"),
        (mpich, LOCAL, "-bind-to none -launcher fork -hosts localhost:3 -n 3"),
        (mpich, TWO_HOSTS, "-bind-to none -hosts a:9,b:8 -n 17"),
        (mpich, UNEQUAL, "-bind-to none -hosts a:4,b:1 -n 5"),
        (intelmpi, LOCAL, "-launcher fork -hosts localhost:3 -n 3"),
        (intelmpi, TWO_HOSTS, "-hosts a:9,b:8 -n 17"),
        (intelmpi, UNEQUAL, "-hosts a:4,b:1 -n 5"),
    ],
)
def test_command_line(
    flavour: ModuleType, allocation: Allocation, options: str, root: bool
) -> None:
    argv = command(flavour, allocation, root).argv
    assert argv == ("/opt/mpi/bin/mpirun", *options.split(), *PROGRAM)


AS_ROOT = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "PRTE_ALLOW_RUN_AS_ROOT": "1", "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
}  # fmt: skip


@pytest.mark.parametrize(
    ("flavour", "root", "env"),
    [
        (openmpi, False, {}),
        (openmpi, True, AS_ROOT),
        (mpich, True, {}),
        (intelmpi, True, {"I_MPI_PIN": "0"}),
    ],
)
def test_settings(flavour: ModuleType, root: bool, env: dict[str, str]) -> None:
    found = command(flavour, TWO_HOSTS, root)
    assert found.env == env
    assert len(found.notes) == (env is AS_ROOT)


def test_root_who_has_allowed_it_is_told_nothing() -> None:
    found = openmpi.command("/bin/mpirun", TWO_HOSTS, PROGRAM, ENV | AS_ROOT, True)
    assert (found.env, found.notes) == ({}, ())


def test_one_host_starts_without_the_transport_that_sleeps() -> None:
    assert command(openmpi, LOCAL).env == {"OMPI_MCA_btl": "^ofi"}
    assert "OMPI_MCA_btl" not in command(openmpi, TWO_HOSTS).env
    chosen = {**ENV, "OMPI_MCA_btl": "self,tcp"}
    assert openmpi.command("/bin/mpirun", LOCAL, PROGRAM, chosen, False).env == {}


def test_hydras_daemons_are_no_ranks_of_slurm() -> None:
    slurm = Allocation("slurm", TWO_HOSTS.hosts)
    assert command(mpich, slurm).env == {"SLURM_MPI_TYPE": "none"}
    assert command(intelmpi, slurm).env == {"SLURM_MPI_TYPE": "none", "I_MPI_PIN": "0"}


def test_intels_launcher_finds_its_parts() -> None:
    found = intelmpi.command("/venv/bin/mpirun", LOCAL, PROGRAM, {"PATH": "/bin"}, False)
    assert found.env["PATH"] == "/venv/bin:/bin"


def test_exported_names_only() -> None:
    env = {"PATH": "", "MKL_NUM_THREADS": "1", "SCOOP_X": "1", "AWS_SECRET": "s", "MPATH": ""}
    assert exported(env) == ("MKL_NUM_THREADS", "PATH", "SCOOP_X")


@pytest.mark.parametrize(
    ("text", "flavour"),
    [
        (OPENMPI_5, openmpi),
        (OPENMPI_4, openmpi),
        (MPICH, mpich),
        (INTEL, intelmpi),
        ("MVAPICH Version:      4.0", mpich),
        ("Some other MPI 1.0", None),
    ],
)
def test_libraries(text: str, flavour: ModuleType | None) -> None:
    assert of_library(text) is flavour
    assert [module for module in FLAVOURS if module.recognises(text)] == [flavour] * bool(flavour)


VERSIONS = (MPIRUN_5, MPIRUN_4, MPIRUN_DEBIAN, HYDRA, MPIRUN_INTEL, "", "usage: mpirun")


@pytest.mark.parametrize(
    ("flavour", "library", "own"),
    [
        (openmpi, OPENMPI_5, {MPIRUN_5}),
        (openmpi, OPENMPI_4, {MPIRUN_4, MPIRUN_DEBIAN}),
        (mpich, MPICH, {HYDRA}),
        (intelmpi, INTEL, {MPIRUN_INTEL}),
    ],
)
def test_launchers(flavour: ModuleType, library: str, own: set[str]) -> None:
    assert {text for text in VERSIONS if flavour.starts(text, library)} == own
