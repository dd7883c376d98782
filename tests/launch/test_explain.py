"""--explain, --showsched and --showmpi: what a person reads of a start, also where it fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from scoopmpi.launch.explanation import Findings, picture, text
from scoopmpi.launch.hosts.allocation import Allocation, Host
from scoopmpi.launch.hosts.placement import Binding
from tests.launch.test_managers import recorded
from tests.support.wrappers import Prefix, of_slots, prefix

__all__ = ["prefix"]


def found(*hosts: Host, farm: bool = True) -> Findings:
    allocation = Allocation("slurm", hosts, ("SLURM_JOB_NODELIST",))
    return Findings({}, farm, Binding(), given=allocation, placed=allocation)


def drawn(*hosts: Host) -> list[str]:
    lines = list(picture(found(*hosts)))
    return lines[: lines.index("")]


def test_a_box_for_each_worker() -> None:
    assert drawn(Host("n1", 2, 4), Host("login10", 1, 3)) == [
        "n1       0 [##][##]",
        "login10    [###]",
    ]
    assert drawn(Host("a", 2, 5)) == ["a  0 [##][##]."]
    assert drawn(Host("a", 4, 2)) == ["a  0 [-][-][-][-]"]


def test_many_workers_are_counted() -> None:
    assert drawn(Host("a", 64, 128)) == ["a  0 [##] x 64"]
    assert drawn(Host("a", 2, 129)) == ["a  0 [64 cores] x 2 and 1 left over"]
    assert drawn(Host("a", 128)) == ["a  0 [#] x 128"]


def test_more_than_16_hosts_are_folded() -> None:
    alike = [Host(f"n{n}", 2) for n in range(1, 41)]
    assert len(drawn(*alike[:16])) == 16
    assert drawn(*alike) == ["n1 ... n40 (40 hosts)  0 [#][#]"]
    assert drawn(*alike, Host("x", 1)) == [
        "n1 ... n40 (40 hosts)  0 [#][#]",
        "x                        [#]",
    ]
    mixed = [Host(f"n{n}", 1 + n % 2) for n in range(100)]
    assert len(drawn(*mixed)) == 17
    assert drawn(*mixed)[-1] == "... and 84 more hosts"


def test_no_line_is_too_long_but_the_command() -> None:
    hosts = [Host(f"n{n:04}", 1 + n % 7, 9) for n in range(500)]
    lines = list(text(found(*hosts), 80))
    assert max(map(len, lines)) <= 80
    assert all(line.isascii() and line == line.rstrip() for line in lines)


def test_a_job(prefix: Prefix) -> None:
    job = recorded("slurm_n4") | prefix.env
    done = prefix.run(prefix.command("myscoop"), "--explain", "picalc", cwd=Path("/"), **job)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    for line in (
        "Batch system  slurm",
        "  because of  SLURM_JOB_NODELIST=n[1-2]",
        "Hosts         2 hosts, 4 workers, 4 cores",
        "              n1  0 [#][#]",
        "              n2    [#][#]",
        "MPI           Open MPI v5.0.11, package: a stand-in",
        "  flavour     Open MPI",
        f"  launcher    {prefix.path}/bin/mpirun",
        "Ranks         5: rank 0, which takes no slot, and 4 workers",
        "Threads       1 for each worker: OMP_NUM_THREADS=1, OPENBLAS_NUM_THREADS=1, "
        "MKL_NUM_THREADS=1",
        "Pinning       compact, each worker pins itself, to 1 core",
    ):
        assert line in done.stdout.splitlines()
    dry = prefix.run(prefix.command("myscoop"), "-D", "picalc", cwd=Path("/"), **job)
    assert done.stdout.endswith(f"\nCommand\n{dry.stdout}")


@pytest.mark.parametrize(
    ("words", "more", "line"),
    [
        ("--disable-pinmpi", {}, "Pinning       none: --disable-pinmpi"),
        ("--double", {}, "Pinning       none: there are more of them than cores"),
        ("-n 2", {}, "Hosts         2 hosts, 2 workers of 4 slots, 4 cores"),
        ("--all-gpus", {}, "GPUs          all workers see all (--all-gpus)"),
        ("-V MINE", {"MINE": "1"}, "Environment   MINE, PATH"),
        ("-S local", {}, "Environment   all of it: same machine"),
        ("--launcher rsh", {}, "Daemons       started by rsh"),
        ("-h 1", {"MKL_NUM_THREADS": "7"}, "OPENBLAS_NUM_THREADS=2, MKL_NUM_THREADS=7 (yours)"),
        ("--overridepin scatter", {}, "Pinning       spread, each worker pins itself, to 1 core"),
    ],
)
def test_what_options_change(
    prefix: Prefix, tmp_path: Path, words: str, more: dict[str, str], line: str
) -> None:
    job = of_slots(tmp_path, 2, 2, **more)
    done = prefix.myscoop("--explain", *words.split(), "squares", **job)
    assert done.returncode == 0
    assert line in " ".join(done.stdout.split("\n              ")) or line in done.stdout


def test_without_a_program(prefix: Prefix) -> None:
    for run in (prefix.myscoop, prefix.mympirun):
        done = run("--explain")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.endswith(" PROGRAM\n")
    assert "worker" not in prefix.mympirun("--explain").stdout


def test_what_fails_is_said_and_the_rest_goes_on(prefix: Prefix, tmp_path: Path) -> None:
    job = of_slots(tmp_path, 2, 2)
    done = prefix.myscoop("--explain", "cubes", **job)
    assert done.returncode == 1
    assert "\nProgram       FAILED: there is no file and no module cubes" in done.stdout
    assert "\nCommand\n" in done.stdout

    done = prefix.myscoop("--explain", "-n", "9", "squares", **job)
    assert done.returncode == 1
    assert "\nWorkers       FAILED: --universe 9 is more than the 4 slots" in done.stdout
    assert "\nMPI           Open MPI" in done.stdout

    done = prefix.myscoop("--explain", "squares", **job | {"PBS_NODEFILE": "/nowhere"})
    assert done.returncode == 1
    assert done.stdout.startswith("Batch system  FAILED: PBS_NODEFILE=/nowhere cannot be read")
    assert "\nMPI           Open MPI" in done.stdout and "Command" not in done.stdout

    (prefix.path / "bin" / "mpirun").unlink()
    done = prefix.myscoop("--explain", "squares", **job)
    assert done.returncode == 1
    assert "\nMPI           FAILED: mpi4py has loaded Open MPI" in done.stdout
    assert "Hosts         2 hosts, 4 workers, 4 cores" in done.stdout


def test_values_that_would_break_the_lines(prefix: Prefix, tmp_path: Path) -> None:
    nodes = tmp_path / "a\nb\x1b[31m"
    nodes.write_text("h1\n")
    job = {"PBS_JOBID": "1.s", "PBS_NODEFILE": str(nodes), "PBS_NP": "1"}
    done = prefix.myscoop("--explain", "squares", **job)
    assert done.returncode == 0
    assert "a\\nb\\x1b[31m" in done.stdout and "\x1b" not in done.stdout


def test_the_known_batch_systems(prefix: Prefix, tmp_path: Path) -> None:
    done = prefix.myscoop("--showsched", **of_slots(tmp_path, 1))
    assert (done.returncode, done.stderr) == (0, "")
    assert "  * pbs  " in done.stdout and "    slurm" in done.stdout
    assert done.stdout.endswith("* is here: pbs\n")
    assert "* is here: local" in prefix.mympirun("-s").stdout


def test_the_known_flavours(prefix: Prefix) -> None:
    done = prefix.myscoop("--showmpi")
    assert (done.returncode, done.stderr) == (0, "")
    assert "  * openmpi " in done.stdout and "    mpich " in done.stdout
    assert f"({prefix.path}/bin/mpirun)" in done.stdout
    (prefix.path / "bin" / "mpirun").unlink()
    done = prefix.mympirun("-m")
    assert done.returncode == 0 and "none is here: " in done.stdout
