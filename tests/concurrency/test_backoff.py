"""How long a rank sleeps, and whether Open MPI's own waits can be told to give the core away."""

from __future__ import annotations

import subprocess
import sys

import pytest

from scoopmpi.concurrency import backoff
from tests.support.libraries import Library

PROGRAM = """
from mpi4py import MPI
from scoopmpi.concurrency.backoff import yield_inside_mpi
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
    monkeypatch.setattr(backoff, "_loaded", lambda name: path)
    assert backoff.yield_inside_mpi(True) is False


@pytest.mark.parametrize(
    ("due_in", "idle", "slept"),
    [
        (0.0002, 1.0, 0.0002),  # as it was expected
        (1.0, 0.0, backoff.EARLY_SECONDS),  # a batch has just gone out
        (1.0, 0.004, 0.002),
        (1.0, 60.0, backoff.LONGEST),
        (-1.0, 1.0, 0.0),
    ],
)
def test_what_is_expected_late_may_come_early(
    due_in: float, idle: float, slept: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths: list[float] = []
    monkeypatch.setattr(backoff.time, "monotonic", lambda: 100.0)
    monkeypatch.setattr(backoff.time, "sleep", lengths.append)
    backoff.sleep_until(100.0 + due_in, idle)
    assert lengths == pytest.approx([slept])
