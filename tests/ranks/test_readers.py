"""Logs of a job as users have them: the table of tasks, files of tasks and ranks, labels."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from scoopmpi.program.scoop_options import Options
from scoopmpi.ranks.readers import Readers
from tests.support.libraries import Library, libraries, survives
from tests.support.starting import MYSCOOP, own_session, start, start_ranks

pytestmark = pytest.mark.timeout(120)
Rows = list[dict[str, str]]

HARD_DAY = """
import os, signal, subprocess, sys, time
from scoopmpi import futures, TaskTimeout, WorkerLost

def kills(task):
    print("task", task, "begins")
    if task == 3:
        sys.stderr.write("about to crash")
        os.kill(os.getpid(), signal.SIGKILL)
    return task

def sleeps(task):
    time.sleep(task)

if __name__ == "__main__":
    try:
        list(futures.map(kills, range(8)))
    except WorkerLost as lost:
        print(lost.index)
    try:
        list(futures.map(sleeps, [0.02, 60], task_timeout=0.5))
    except TaskTimeout as late:
        print(late.index)
"""
CRASHES_ONCE = """
import os, time
from pathlib import Path
from scoopmpi import futures

def waits(task):
    time.sleep(0.02)
    return task

if __name__ == "__main__":
    first = not Path("second").exists()
    Path("second").touch()
    values = futures.map(waits, range(40))
    print([next(values) for _ in range(20)][-1])
    if first:
        time.sleep(1.5)
        os.kill(os.getpid(), 9)
    print(sum(values))
"""
ENDLESS = """
import itertools, time
from scoopmpi import futures

def waits(task):
    print("task", task)
    time.sleep(0.02)

if __name__ == "__main__":
    for _ in futures.map(waits, itertools.count()):
        pass
"""


OWN_MPI_PROGRAM = """
import sys
from scoopmpi import MPICommExecutor

def odd(task):
    return 1 / (task % 2)

if __name__ == "__main__":
    with MPICommExecutor(task_log="log.csv") as executor:
        if executor is not None:
            print(list(executor.map(odd, range(6), return_exceptions=True)).count(1.0))
"""


def rows_of(path: Path) -> Rows:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def tasks_of(rows: Rows, number: int, *outcomes: str) -> Counter[int]:
    found: Counter[int] = Counter()
    for row in rows:
        if row["map"] == str(number) and row["outcome"] in outcomes:
            found.update(range(int(row["index"]), int(row["index"]) + int(row["tasks"])))
    return found


@pytest.fixture
def surviving() -> Library:
    """A library that lets the farm go on."""
    found = next(filter(survives, libraries()), None)
    return found or pytest.skip("no MPI library here survives a lost rank")


def test_what_kills_a_worker_is_in_the_log_and_its_last_words_are_kept(
    surviving: Library, tmp_path: Path
) -> None:
    (tmp_path / "prog.py").write_text(HARD_DAY)
    options = ["-n", "4", "--retries", "1", "--task-log", "log.csv", "--task-output", "out"]
    done = start(surviving, [*MYSCOOP, *options, "prog.py"], cwd=tmp_path)
    assert done.stdout == "3\n1\n", done.stderr
    rows = rows_of(tmp_path / "log.csv")
    lost = [row for row in rows if row["outcome"] == "lost" and row["index"] == "3"]
    assert [row["attempt"] for row in lost][-1] == "2" and {row["tasks"] for row in lost} == {"1"}
    assert max(tasks_of(rows, 1, "ok").values()) == 1
    late = [row for row in rows if row["outcome"] == "timeout"]
    assert [(row["map"], row["index"]) for row in late] == [("2", "1")]
    assert "task_timeout of 0.5 s" in late[0]["error"]
    assert 0.5 <= float(late[0]["seconds"]) < 10
    last_words = [path.read_text() for path in (tmp_path / "out").glob("rank-*.out")]
    assert last_words.count("task 3 begins\nabout to crash") == 2
    assert (tmp_path / "out" / "1-kills" / "0.out").read_text() == "task 0 begins\n"


def test_a_job_that_is_started_again_goes_on_in_its_log(
    first_library: Library, tmp_path: Path
) -> None:
    (tmp_path / "prog.py").write_text(CRASHES_ONCE)
    (tmp_path / "log.csv").write_text("of a former run\n")
    options = ["-n", "2", "--checkpoint", "c", "--restarts", "1", "--task-log", "log.csv"]
    done = start(first_library, [*MYSCOOP, *options, "prog.py"], cwd=tmp_path)
    assert done.stdout == f"19\n19\n{sum(range(20, 40))}\n", done.stderr
    rows = rows_of(tmp_path / "log.csv")
    assert set(tasks_of(rows, 1, "ok")) == set(range(40))
    assert set(range(20)) <= set(tasks_of(rows, 1, "cached"))
    assert done.stderr.count("that of a former run is now") == 1
    assert (tmp_path / "log.csv.1").read_text() == "of a former run\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_job_that_is_ended_has_whole_lines(
    number: int, first_library: Library, tmp_path: Path
) -> None:
    (tmp_path / "prog.py").write_text(ENDLESS)
    words = [*MYSCOOP, "-n", "2", "--task-log", "l", "--task-output", "o", "prog.py"]
    log, end = tmp_path / "l", time.monotonic() + 60
    with subprocess.Popen(
        words, cwd=tmp_path, env=own_session(words, first_library.env), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as job:  # fmt: skip
        try:
            while not log.exists() or len(log.read_text().splitlines()) < 60:
                assert time.monotonic() < end and job.poll() is None
                time.sleep(0.05)
            job.send_signal(number)
            _, said = job.communicate(timeout=60)
        finally:
            if job.poll() is None:
                os.killpg(job.pid, signal.SIGKILL)
    assert log.read_text().endswith("\n"), said
    rows = rows_of(log)
    done = tasks_of(rows, 1, "ok")
    assert len(done) >= 59 and set(done.values()) == {1}
    assert all(row["error"] is not None and None not in row for row in rows)
    if number == signal.SIGTERM:
        files = {int(path.stem) for path in (tmp_path / "o" / "1-waits").iterdir()}
        assert set(done) <= files and not list((tmp_path / "o").glob("rank-*"))


def test_a_log_that_cannot_be_written_ends_an_own_mpirun_at_once(
    first_library: Library, tmp_path: Path
) -> None:
    (tmp_path / "prog.py").write_text("if __name__ == '__main__':\n    print('runs')\n")
    for option, name in (("--task-log", "no/x"), ("--task-output", "prog.py"), ("--output", "{x}")):
        words = ["-m", "scoopmpi", option, name, "prog.py"]
        done = start_ranks(first_library, 3, words, cwd=tmp_path)
        assert done.returncode != 0 and "runs" not in done.stdout, option
        said = [line for line in done.stderr.splitlines() if line.startswith("scoopmpi: ")]
        assert any(f"scoopmpi: {option} " in line for line in said), done.stderr
        assert len(said) <= 3 and "Traceback" not in done.stderr, done.stderr


def test_a_program_of_ones_own_has_its_log(first_library: Library, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(OWN_MPI_PROGRAM)
    done = start_ranks(first_library, 3, ["prog.py"], cwd=tmp_path)
    assert done.stdout == "3\n", done.stderr
    rows = rows_of(tmp_path / "log.csv")
    assert tasks_of(rows, 1, "ok") == Counter([1, 3, 5])
    assert tasks_of(rows, 1, "failed") == Counter([0, 2, 4])


def test_each_rank_of_a_farm_has_its_file(first_library: Library, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(
        "import os, sys, time\nfrom scoopmpi import futures\n"
        "def f(x):\n"
        "    time.sleep(0.2)  # so that both workers have some, whichever is there first\n"
        "    print('task', x); print('error', x, file=sys.stderr); os.system('echo shell')\n"
        "if __name__ == '__main__':\n"
        "    print('program'); list(futures.map(f, range(6)))\n"
    )
    for _ in range(2):
        words = [*MYSCOOP, "-n", "2", "--label", "--output", "run.{rank}.{{x}}", "prog.py"]
        done = start(first_library, words, cwd=tmp_path)
        assert (done.stdout, done.returncode) == ("", 0), done.stderr
    assert "run.0.{x}.1 and 2 more" in done.stderr
    assert (tmp_path / "run.0.{x}").read_text() == "program\n"
    both = [(tmp_path / f"run.{rank}.{{x}}").read_text() for rank in (1, 2)]
    for rank, text in enumerate(both, 1):
        lines = [line for line in text.splitlines() if line != "shell"]
        assert all(line.startswith(f"[rank {rank} {os.uname().nodename} f ") for line in lines)
    assert sum(text.count("task ") for text in both) == 6
    assert sum(text.count("shell\n") for text in both) == 6


def test_each_rank_of_any_program_has_its_file(library: Library, tmp_path: Path) -> None:
    code = "from mpi4py import MPI; print('rank', MPI.COMM_WORLD.rank)"
    mympirun = [sys.executable, "-m", "scoopmpi.mympirun", "--sched=local", "--universe", "2"]
    words = [*mympirun, "--output", "a b/{rank}.log", sys.executable, "-c", code]
    done = start(library, words, cwd=tmp_path)
    assert (done.stdout, done.returncode) == ("", 0), done.stderr
    found = [(tmp_path / "a b" / f"{rank}.log").read_text() for rank in (0, 1)]
    assert found == ["rank 0\n", "rank 1\n"]


def test_without_workers_it_is_said_that_there_are_no_logs(
    first_library: Library, tmp_path: Path
) -> None:
    (tmp_path / "prog.py").write_text("print('program')")
    ours = ["-m", "scoopmpi", "--task-log", "log.csv", "--task-output", "out"]
    done = start_ranks(first_library, 1, [*ours, "prog.py"], cwd=tmp_path)
    assert (done.stdout, done.returncode) == ("program\n", 0), done.stderr
    assert "--task-log: nothing is logged, 1 rank" in done.stderr
    assert "--task-output: no files are made, 1 rank" in done.stderr
    assert [*tmp_path.iterdir()] == [tmp_path / "prog.py"]


def test_a_directory_that_cannot_be_listed_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: str) -> list[str]:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "listdir", refused)  # as for modes -wx, which root does not feel
    Readers(Options(task_output=str(tmp_path))).check()
