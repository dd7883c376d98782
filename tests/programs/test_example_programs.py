"""The programs of jobscripts/, with the arguments of their scripts: each ends within a minute."""

from __future__ import annotations

import re
import sys

import pytest

from tests.launch.test_jobscripts import JOBS, JOBSCRIPTS
from tests.support.libraries import Library
from tests.support.starting import start

pytestmark = pytest.mark.timeout(120)

PROGRAMS = {path.stem for path in JOBSCRIPTS.glob("*.py")}
COMMANDS = sorted(
    {words for job in JOBS for words in job.inner if words.split()[0] in PROGRAMS},
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_an_example_ends_within_a_minute(first_library: Library, command: str) -> None:
    words = [sys.executable, "-m", "scoopmpi", "-n", "4", *command.split()]
    answer = start(first_library, words, cwd=JOBSCRIPTS, timeout=60)
    assert answer.returncode == 0 and answer.stdout, answer.stderr


def test_the_scripts_name_programs_that_are_here() -> None:
    assert {"spectra 100 2000", "picalc 10000 5000", "squares 10000"} <= set(COMMANDS)


def test_eigenvalues_are_those_of_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    numpy = pytest.importorskip("numpy")
    monkeypatch.syspath_prepend(JOBSCRIPTS)
    spectra = __import__("spectra")
    for size in (1, 2, 50, 300):
        matrix = numpy.random.default_rng(7).standard_normal((size, size), "float32")
        right = numpy.linalg.eigvalsh((matrix + matrix.T).astype(float))[-1]
        assert abs(spectra.largest(7, size) - right) < 0.005 * max(1, right)


def test_the_readme_runs_nothing_larger() -> None:
    text = (JOBSCRIPTS.parent / "README.md").read_text()
    found = {words.strip() for words in re.findall(r"myscoop --hybrid 2 (spectra [\d ]+)", text)}
    assert found <= set(COMMANDS)
