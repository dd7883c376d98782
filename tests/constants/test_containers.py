"""Large data where containers leave little or no shared memory: the same values, one warning."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import no_memfd
from tests.support.libraries import ROOT, Library
from tests.support.starting import MYSCOOP, start

PROGRAM = """
import functools, itertools
import numpy as np
from scoopmpi import futures, shared

def both(table, number):
    table[0] += number
    return float(table[0]), float(table[-1])

def first(table, number):
    return float(table[0])

def constant(number):
    table = shared.getConst("table")
    return float(table[0]) + number, float(table[-1])

def column(number):
    return np.full(1 << 20, float(number))

if __name__ == "__main__":
    table = np.ones(12 << 20)
    wanted = [(1.0 + number, 1.0) for number in range(12)]
    assert list(futures.map(both, itertools.repeat(table), range(12))) == wanted
    calls = [futures.submit(both, table, number=number) for number in range(12)]
    assert [call.result() for call in calls] == wanted
    shared.setConst(table=table)
    assert list(futures.map(constant, range(12))) == wanted
    assert list(futures.map(functools.partial(first, table), range(12))) == [1.0] * 12
    assert [float(each[-1]) for each in futures.map(column, range(12))] == list(range(12))
    print("all values")
"""
SMALL = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o size=48m tmpfs /dev/shm && exec "$@"', "-"]
"""Less than the table, and more than the MPI libraries need."""
WITHOUT = [sys.executable, str(ROOT / "tests" / "support" / "no_memfd.py")]


@pytest.mark.skipif(sys.platform != "linux", reason="the words are Linux's")
@pytest.mark.parametrize(("words", "warnings"), [(SMALL, 0), (WITHOUT, 1)], ids=["small", "none"])
def test_all_values_are_right(
    first_library: Library, words: list[str], warnings: int, tmp_path: Path
) -> None:
    if words is WITHOUT and platform.machine() not in no_memfd.NUMBERS:
        pytest.skip("the number of memfd_create is not known here")
    if subprocess.run([*words, "true"], capture_output=True).returncode:
        pytest.skip(f"not allowed here: {words[0]}")
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [*words, *MYSCOOP, "-n", "2", str(tmp_path / "program.py")]
    answer = start(first_library, command, cwd=tmp_path)
    assert (answer.returncode, answer.stdout) == (0, "all values\n"), answer.stderr[-3000:]
    assert answer.stderr.count("WARNING") == warnings, answer.stderr[-3000:]
