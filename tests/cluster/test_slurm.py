"""`myscoop` in jobs of a real Slurm; where tasks belong is what its own srun says."""

from __future__ import annotations

import re
import shutil
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from scoopmpi.watching.status.replaced_file import read
from tests.support.libraries import ROOT, Library

from .jobs import PROGRAMS, WAITS, Job, Slurm, await_that, ranks_of, tasks_begun

# The limited job passes its minute meanwhile.
pytestmark = [pytest.mark.timeout(180), pytest.mark.usefixtures("limited")]

WHERE = PROGRAMS / "where.py"
# Slurm's own answer in front: the node of each task that it would start.
JOB = f"srun --mpi=none printenv SLURMD_NODENAME >tasks.txt; myscoop {WHERE}"


def workers_by_node(text: str) -> Counter[str]:
    return Counter(told["node"] for told in ranks_of(text) if told["rank"])


def tasks_by_node(directory: Path) -> Counter[str]:
    return Counter((directory / "tasks.txt").read_text().split())


def test_the_slurm_job_script_ends_with_the_squares(
    cluster: Slurm, library: Library, tmp_path: Path
) -> None:
    scripts = shutil.copytree(ROOT / "jobscripts", tmp_path / "jobscripts")
    ended = cluster.batch(library, "squares.slurm", cwd=scripts)
    assert ended.status == 0, ended.text[-3000:]
    assert str([number * number for number in range(10_000)]) in ended.text


def test_workers_are_on_the_nodes_of_slurms_tasks_with_each_library(
    cluster: Slurm, library: Library, tmp_path: Path
) -> None:
    ended = cluster.batch(library, "-N2", "-n4", f"--wrap={JOB}", cwd=tmp_path)
    assert ended.status == 0, ended.text
    assert workers_by_node(ended.text) == tasks_by_node(tmp_path)
    assert sorted(workers_by_node(ended.text).items()) == [("n1", 3), ("n2", 1)]
    assert ranks_of(ended.text)[0]["node"] == "n1"


@pytest.mark.parametrize(
    ("options", "threads"),
    [
        ("-N2 -n3", "1"),
        ("--ntasks=3 --cpus-per-task=2", "2"),
        ("-N2 --ntasks-per-node=2", "1"),
        ("-N1 -n3", "1"),
    ],
)
def test_workers_and_threads_are_those_that_slurm_was_asked_for(
    cluster: Slurm, first_library: Library, tmp_path: Path, options: str, threads: str
) -> None:
    ended = cluster.batch(first_library, *options.split(), f"--wrap={JOB}", cwd=tmp_path)
    assert ended.status == 0, ended.text
    assert workers_by_node(ended.text) == tasks_by_node(tmp_path)
    assert {told["OMP_NUM_THREADS"] for told in ranks_of(ended.text) if told["rank"]} == {threads}


def test_without_tasks_each_cpu_has_a_worker(
    cluster: Slurm, first_library: Library, tmp_path: Path
) -> None:
    job = f"--wrap=myscoop {WHERE}"
    ended = cluster.batch(first_library, "-N2", "--mincpus=2", job, cwd=tmp_path)
    assert ended.status == 0, ended.text
    assert workers_by_node(ended.text) == {"n1": 2, "n2": 2}


def test_a_step_has_the_workers_of_the_step(
    cluster: Slurm, first_library: Library, tmp_path: Path
) -> None:
    job = f"--wrap=srun --mpi=none -N1 -n1 -w n2 -c2 --overlap myscoop {WHERE}"
    ended = cluster.batch(first_library, "-N2", "-n4", "-c2", job, cwd=tmp_path)
    assert ended.status == 0, ended.text
    assert workers_by_node(ended.text) == {"n2": 1}


def test_salloc_starts_workers_from_outside_of_the_nodes(
    cluster: Slurm, first_library: Library, tmp_path: Path
) -> None:
    words = ["salloc", "--time=2", "-N2", "-n3", "myscoop", str(WHERE)]
    answer = cluster.run(first_library, *words, cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert workers_by_node(answer.stdout) == {"n1": 2, "n2": 1}


def test_srun_starts_ranks_by_itself(cluster: Slurm, library: Library, tmp_path: Path) -> None:
    protocol = "pmix" if library.name.startswith("openmpi") else "pmi2"
    words = ["srun", f"--mpi={protocol}", "--time=2", "-N2", "-n3", sys.executable]
    answer = cluster.run(library, *words, "-m", "scoopmpi", str(WHERE), cwd=tmp_path)
    if "PMIx library" in answer.stderr:
        pytest.skip("Slurm finds no PMIx: apt-get install libpmix-dev")
    assert answer.returncode == 0, answer.stderr
    assert sorted(told["node"] for told in ranks_of(answer.stdout)) == ["n1", "n1", "n2"]


def test_ranks_that_cannot_see_each_other_end_the_step(
    cluster: Slurm, first_library: Library, tmp_path: Path
) -> None:
    words = ["srun", "--mpi=none", "--time=2", "-N2", "-n3", sys.executable]
    answer = cluster.run(first_library, *words, "-m", "scoopmpi", str(WHERE), cwd=tmp_path)
    assert answer.returncode != 0
    assert "processes that cannot see each other" in answer.stderr


def test_the_status_file_knows_when_slurm_ends_the_job(
    cluster: Slurm, first_library: Library, tmp_path: Path
) -> None:
    job = f"--wrap=myscoop --status run.{{job}}.json {WAITS} {tmp_path}"
    with cluster.submitted(first_library, "-n2", "--time=9", job, cwd=tmp_path) as submitted:
        file = tmp_path / f"run.{submitted.number}.json"
        await_tasks(submitted, tmp_path, 2)
        await_that(
            lambda: read(str(file))["end"]["job_ends"], lambda: f"{file} says: {file.read_text()}"
        )
        said, words = read(str(file)), ("squeue", "-h", "-j", submitted.number, "-o", "%e")
        (tmp_path / "enough").touch()
        told = datetime.fromisoformat(submitted.told(*words).strip()).timestamp()
        assert submitted.ended().status == 0
    assert (said["manager"], said["job"]) == ("slurm", submitted.number)
    assert said["end"]["job_ends_by"] in ("squeue", "SLURM_JOB_END_TIME")
    assert abs(said["end"]["job_ends"] - told) <= 2
    assert read(str(file))["state"] == "ended"


def test_the_programs_exit_status_is_the_jobs(
    cluster: Slurm, first_library: Library, tmp_path: Path
) -> None:
    job = f"--wrap=myscoop {PROGRAMS / 'ends.py'} exits"
    ended = cluster.batch(first_library, "-N2", "-n3", job, cwd=tmp_path)
    assert (ended.state, ended.status) == ("FAILED", 7), ended.text


def test_a_task_that_fails_makes_the_job_fail(
    cluster: Slurm, first_library: Library, tmp_path: Path
) -> None:
    job = f"--wrap=myscoop {PROGRAMS / 'ends.py'} raises"
    ended = cluster.batch(first_library, "-N2", "-n3", job, cwd=tmp_path)
    assert (ended.state, ended.status) == ("FAILED", 1), ended.text
    assert "ZeroDivisionError" in ended.text


def test_scancel_leaves_no_process(cluster: Slurm, library: Library, tmp_path: Path) -> None:
    job = f"--wrap=myscoop {WAITS} {tmp_path}"
    with cluster.submitted(library, "-N2", "-n4", job, cwd=tmp_path) as submitted:
        await_tasks(submitted, tmp_path, 4)
        submitted.cancel()
        assert submitted.ended().state == "CANCELLED"
        await_that(lambda: not submitted.left(), lambda: f"left: {submitted.left()}")


def await_tasks(job: Job, directory: Path, count: int) -> None:
    await_that(
        lambda: tasks_begun(directory) == count, lambda: f"not begun: {job.output.read_text()}", 60
    )
    assert len(job.left()) > count, "the job's processes are not recognised"


def test_a_job_ends_before_its_time_limit_and_says_what_is_left(
    cluster: Slurm, first_library: Library, tmp_path: Path
) -> None:
    """A minute is the shortest limit; most of it is kept free, as the test would wait for it."""
    command = f"myscoop --stop-before 50 --checkpoint run.ckpt {PROGRAMS / 'naps.py'}"
    ended = cluster.batch(first_library, "--time=1", "-n2", f"--wrap={command}", cwd=tmp_path)
    assert ended.status == 75, ended.text
    left = re.search(r"stopped (\d+) s before the end of the job: (\d+) of 1000 tasks", ended.text)
    assert left is not None, ended.text
    assert 50 <= int(left[1]) < 60 and 900 < int(left[2]) < 1000
