"""Workers that die, for real: the farm goes on where the MPI library can, else the job ends."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .conftest import MYSCOOP, Library, start, survives

pytestmark = pytest.mark.timeout(120)
PROGRAM = Path(__file__).with_name("programs.py")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    shutil.copy(PROGRAM, tmp_path)
    return tmp_path


def test_what_a_lost_worker_held_runs_elsewhere(library: Library, place: Path) -> None:
    """Three workers of five die: of a call, and of the tasks of a nested map."""
    answer = start(library, [*MYSCOOP, "-n", "5", "programs.py", "lose"], cwd=place)
    if not survives(library):
        assert answer.returncode != 0
        assert answer.stderr.count("was killed by SIGKILL") >= 1
        assert "while running dies_once; the job ends" in answer.stderr
        return
    squares = [x * x for x in range(20)]
    inner = [[*squares, "b0"], [*squares, "b1"]]
    assert answer.stdout == f"a {sum(x * x for x in range(1000))} {inner}\n", answer.stderr
    assert answer.returncode == 0
    assert len(re.findall(r"worker \d on \S+ was killed by SIGKILL", answer.stderr)) == 3
    assert (
        len(re.findall(r"worker \d on \S+ died; what it held runs elsewhere", answer.stderr)) == 3
    )
    assert len(re.findall(r"workers were lost: \d on \S+, \d on \S+, \d on", answer.stderr)) == 1


@pytest.mark.parametrize("retries", [0, 1])
def test_a_task_that_kills_its_workers_is_given_up(
    library: Library, place: Path, retries: int
) -> None:
    words = [*MYSCOOP, "-n", "4", "--retries", str(retries), "programs.py", "die alone"]
    answer = start(library, words, cwd=place)
    if not survives(library):
        assert answer.returncode != 0 and "; the job ends" in answer.stderr
        return
    assert answer.returncode == 0, answer.stderr
    workers = "1 worker" if retries == 0 else "2 workers"
    assert answer.stdout.startswith(
        f"[0, 1, 4, 9] WorkerLost('{workers} died running task 0 of a submitted call"
    )


def test_where_all_are_lost_the_program_ends_with_that_error(library: Library, place: Path) -> None:
    answer = start(library, [*MYSCOOP, "-n", "2", "programs.py", "die", "kill"], cwd=place)
    assert answer.returncode != 0
    if survives(library):
        assert re.search(r"WorkerLost: no worker is left: 1 on \S+, 2 on \S+ died", answer.stderr)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_without_rank_0_every_rank_ends(
    library: Library, place: Path, number: signal.Signals
) -> None:
    program = place / "waits.py"
    program.write_text(
        "import os, time\nfrom scoop import futures\n"
        "if __name__ == '__main__':\n"
        "    print(os.getpid(), *futures.map(sorted, [[1]]), flush=True)\n"
        "    list(futures.map(time.sleep, [60] * 2))\n"
    )
    with subprocess.Popen(
        [*MYSCOOP, "-n", "2", "waits.py"], cwd=place, env=library.env, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            os.kill(int(process.stdout.readline().split()[0]), number)
            begun = time.monotonic()
            process.communicate(timeout=20)
            assert process.returncode != 0
            assert time.monotonic() - begun < 10
        finally:
            process.kill()
    left = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, timeout=10).stdout
    assert str(sys.executable) + " -m scoopmpi waits.py" not in left
