"""The job scripts for notebooks, as they stand: a kernel, a notebook, and nbconvert."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.launch.test_jobscripts import BASH, JOBSCRIPTS, NOTEBOOKS
from tests.support.libraries import Library
from tests.support.notebook import PATH, installed

nbformat = pytest.importorskip("nbformat", reason="a notebook is read by nbformat")
pytest.importorskip("ipykernel", reason="a kernel needs ipykernel")
pytest.importorskip("nbconvert", reason="notebooks are executed by nbconvert")


@pytest.mark.timeout(180)
def test_a_job_runs_all_cells(first_library: Library, tmp_path: Path) -> None:
    """In a job the hosts are the batch system's; here it is this machine, by its two workers."""
    installed(tmp_path, "--sched=local", "-n", "2", name="scoopmpi")
    for name in ("notebook.slurm", "squares.ipynb"):
        shutil.copy(JOBSCRIPTS / name, tmp_path)
    env = {
        **first_library.env, "PATH": PATH, "JUPYTER_PATH": str(tmp_path / "share" / "jupyter"),
        "BASH_FUNC_module%%": "() { :\n}",
    }  # fmt: skip
    done = subprocess.run(
        [BASH, "notebook.slurm"], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=150
    )
    assert done.returncode == 0, done.stderr
    cells = nbformat.read(tmp_path / "squares.done.ipynb", as_version=4).cells
    assert cells[-1].outputs[0].text == f"{sum(x * x for x in range(10_000))}\n"


def test_the_scripts_differ_in_their_first_lines_only() -> None:
    bodies = {"\n".join((JOBSCRIPTS / name).read_text().splitlines()[-2:]) for name in NOTEBOOKS}
    page = (JOBSCRIPTS.parent / "docs" / "notebooks.md").read_text()
    (body,) = bodies
    assert body in page
