"""Tasks that do what tasks should not, on real ranks: each time the farm goes on.

The cases are in `hostile_tasks.py`, which says of each whether it went well; many share a run.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.support import hostile_tasks
from tests.support.libraries import Library, survives
from tests.support.starting import MYSCOOP, start, start_ranks

pytestmark = pytest.mark.timeout(150)

PROGRAM = str(Path(hostile_tasks.__file__).resolve())
HUGE_NEEDS = 12 << 30
"""Bytes: the value and its pickle on both sides."""


def went_well(answer: subprocess.CompletedProcess[str], group: str) -> None:
    """The program has come to its end, and each case of the group as often as it should."""
    lines = re.findall(r"^(\w+(?: inside a task)?): ok$", answer.stdout, re.MULTILINE)
    expected = [
        name + where
        for name, (_, nested) in hostile_tasks.CASES[group].items()
        for where in (("", " inside a task") if nested else ("",))
    ]
    assert lines == expected, answer.stdout[-6000:] + answer.stderr[-3000:]
    assert answer.returncode == 0, answer.stderr[-3000:]


@pytest.mark.parametrize("group", ["errors", "data"])
def test_data_and_exceptions_hit_their_own_task_alone(first_library: Library, group: str) -> None:
    went_well(start_ranks(first_library, 3, ["-m", "scoopmpi", PROGRAM, group]), group)


@pytest.mark.parametrize("group", ["processes", "surroundings"])
def test_what_tasks_do_to_their_process_does_not_end_it(library: Library, group: str) -> None:
    went_well(start_ranks(library, 3, ["-m", "scoopmpi", PROGRAM, group]), group)


def test_a_hundred_megabytes_are_printed(first_library: Library) -> None:
    answer = start_ranks(first_library, 3, ["-m", "scoopmpi", PROGRAM, "output"])
    lines = answer.stdout.splitlines(keepends=True)
    printed = "".join(line for line in lines if line.startswith("x"))
    assert printed.count("x") == 102 * (1 << 20) - 6400
    answer.stdout = "".join(line for line in lines if not line.startswith("x"))
    went_well(answer, "output")


def test_values_above_two_gib(first_library: Library) -> None:
    if os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") < HUGE_NEEDS:
        pytest.skip(f"less than {HUGE_NEEDS >> 30} GiB of memory are free")
    went_well(
        start_ranks(first_library, 2, ["-m", "scoopmpi", PROGRAM, "large"], timeout=120), "large"
    )


def test_tasks_that_end_their_workers(library: Library) -> None:
    """By os._exit, SIGKILL, and a stack of C that is used up."""
    words = [*MYSCOOP, "-n", "5", "--retries", "0", PROGRAM, "lost"]
    answer = start(library, words)
    if survives(library):
        went_well(answer, "lost")
    else:
        assert answer.returncode != 0 and "while running dies; the job ends" in answer.stderr
