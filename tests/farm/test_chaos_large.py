"""Workers die, stop and are given up while large values are under way: no hang, no wrong value."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from tests.support.libraries import ROOT, Library, libraries, survives
from tests.support.starting import MYSCOOP, start

PROGRAM = str(ROOT / "tests" / "support" / "large_chaos.py")
MIB = 24
"""Of each value: 10 to 20 ms on the way, which is when things happen."""
LIMIT = 60.0
"""Seconds for a run, which takes 2 to 8."""

NOT_OURS = ("mpich_", "sm_segment", "vader", "sem.", "psm_", "joblib", "loky", "Intel_MPI")
"""How files in /dev/shm begin that MPI libraries clean up in their own ways, or that other tests
have there meanwhile."""


def run(
    library: Library, way: str, seed: int, workers: int = 4
) -> subprocess.CompletedProcess[str]:
    words = [*MYSCOOP, "-n", str(workers), "--retries", "3", PROGRAM, way, str(seed), str(MIB)]
    return start(library, words, timeout=LIMIT)


@pytest.mark.parametrize(("way", "seed"), [("killed", 0), ("killed", 1), ("stopped", 0)])
def test_every_value_is_right_whoever_dies_or_stops(
    first_library: Library, way: str, seed: int
) -> None:
    if way == "killed" and not survives(first_library):
        pytest.skip("this MPI library ends the job when a rank is lost")
    before = files()
    answer = run(first_library, way, seed)
    assert (answer.returncode, answer.stdout) == (0, "all values\n"), answer.stderr[-3000:]
    assert not files() - before


@pytest.mark.ranks
def test_a_library_that_does_not_survive_ends_the_job_with_a_word() -> None:
    library = next((each for each in libraries() if each.name.startswith("mpich")), None)
    if library is None:
        pytest.skip("MPICH is not here")
    answer = run(library, "killed", 0)
    assert answer.returncode != 0 and "all values" not in answer.stdout
    assert re.search(r"worker \d on \S+ was killed by SIGKILL .*; the job ends", answer.stderr)


@pytest.mark.parametrize("way", ["given_up", "ends", "interrupted"])
def test_what_is_given_up_is_over(first_library: Library, way: str) -> None:
    before = files()
    answer = run(first_library, way, 0, workers=2)
    assert answer.returncode == (130 if way == "interrupted" else 0), answer.stderr[-3000:]
    assert ("all values" in answer.stdout) == (answer.returncode == 0)
    assert not files() - before


def files() -> set[str]:
    names = os.listdir("/dev/shm") if os.path.isdir("/dev/shm") else []
    return {name for name in names if not name.startswith(NOT_OURS)}
