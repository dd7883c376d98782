"""`--status FILE` of runs as users start them: what the file says while they run, and after."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scoopmpi.watching.status import replaced_file
from tests.support.libraries import Library
from tests.support.starting import MYSCOOP, own_session, start, start_ranks

pytestmark = [pytest.mark.timeout(120), pytest.mark.ranks]
STATUS = [sys.executable, "-m", "scoopmpi.myscoop", "status"]

HARD_DAY = """
import os, signal, time
from pathlib import Path
from scoopmpi import futures

def inner(task):
    time.sleep(0.01)
    return task

def outer(task):
    if task == 5 and not Path("died").exists():
        Path("died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if task == 7:
        raise ValueError("no convergence")
    return sum(futures.map(inner, range(5)))

if __name__ == "__main__":
    values = futures.map(outer, range(30))
    done = 0
    while done < 30:
        try:
            done += next(values) >= 0
        except ValueError:
            done += 1
    called = futures.submit(inner, 3)
    print(done, called.result())
"""
WAITS = """
import sys, time
from pathlib import Path
from scoopmpi import futures

def waits(task):
    while not Path("enough").exists():
        time.sleep(0.02)
    return task

if __name__ == "__main__":
    print("begun", flush=True)
    print(sum(futures.map(waits, range(7))))
"""


def read(path: Path) -> dict[str, Any]:
    return replaced_file.read(str(path))


def awaited(path: Path, holds: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Wait until a file says something."""
    limit = time.monotonic() + 40
    while time.monotonic() < limit:
        if path.exists() and holds(said := read(path)):
            return said
        time.sleep(0.05)
    pytest.fail(f"it does not say so: {path.read_text() if path.exists() else 'no file'}")


def test_a_hard_day_in_numbers(first_library: Library, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(HARD_DAY)
    words = [*MYSCOOP, "-n", "3", "--status", "run.json", "--walltime", "30:00", "prog.py"]
    began = time.time()
    done = start(first_library, words, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "30 3\n"
    said = read(tmp_path / "run.json")
    assert (said["state"], said["exit_status"], said["command"]) == ("ended", 0, "prog.py")
    # A worker's own tasks of tasks are a part of its task; those that others ran are counted.
    functions = {each["function"]: each for each in said["functions"]}
    assert functions["outer"]["done"] == 30 and functions["outer"]["failed"] == 1
    assert said["tasks"]["left"] == said["tasks"]["running"] == 0
    assert said["tasks"]["lost"] >= 1 and said["workers"]["lost"] == 1
    (loss,) = said["losses"]
    assert loss["tasks"] >= 1 and began < loss["died"] < time.time()
    (failure,) = said["failures"]
    assert (failure["tasks"], failure["error"]) == (1, "ValueError: no convergence")
    (host,) = said["hosts"]
    assert host["workers"] == 2 and host["lost"] == 1 and 0 < host["busy"] <= 1
    assert abs(said["end"]["job_ends"] - began - 1800) < 15, "counted from the command's start"
    shown = start(first_library, [*STATUS, "run.json"], tmp_path)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "prog.py: ended well" in shown.stdout and "no convergence" in shown.stdout


def test_a_run_whose_rank_0_is_killed_says_that_it_runs_and_is_found_dead(
    first_library: Library, tmp_path: Path
) -> None:
    (tmp_path / "prog.py").write_text(WAITS)
    words = [*MYSCOOP, "-n", "2", "--status", "run.json", "prog.py", "2"]
    with subprocess.Popen(
        words, cwd=tmp_path, env=own_session(words, first_library.env), start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            said = awaited(tmp_path / "run.json", lambda said: said["tasks"]["running"] >= 2)
            assert said["tasks"]["known"] == 7 and said["command"] == "prog.py 2"
            assert {each["function"] for each in said["slowest_running"]} == {"waits"}
            shown = start(first_library, [*STATUS, "run.json"], tmp_path)
            assert shown.returncode == 0 and "prog.py 2: running" in shown.stdout
            os.kill(said["pid"], signal.SIGKILL)
            process.communicate(timeout=60)
        finally:
            (tmp_path / "enough").touch()
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    assert read(tmp_path / "run.json")["state"] == "running", "nobody could say more"
    shown = start(first_library, [*STATUS, "run.json"], tmp_path)
    assert shown.returncode == 3
    assert "rank 0 is not there any more" in shown.stdout


def test_a_file_of_somebody_elses_is_refused_before_the_program_starts(
    first_library: Library, tmp_path: Path
) -> None:
    (tmp_path / "prog.py").write_text("if __name__ == '__main__': print('begun')\n")
    results = tmp_path / "results.json"
    results.write_text('{"mine": 1}')
    by_command = start(first_library, [*MYSCOOP, "-n", "1", "--status", "results.json", "prog.py"],
                       tmp_path)  # fmt: skip
    assert by_command.returncode == 2 and by_command.stdout == ""
    words = ["-m", "scoopmpi", "--status", "results.json", "prog.py"]
    by_rank_0 = start_ranks(first_library, 2, words, tmp_path)
    assert by_rank_0.returncode == 2 and by_rank_0.stdout == ""
    for said in (by_command.stderr, by_rank_0.stderr):
        assert f"--status {results} cannot be written: it holds something else" in said, said
    assert json.loads(results.read_text()) == {"mine": 1}
