"""Workers that die, for real, where the MPI library lets the farm go on.

What happens elsewhere, and what else may go wrong, is in `test_fault_table`.
"""

from __future__ import annotations

import re
import shutil
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


def test_where_all_are_lost_the_program_ends_with_that_error(
    surviving: Library, place: Path
) -> None:
    answer = start(surviving, [*MYSCOOP, "-n", "2", "programs.py", "die", "kill"], cwd=place)
    assert answer.returncode != 0
    assert re.search(r"WorkerLost: no worker is left: 1 on \S+, 2 on \S+ died", answer.stderr)
