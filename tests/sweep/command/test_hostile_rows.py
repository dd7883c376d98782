"""Rows that try to get out of their values, through real sweeps: words, a script, and stdin."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest

from tests.support.libraries import Library
from tests.support.starting import MYSCOOP, start
from tests.sweep.command.test_words import HOSTILE

pytestmark = pytest.mark.timeout(120)
VALUES = [value for value in HOSTILE if value.isprintable() or "\n" in value]
IN_ORDER = "".join(f"<{value}>\n" for value in VALUES)
SCRIPT = """#!/usr/bin/env -S {python} -I
#PBS -l nodes=1
import os, sys
print("<" + os.environ["a"] + ">", flush=True)
assert not sys.argv[1:] and not os.fstat(0).st_size
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with open(tmp_path / "rows.csv", "w", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([["a"], *([each] for each in VALUES)])
    (tmp_path / "run.pbs").write_text(SCRIPT.format(python=sys.executable))
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        ["--data", "rows.csv", "printf", "<%s>\\n", "$a"],
        ["--data", "rows.csv", "--batch", "run.pbs"],
        ["--data", "-", "sh", "-c", 'printf "<%s" "$a"; [ "$a" = "$1" ] && echo ">"', "_", "$a"],
    ],
    ids=["words", "script", "stdin"],
)
def test_values_arrive_as_they_are(first_library: Library, folder: Path, words: list[str]) -> None:
    there = set(folder.iterdir())
    piped = ["sh", "-c", 'cat rows.csv | "$@"', "_", *MYSCOOP, "sweep", "-n", "2", *words]
    found = start(first_library, piped, folder)
    assert (found.stderr, found.returncode) == ("", 0)
    assert found.stdout == IN_ORDER
    assert set(folder.iterdir()) == there
