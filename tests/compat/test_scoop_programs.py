"""Programs written for SCOOP, as its users write them: what they print under `python -m scoop`.

One file a pattern in `scoop_programs`, with what it must print beside it. Starting ranks takes
most of the time, so all run on the first MPI library, and those that lean on the farm most on
every one. To see what the original says to them: SCOOP072_PYTHON=/its/bin/python pytest …
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.libraries import NO_LIBRARY, ROOT, Library, libraries
from tests.support.starting import start

pytestmark = pytest.mark.timeout(90)
HERE = ROOT / "tests" / "compat" / "scoop_programs"
PROGRAMS = sorted(path.stem for path in HERE.glob("*.py") if not path.stem.startswith("deap_"))

EVERYWHERE = {"waits"}  # the rest of what a farm does over each library: tests/mpi

ON_ONE_WORKER = ["caught", "doubling", "levels", "reduced", "toolbox", "waits_in_tasks"]

# They ask how they run, or count on tasks that last while the program goes on.
NOT_SERIAL = {
    "arrays_kept", "cancelled", "in_any_order", "names", "objects_kept", "too_late", "unsendable",
    "waits",
}  # fmt: skip

# What SCOOP 0.7.2 does with the programs that it does not run as well.
SCOOP_FAILS = {
    "arrays_kept": "every worker has a copy of its own, and may change it",
    "callbacks_in_tasks": "callbacks of tasks run where nobody sees it, or not at all",
    "cancelled": "a cancelled call is not done, and cannot be waited for",
    "constants": "as it should be in most runs; in others a task finds None",
    "more_functions": "defaults and closures are lost, an older lambda is called",
    "not_taken": "the next map waits for all tasks of the one that was left",
    "objects_kept": "objects without a hash, or that can be called, have no methods",
    "reduced_anything": "IndexError for fewer than two elements, TypeError for generators",
    "running_totals": "only the last value is right",
    "too_late": "timeouts are not looked at",
    "unsendable": "some results come back without having been sent, others are waited for in vain",
    "waits": "wait raises what a task has raised, and only looks once its timeout has passed",
    "waits_for_failures": "wait and as_completed raise what a task has raised",
}


def on(chosen: Library, program: str) -> object:
    return pytest.param(chosen, program, id=f"{program}-{chosen.name}")


CASES = [
    on(chosen, program)
    for number, chosen in enumerate(libraries() or [NO_LIBRARY])
    for program in PROGRAMS
    if number == 0 or program in EVERYWHERE
]
SERIAL = [program for program in PROGRAMS if program not in NOT_SERIAL]
SAME = [program for program in PROGRAMS if program not in SCOOP_FAILS]
FIRST = [on(chosen, program) for chosen in libraries()[:1] for program in ON_ONE_WORKER]


def expected(program: str) -> str:
    return Path(HERE, f"{program}.txt").read_text()


@pytest.mark.parametrize(("library", "program"), CASES, indirect=["library"])
def test_a_scoop_program_prints_what_it_should(library: Library, program: str) -> None:
    words = [sys.executable, "-m", "scoop", "-n", "2", f"{program}.py"]
    answer = start(library, words, cwd=HERE)
    assert (answer.returncode, answer.stdout) == (0, expected(program)), answer.stderr


@pytest.mark.parametrize(("library", "program"), FIRST, indirect=["library"])
def test_one_worker_is_enough_for_tasks_of_tasks(library: Library, program: str) -> None:
    words = [sys.executable, "-m", "scoop", "-n", "1", f"{program}.py"]
    answer = start(library, words, cwd=HERE)
    assert (answer.returncode, answer.stdout) == (0, expected(program)), answer.stderr


def run_alone(python: str, *words: str, timeout: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, *words], cwd=HERE, capture_output=True, text=True, timeout=timeout
    )


@pytest.mark.ranks
@pytest.mark.parametrize("program", SERIAL)
def test_without_a_launcher_it_prints_the_same_and_warns_once(program: str) -> None:
    answer = run_alone(sys.executable, f"{program}.py", timeout=30)
    assert (answer.returncode, answer.stdout) == (0, expected(program)), answer.stderr
    assert answer.stderr.count("was not started by scoopmpi") == 1, answer.stderr


def test_what_stands_behind_the_program_is_its_own(first_library: Library) -> None:
    for program, words, printed in (
        ("one_of_two", ["drawer", "on"], "reward\nON\n"),
        ("letters", ["long"], "player 0: 27\nplayer 1: 12\nplayer 2: 0\nplayer 3: 13\n"),
    ):
        command = [sys.executable, "-m", "scoop", "-n", "2", f"{program}.py", *words]
        answer = start(first_library, command, cwd=HERE)
        assert (answer.returncode, answer.stdout) == (0, printed), answer.stderr


@pytest.mark.skipif("SCOOP072_PYTHON" not in os.environ, reason="SCOOP072_PYTHON is not set")
@pytest.mark.parametrize("program", SAME)
def test_the_original_prints_the_same(program: str) -> None:
    python = os.environ["SCOOP072_PYTHON"]
    answer = run_alone(python, "-m", "scoop", "-n", "2", f"{program}.py", timeout=30)
    assert answer.stdout == expected(program), answer.stderr


def test_the_lists_name_programs_that_exist() -> None:
    named = EVERYWHERE | set(ON_ONE_WORKER) | NOT_SERIAL | set(SCOOP_FAILS)
    assert named <= set(PROGRAMS)
    assert {path.stem for path in HERE.glob("*.txt")} == set(PROGRAMS)
