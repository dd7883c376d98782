"""Each program of docs/recipes gives on the farm what it gives alone, by more than one worker."""

from __future__ import annotations

import csv
import re
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.libraries import ROOT, Library
from tests.support.starting import MYSCOOP, start

HERE = ROOT / "docs" / "recipes"
PAGE = (HERE / "index.md").read_text()
PROGRAMS = {path.stem: path.read_text() for path in sorted(HERE.glob("*.py"))}
MARK = "# on the farm"
OURS = {"numpy", "scoopmpi", *sys.stdlib_module_names}
ABOUT = {"nautilus_peak": 0.02, "pyabc_infection": 0.3}
"""Whose results depend on the order in which values come, or on how many threads add them up: by
which part numbers may differ."""


def libraries(program: str) -> list[str]:
    """The libraries that a program imports, but for what is always there."""
    found = re.findall(r"^(?:import|from) (\w+)", PROGRAMS[program], re.MULTILINE)
    return sorted(set(found) - OURS)


def lacking(program: str) -> str | None:
    """Why a program cannot be tried here, or None."""
    if missing := [name for name in libraries(program) if find_spec(name) is None]:
        return f"{missing[0]} is not installed: pip install 'scoopmpi[recipes]'"
    if program == "pypet_neuron" and number(version("numpy")) >= (2,):
        return "pypet 0.6.1 needs numpy<2"
    if program == "scipy_cluster" and number(version("scipy")) < (1, 16):
        return "minimize takes workers= from scipy 1.16 on"
    return None


def number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


@pytest.mark.timeout(500)
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_gives_on_the_farm_what_it_gives_alone(
    first_library: Library, tmp_path: Path, program: str
) -> None:
    if why := lacking(program):
        pytest.skip(why)
    path = str(HERE / f"{program}.py")
    alone = start(first_library, [sys.executable, path], tmp_path, timeout=200)
    for attempt in range(3):
        log = tmp_path / f"{attempt}.csv"
        words = [*MYSCOOP, "-n", "2", "--task-log", str(log), path]
        farm = start(first_library, words, tmp_path, timeout=200)
        # On a busy machine a worker may come when the other has done these few tasks.
        if farm.returncode or workers(log) == {"1", "2"}:
            break
    assert (alone.returncode, farm.returncode) == (0, 0), alone.stderr + farm.stderr
    assert re.sub(NUMBER, "#", farm.stdout) == re.sub(NUMBER, "#", alone.stdout) != ""
    off = ABOUT.get(program, 0)
    assert numbers(farm.stdout) == pytest.approx(numbers(alone.stdout), rel=off, abs=0)
    assert workers(log) == {"1", "2"}


def workers(log: Path) -> set[str]:
    with log.open() as lines:
        return {row["rank"] for row in csv.DictReader(lines)}


NUMBER = r"\d+(?:\.\d+)?"


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(NUMBER, text)]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_is_short_and_has_one_line_that_is_marked(program: str) -> None:
    lines = PROGRAMS[program].splitlines()
    assert len(lines) <= 45 and all(len(line) <= 100 for line in lines)
    (marked,) = (line for line in lines if MARK in line)
    assert f"({program}.py)" in PAGE
    code = marked.partition("  #")[0].strip().rstrip(",")
    assert code in PAGE, f"the page does not show: {code}"


def test_the_page_has_no_other_programs() -> None:
    assert set(re.findall(r"\((\w+)\.py\)", PAGE)) == set(PROGRAMS)
