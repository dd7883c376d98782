"""Starts the tests in tests/mpi under mpirun: 1, 2 and 5 ranks of each MPI library found."""

from __future__ import annotations

import re

import pytest

from .conftest import Library, start_ranks

pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize("ranks", [1, 2, 5])
def test_under_mpirun(library: Library, ranks: int) -> None:
    program = ["-m", "pytest", "--with-mpi", "-m", "mpi", "-q", "-x", "tests/mpi"]
    answer = start_ranks(library, ranks, program, timeout=100)
    output = answer.stdout + answer.stderr
    assert answer.returncode == 0, output[-6000:]
    summaries = re.findall(r"(\d+) passed", output)
    assert len(summaries) == ranks and len(set(summaries)) == 1, output[-6000:]
