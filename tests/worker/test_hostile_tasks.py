"""Tasks that do what tasks should not, on real ranks: each time the farm goes on.

The cases are the programs in `hostile/`, which say of each whether it went well; many share a run.
"""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from tests.support.libraries import ROOT, Library, survives
from tests.support.starting import MYSCOOP, start, start_ranks

pytestmark = pytest.mark.timeout(150)

PROGRAMS = ROOT / "tests" / "support" / "hostile"
HUGE_NEEDS = 12 << 30
"""Bytes: the value and its pickle on both sides."""


def program(name: str) -> list[str]:
    return ["-m", "scoopmpi", str(PROGRAMS / f"{name}.py")]


def went_well(answer: subprocess.CompletedProcess[str]) -> None:
    """The program has come to its end, and each of its cases went as it should."""
    good = re.findall(r"^\w+(?: inside a task)?: ok$", answer.stdout, re.MULTILINE)
    last = f"{len(good)} of {len(good)} went well"
    assert good and answer.stdout.splitlines()[-1:] == [last], (
        answer.stdout[-6000:] + answer.stderr[-3000:]
    )
    assert answer.returncode == 0, answer.stderr[-3000:]


@pytest.mark.parametrize("group", ["errors", "data"])
def test_data_and_exceptions_hit_their_own_task_alone(first_library: Library, group: str) -> None:
    went_well(start_ranks(first_library, 3, program(group)))


@pytest.mark.parametrize("group", ["processes", "surroundings"])
def test_what_tasks_do_to_their_process_does_not_end_it(library: Library, group: str) -> None:
    went_well(start_ranks(library, 3, program(group)))


def test_a_hundred_megabytes_are_printed(first_library: Library) -> None:
    answer = start_ranks(first_library, 3, program("output"))
    lines = answer.stdout.splitlines(keepends=True)
    printed = "".join(line for line in lines if line.startswith("x"))
    assert printed.count("x") == 102 * (1 << 20) - 6400
    answer.stdout = "".join(line for line in lines if not line.startswith("x"))
    went_well(answer)


def test_values_above_two_gib(first_library: Library) -> None:
    if os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") < HUGE_NEEDS:
        pytest.skip(f"less than {HUGE_NEEDS >> 30} GiB of memory are free")
    went_well(start_ranks(first_library, 2, program("large"), timeout=120))


def test_tasks_that_end_their_workers(library: Library) -> None:
    """By os._exit, SIGKILL, and a stack of C that is used up."""
    words = [*MYSCOOP, "-n", "5", "--retries", "0", str(PROGRAMS / "lost.py")]
    answer = start(library, words)
    if survives(library):
        went_well(answer)
    else:
        assert answer.returncode != 0 and "while running dies; the job ends" in answer.stderr
