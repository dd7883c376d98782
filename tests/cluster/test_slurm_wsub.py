"""`wsub` in a real Slurm: with directives of either kind, to the job's log, and on from there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support import worker_examples
from tests.support.libraries import ROOT, Library

from .jobs import Ended, Job, Slurm

pytestmark = [pytest.mark.timeout(180), pytest.mark.usefixtures("limited")]

MODULES = "scoopmpi.launch.worker_framework."
SLURM = """\
#!/bin/bash
#SBATCH --ntasks=3
#SBATCH --time=2
./weather -t $temperature -p $pressure -v $volume
[ -f mended ] || [ $temperature -lt 297 ]
"""
PRINTED = [
    "T: {}  P: {}  V: {}".format(*line.split(", "))
    for line in worker_examples.DATA.splitlines()[1:]
]


def submitted(
    cluster: Slurm, library: Library, words: str, cwd: Path, name: str = ""
) -> tuple[Job, Ended]:
    """A job of one of the framework's commands, when it has ended. name: of the job."""
    command, *rest = words.split()
    words_of_python = [sys.executable, "-m", MODULES + command, *rest]
    answer = cluster.run(library, *words_of_python, cwd=cwd)
    assert answer.returncode == 0, answer.stderr
    number = answer.stdout.strip()
    assert number.isdecimal(), answer.stdout
    job = Job(cluster, number, cwd / f"slurm-{number}.out")
    return job, job.ended()


def test_directives_of_pbs_are_read_by_slurm(
    cluster: Slurm, first_library: Library, tmp_path: Path
) -> None:
    """`cd $PBS_O_WORKDIR` leads there too, though Slurm sets no such variable."""
    work = worker_examples.put(tmp_path / "work")
    text = worker_examples.WEATHER_PBS.replace("ppn=8", "ppn=2").replace("04:00:00", "00:02:00")
    (work / "weather.pbs").write_text(text)
    job, ended = submitted(cluster, first_library, "wsub -batch weather.pbs -data data.csv", work)
    assert ended.status == 0, ended.text
    assert [line for line in ended.text.splitlines() if line.startswith("T: ")] == PRINTED
    assert (work / f"weather.pbs.log{job.number}").read_text().count(" completed by ") == 5
    facts = job.told("scontrol", "-o", "show", "job", job.number)
    assert " JobName=weather.pbs " in facts and " NumTasks=2 " in facts
    assert " TimeLimit=00:02:00 " in facts


def test_directives_of_slurm_and_a_job_that_goes_on(
    cluster: Slurm, first_library: Library, tmp_path: Path
) -> None:
    work = worker_examples.put(tmp_path / "work")
    (work / "weather.slurm").write_text(SLURM)
    words = "wsub -batch weather.slurm -data data.csv --ntasks=2 -N of_slurm"
    job, ended = submitted(cluster, first_library, words, work)
    assert ended.status == 1 and PRINTED[-1] in ended.text
    (work / "mended").touch()
    words = f"wresume -jobid {job.number} -retry --nodes=2"
    again, ended = submitted(cluster, first_library, words, work)
    assert ended.status == 0, ended.text
    assert [line for line in ended.text.splitlines() if line.startswith("T: ")] == PRINTED[-1:]
    facts = again.told("scontrol", "-o", "show", "job", again.number)
    assert " JobName=of_slurm " in facts and " NumNodes=2 " in facts and " NumTasks=2 " in facts


def test_the_slurm_job_script_of_a_sweep_ends_with_all_rows(
    cluster: Slurm, first_library: Library, tmp_path: Path
) -> None:
    """Of `jobscripts/`: with a log, so that the same job once more has nothing to do."""
    for name in ("sweep.slurm", "sweep.csv"):
        (tmp_path / name).write_bytes((ROOT / "jobscripts" / name).read_bytes())
    ended = cluster.batch(first_library, "sweep.slurm", cwd=tmp_path)
    assert ended.status == 0, ended.text
    assert "293 K and 10 bar" in ended.text
