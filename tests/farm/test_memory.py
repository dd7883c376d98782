"""Memory that does not grow: of rank 0 and of each worker, over thousands of jobs of every kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pages.test_benchmarks import benchmark
from tests.support.libraries import ROOT, Library
from tests.support.starting import start_ranks

pytestmark = pytest.mark.timeout(120)
SOAK = benchmark("soak")


def test_a_thousand_jobs_leave_nothing_behind(first_library: Library, tmp_path: Path) -> None:
    """Maps, lambdas, calls, nested maps, maps dropped half-way, failures, reductions."""
    program = ["-m", "scoopmpi", str(SOAK.HERE), "--rounds", "1000"]
    answer = start_ranks(first_library, 3, program, cwd=tmp_path, timeout=100)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "rank 2" in answer.stdout


def test_growth_is_noticed() -> None:
    steady = [100.0, 101.0, 100.5, 101.0, 100.8]
    assert SOAK.growth(steady) < SOAK.MOST_MIB < SOAK.growth([100 + 3 * x for x in range(10)])


def test_what_leaks_runs_in_a_process_of_its_own(first_library: Library, tmp_path: Path) -> None:
    """The recipe of the page "When things go wrong"."""
    page = (ROOT / "docs" / "when-things-go-wrong.md").read_text()
    recipe = next(part for part in page.split("```python\n") if "def leaks" in part).split("```")[0]
    (tmp_path / "recipe.py").write_text(recipe)
    answer = start_ranks(first_library, 3, ["-m", "scoopmpi", "recipe.py"], cwd=tmp_path)
    assert (answer.returncode, answer.stdout) == (0, "[[0, 1, 4], [9, 16, 25]]\n"), answer.stderr
