"""More workers than cores: one line says so, once, and not to those who have asked for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scoopmpi.launch import detection
from scoopmpi.launch.hosts.allocation import LOCAL, Allocation, Host
from scoopmpi.launch.hosts.placement import crowded, exactly, hybrid
from scoopmpi.launch.managers import local
from tests.support.wrappers import JOBSCRIPTS, Prefix, of_slots, prefix

__all__ = ["prefix"]

HERE = Allocation(LOCAL, (Host("localhost", 4),))
JOB = Allocation("slurm", (Host("n1", 4, 4), Host("n2", 4, 8)))


def test_more_workers_than_cores() -> None:
    assert crowded(HERE, exactly(HERE, 5), 4) == Host("localhost", 5, 4)
    assert crowded(JOB, hybrid(JOB, 6)) == Host("n1", 6, 4)


def test_as_many_are_no_crowd() -> None:
    assert crowded(HERE, HERE, 4) is None
    assert crowded(HERE, exactly(HERE, 4), 4) is None
    assert crowded(JOB, JOB) is None
    assert crowded(JOB, hybrid(JOB, 4)) is None


def test_hyper_threads_count() -> None:
    assert crowded(HERE, exactly(HERE, 8), 8) is None
    assert crowded(HERE, exactly(HERE, 9), 8) is not None


def test_what_the_batch_system_wants_is_meant() -> None:
    overcommit = Allocation("slurm", (Host("n1", 8, 2),))
    assert crowded(overcommit, overcommit) is None
    assert crowded(overcommit, exactly(overcommit, 7)) is None


def test_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "cores", lambda env: 4)
    said = detection.warned(HERE, exactly(HERE, 9), "worker", "--multi {}").warnings
    assert said == (
        "9 workers share 4 cores and compute no faster than 4: for trying out (--multi 3, if it is "
        "meant)",
    )
    (said_of_job,) = detection.warned(JOB, hybrid(JOB, 6), "rank", "-q").warnings
    assert said_of_job.startswith("6 ranks share 4 cores of n1 and compute no faster than 4: ")


@pytest.mark.parametrize(("command", "words"), [
    ("myscoop", ["-n", "2000", "squares", "10"]),
    ("mympirun", ["--hybrid", "2000", "true"]),
    ("scoop", ["-n", "2000", "squares.py", "10"]),
])  # fmt: skip
def test_commands_say_it_once(prefix: Prefix, command: str, words: list[str]) -> None:
    path = os.pathsep.join((str(prefix.path / "bin"), "/usr/bin", "/bin"))
    done = prefix.run(prefix.command(command), *words, cwd=JOBSCRIPTS, PATH=path)
    assert done.returncode == 0
    assert done.stderr.count("2000 ") == done.stderr.count("\n") == 1
    quiet = ["-q" if command == "scoop" else "--quiet", *words]
    assert prefix.run(prefix.command(command), *quiet, cwd=JOBSCRIPTS, PATH=path).stderr == ""


def test_no_false_alarm(prefix: Prefix, tmp_path: Path) -> None:
    for words, job in (
        (["--multi", "900"], {}),
        (["--multi", "900", "-n", "800"], {}),
        (["-n", "1"], {}),
        ([], {}),
        (["-n", "6"], of_slots(tmp_path, 4, 4)),
        (["--double"], of_slots(tmp_path, 4, 4)),
    ):  # fmt: skip
        done = prefix.myscoop(*words, "squares", "10", **job)
        assert (done.returncode, done.stderr) == (0, ""), words
    hosts = prefix.run(
        prefix.command("scoop"), "--hosts", "n1:2", "-n", "4", "squares.py", "1", cwd=JOBSCRIPTS
    )
    assert hosts.stderr == ""


def test_an_explanation_has_it(prefix: Prefix) -> None:
    done = prefix.myscoop("--explain", "-n", "2000", "squares", "10")
    assert "\n  note        2000 workers share " in done.stdout
