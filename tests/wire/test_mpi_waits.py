"""Open MPI's own waits can be told to give the core away; other libraries are left alone."""

from __future__ import annotations

import subprocess
import sys

import pytest

from scoopmpi.wire import mpi_waits
from scoopmpi.wire.mpi_waits import yield_inside_mpi
from tests.support.libraries import Library

PROGRAM = """
from mpi4py import MPI
from scoopmpi.wire.mpi_waits import yield_inside_mpi
yield_inside_mpi(True)
print(yield_inside_mpi(False), yield_inside_mpi(False))
"""


def test_waits_inside_mpi_yield_and_stop_yielding(library: Library) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=library.env, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    openmpi = library.name.startswith("openmpi")
    assert answer.stdout.split() == [str(openmpi), "False"], answer.stderr


@pytest.mark.parametrize("path", [None, "/nowhere/libopen-pal.so.80", "libc.so.6"])
def test_a_library_without_the_switch_is_left_alone(
    path: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mpi_waits, "_loaded", lambda name: path)
    assert yield_inside_mpi(True) is False
