"""Starts the tests in tests/mpi under mpirun: 1, 2 and 5 ranks of each MPI library found."""

from __future__ import annotations

import os
import re
import sys

import pytest

from scoopmpi.launch import launcher
from scoopmpi.launch.allocation import Allocation, Host

from .conftest import Library, start

pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize("ranks", [1, 2, 5])
def test_under_mpirun(library: Library, ranks: int) -> None:
    found = launcher.find(library.env)
    host = Allocation("local", (Host("localhost", ranks - 1),))
    program = [sys.executable, "-m", "pytest", "--with-mpi", "-m", "mpi", "-q", "-x", "tests/mpi"]
    command = found.flavour.command(found.mpirun, host, program, library.env, os.geteuid() == 0)
    env = {**library.env, **command.env}
    answer = start(Library(library.name, env), list(command.argv), timeout=100)
    output = answer.stdout + answer.stderr
    assert answer.returncode == 0, output[-6000:]
    summaries = re.findall(r"(\d+) passed", output)
    assert len(summaries) == ranks and len(set(summaries)) == 1, output[-6000:]
