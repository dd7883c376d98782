"""`myscoop` in jobs of a real Grid Engine on two hosts; where slots belong is what it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.libraries import ROOT, Library
from tests.support.starting import start

from . import gridengine, hosts
from .jobs import JOB_SECONDS, PROGRAMS, WAITS, await_that, ranks_of, tasks_begun

pytestmark = pytest.mark.timeout(180)

WHERE = f"cp $PE_HOSTFILE hosts.txt; myscoop {PROGRAMS / 'where.py'}"


class GridEngine(NamedTuple):
    """A running Grid Engine: its hosts, and the variables that its users need."""

    hosts: tuple[hosts.Host, ...]
    variables: Mapping[str, str]

    def run(
        self, library: Library, *words: str, cwd: Path, timeout: float = JOB_SECONDS
    ) -> subprocess.CompletedProcess[str]:
        """A command on the first host, of a user who has activated the tests' environment."""
        path = os.pathsep.join((str(Path(sys.executable).parent), self.variables["PATH"]))
        user = Library(library.name, {**library.env, **self.variables, "PATH": path})
        return start(user, self.hosts[0].words(*words, cwd=cwd), cwd, timeout)

    def submit(self, library: Library, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """`qsub` with the user's whole environment, which prints to output.txt."""
        common = ["-V", "-cwd", "-j", "y", "-o", "output.txt"]
        return self.run(library, "qsub", *common, *words, cwd=cwd)

    @contextmanager
    def submitted(self, library: Library, body: str, slots: int, cwd: Path) -> Iterator[str]:
        """A job while it is looked at; it is deleted at the end, if it still runs."""
        script = cwd / "job.sh"
        script.write_text(body)
        words = ["-terse", "-S", "/bin/sh", "-pe", "mpi", str(slots), str(script)]
        answer = self.submit(library, *words, cwd=cwd)
        assert answer.returncode == 0, answer.stderr
        try:
            yield answer.stdout.strip()
        finally:
            self.run(library, "qdel", answer.stdout.strip(), cwd=cwd)

    def running(self) -> list[str]:
        """What runs on the hosts besides Grid Engine itself."""
        listed = [args for host in self.hosts for args in host.processes().values()]
        return [args for args in listed if not re.match(r"\S*sge_(qmaster|execd)", args)]


@pytest.fixture(scope="module")
def gridengine_of_two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GridEngine]:
    try:
        with hosts.connected(tmp_path_factory.mktemp("hosts")) as pair:
            root = tmp_path_factory.mktemp("gridengine")
            yield GridEngine(pair, gridengine.start(root, pair))
    except (hosts.NoHosts, gridengine.NotStarted) as problem:
        pytest.skip(f"no Grid Engine: {problem}")


@pytest.fixture
def engine(gridengine_of_two: GridEngine, library: Library) -> GridEngine:
    if library.name.startswith("mpich-4.0"):
        pytest.skip("Debian's MPICH 4.0.2 never leaves MPI_Finalize over UCX between hosts")
    return gridengine_of_two


def test_the_job_script_ends_with_the_squares(
    gridengine_of_two: GridEngine, first_library: Library, tmp_path: Path
) -> None:
    scripts = shutil.copytree(ROOT / "jobscripts", tmp_path / "jobscripts")
    words = ["-sync", "y", "squares.sge"]
    answer = gridengine_of_two.submit(first_library, *words, cwd=scripts)
    text = (scripts / "output.txt").read_text()
    assert answer.returncode == 0, text[-3000:] + answer.stderr
    assert str([number * number for number in range(10_000)]) in text


def test_workers_are_on_the_hosts_of_its_slots(
    engine: GridEngine, library: Library, tmp_path: Path
) -> None:
    slots = 3  # two and one
    ended = tmp_path / "ended.txt"  # qsub -sync would tell seconds later
    output = tmp_path / "output.txt"
    with engine.submitted(library, f"{WHERE}; echo $? >{ended}", slots, tmp_path):
        await_that(ended.exists, output.read_text, JOB_SECONDS)
    text = output.read_text()
    assert ended.read_text() == "0\n", text
    lines = [line.split() for line in (tmp_path / "hosts.txt").read_text().splitlines()]
    assert Counter(told["host"] for told in ranks_of(text) if told["rank"]) == {
        host: int(count) for host, count, *_ in lines
    }
    assert [count for _, count, *_ in lines] == ["2", "1"]


def test_the_programs_exit_status_is_the_jobs(
    gridengine_of_two: GridEngine, first_library: Library, tmp_path: Path
) -> None:
    words = ["-sync", "y", "-pe", "mpi", "3", "-b", "y", "myscoop", str(PROGRAMS / "ends.py")]
    answer = gridengine_of_two.submit(first_library, *words, "exits", cwd=tmp_path)
    assert answer.returncode == 7, (tmp_path / "output.txt").read_text() + answer.stderr


def test_qdel_leaves_no_process(engine: GridEngine, library: Library, tmp_path: Path) -> None:
    waits = f"myscoop {WAITS} {tmp_path}"
    output = tmp_path / "output.txt"
    with engine.submitted(library, waits, 4, tmp_path) as job:
        await_that(lambda: tasks_begun(tmp_path) == 4, output.read_text, 60)
        engine.run(library, "qdel", job, cwd=tmp_path)
        await_that(lambda: not engine.running(), lambda: f"left: {engine.running()}")
