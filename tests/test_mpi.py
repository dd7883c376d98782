"""Starts the tests in tests/mpi under mpirun: 1, 2 and 5 ranks, and 5 of each other MPI library.

How many ranks there are matters to the farm, not to the library, and so do the tests that are
marked `once`: what a farm decides while tasks last. These run on the largest farm of the first.
"""

from __future__ import annotations

import re

import pytest

from tests.support.libraries import NO_LIBRARY, Library, libraries
from tests.support.starting import start_ranks

pytestmark = pytest.mark.timeout(120)


FIRST, OTHERS = (1, 2, 5), (5,)
CASES = [
    pytest.param(chosen, ranks, id=f"{chosen.name}-{ranks}")
    for number, chosen in enumerate(libraries() or [NO_LIBRARY])
    for ranks in (OTHERS if number else FIRST)
]


@pytest.mark.parametrize(("library", "ranks"), CASES, indirect=["library"])
def test_under_mpirun(library: Library, ranks: int) -> None:
    which = "mpi" if (library, ranks) == (libraries()[0], max(FIRST)) else "mpi and not once"
    program = ["-m", "pytest", "-n", "0", "--with-mpi", "-m", which, "-q", "-x", "tests/mpi"]
    told = Library(library.name, {**library.env, "TESTS_RANKS": str(ranks)})
    answer = start_ranks(told, ranks, program, timeout=100)
    output = answer.stdout + answer.stderr
    assert answer.returncode == 0, output[-6000:]
    summaries = re.findall(r"(\d+) passed", output)
    assert len(summaries) == ranks and len(set(summaries)) == 1, output[-6000:]
