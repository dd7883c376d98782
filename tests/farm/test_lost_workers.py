"""Workers that die, for real, where the MPI library lets the farm go on.

What happens elsewhere, and what else may go wrong, is in `test_fault_table`.
"""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

import pytest

from tests.support.libraries import ROOT, Library, libraries, survives
from tests.support.starting import MYSCOOP, start

pytestmark = pytest.mark.timeout(120)
PROGRAM = ROOT / "tests" / "support" / "programs.py"


@pytest.fixture(scope="module")
def surviving() -> Library:
    """A library that lets the farm go on."""
    found = next(filter(survives, libraries()), None)
    return found or pytest.skip("no MPI library here survives a lost rank")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    shutil.copy(PROGRAM, tmp_path)
    return tmp_path


def test_what_a_lost_worker_held_runs_elsewhere(surviving: Library, place: Path) -> None:
    """Three workers of five die: of a call, and of the tasks of a nested map."""
    answer = start(surviving, [*MYSCOOP, "-n", "5", "programs.py", "lose"], cwd=place)
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
    surviving: Library, place: Path, retries: int
) -> None:
    words = [*MYSCOOP, "-n", "4", "--retries", str(retries), "programs.py", "die alone"]
    answer = start(surviving, words, cwd=place)
    assert answer.returncode == 0, answer.stderr
    workers = "1 worker" if retries == 0 else "2 workers"
    assert answer.stdout.startswith(
        f'[0, 1, 4, 9] WorkerLost("{workers} died running submitted call die('
    )


@pytest.mark.parametrize("workers", [1, 2])
def test_a_task_that_kills_takes_no_other_along_on_a_small_farm(
    surviving: Library, place: Path, workers: int
) -> None:
    """Under the default retries, which would cost three workers; the program's directory changes,
    and what tasks print and read is there all the same."""
    (place / "farm.py").write_text(SMALL_FARM)
    answer = start(surviving, [*MYSCOOP, "-n", str(workers), "farm.py"], cwd=place)
    assert answer.returncode == 0, answer.stderr
    lines = answer.stdout.splitlines()
    assert [line for line in lines if line.startswith("task ")] == [f"task {x}" for x in range(8)]
    assert lines[-2] == "[100, 101, None, None, 104, 105, 106, 107] [101, 102]"
    assert lines[-1].startswith("3 workers died running dies(1), task 0, the last was worker ")
    assert "no worker is left: worker" in answer.stderr
    assert "still running" not in answer.stderr, "the last worker leaves in order"


STUCK = """
import os, re, signal, time
from scoopmpi import futures

def dies(x):
    os.kill(os.getpid(), signal.SIGKILL)

def stuck(x):
    with open("pid", "w") as file:
        file.write(str(os.getpid()))
    re.match(r"(a+)+$", "a" * 40 + "b")

if __name__ == "__main__":
    futures.submit(dies, 0).exception()
    futures.submit(stuck, 1)
    while not os.path.exists("pid"):
        time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_successor_does_not_outlive_rank_0(surviving: Library, place: Path) -> None:
    """Not even in C code that lets no other thread run: no launcher is there to end it."""
    (place / "stuck.py").write_text(STUCK)
    answer = start(surviving, [*MYSCOOP, "-n", "1", "--retries", "0", "stuck.py"], cwd=place)
    assert answer.returncode != 0
    worker = Path("/proc") / (place / "pid").read_text()
    until = time.monotonic() + 15
    while worker.exists() and time.monotonic() < until:
        time.sleep(0.1)
    assert not worker.exists()


SMALL_FARM = """
import os
from scoopmpi import WorkerLost, futures, shared

def task(x):
    if x in (2, 3):
        os._exit(5)
    return shared.getConst("hundred") + x

def nested(x):
    return list(futures.map(task, range(x)))

def dies(x):
    os.abort()

def prints(x):
    print("task", x)

if __name__ == "__main__":
    os.chdir("/")
    shared.setConst(hundred=100)
    calls = [futures.submit(task, x) for x in range(8)]
    found = [None if call.exception() else call.result() for call in calls]
    list(futures.map(prints, range(8)))
    print(found, [1 + x for x in futures.submit(nested, 2).result()])
    try:
        list(futures.map(dies, [1]))
    except WorkerLost as lost:
        print(lost)
"""
