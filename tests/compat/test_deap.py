"""DEAP, whose users are SCOOP's: what is evolved in parallel equals what is evolved serially."""

from __future__ import annotations

import functools
import subprocess
import sys

import pytest

from tests.support.libraries import ROOT, Library
from tests.support.starting import start

pytest.importorskip("deap", reason="DEAP is not installed: pip install 'scoopmpi[test]'")
pytestmark = [pytest.mark.ranks, pytest.mark.timeout(120)]
HERE = ROOT / "tests" / "compat" / "scoop_programs"


@functools.cache
def serially(program: str) -> str:
    """What DEAP itself says, with Python's own map."""
    words = [sys.executable, program, "serial"]
    answer = subprocess.run(words, cwd=HERE, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


@pytest.mark.parametrize("workers", ["1", "3"])
@pytest.mark.parametrize("program", ["deap_onemax.py", "deap_islands.py"])
def test_an_evolution_is_the_same_as_a_serial_one(
    first_library: Library, program: str, workers: str
) -> None:
    words = [sys.executable, "-m", "scoop", "-n", workers, program]
    answer = start(first_library, words, cwd=HERE, timeout=90)
    assert (answer.returncode, answer.stdout) == (0, serially(program)), answer.stderr


def test_islands_improve() -> None:
    """The comparison above would hold for programs that do nothing, too."""
    found = serially("deap_islands.py").splitlines()[-4:]
    assert all(float(line.partition(",")[0].strip("(")) > 35 for line in found), found
