"""Batch jobs of the tests' Slurm: submitted, awaited and looked after as a user does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.libraries import Library
from tests.support.starting import start

from . import slurm

PROGRAMS = Path(__file__).parent / "programs"
WAITS = PROGRAMS / "waits.py"
JOB_SECONDS = 75
"""Two to four on a quiet machine."""
CLEAN_SECONDS = 30
ASKED_AT_MOST = 5


class Ended(NamedTuple):
    """A job's state and exit status as Slurm tells them, and what it has printed."""

    state: str
    status: int
    text: str


class Slurm(NamedTuple):
    """A running Slurm, by the variables that its users need."""

    variables: Mapping[str, str]

    def user(self, library: Library) -> Library:
        """A user who has activated the environment of the tests."""
        env = {name: text for name, text in library.env.items() if not name.startswith("SLURM_")}
        path = os.pathsep.join((str(Path(sys.executable).parent), self.variables["PATH"]))
        return Library(library.name, {**env, **self.variables, "PATH": path})

    def run(
        self, library: Library, *words: str, cwd: Path, timeout: float = JOB_SECONDS
    ) -> subprocess.CompletedProcess[str]:
        """A command of the user's, such as salloc or srun."""
        return start(self.user(library), list(words), cwd, timeout)

    @contextmanager
    def submitted(self, library: Library, *words: str, cwd: Path) -> Iterator[Job]:
        """A job while it is looked at; it is cancelled at the end, if it still runs."""
        output = cwd / "output.txt"
        submit = ["sbatch", "--parsable", f"--output={output}", "--time=2", *words]
        answer = self.run(library, *submit, cwd=cwd)
        assert answer.returncode == 0, answer.stderr
        job = Job(self, answer.stdout.strip(), output)
        try:
            yield job
        finally:
            job.cancel()

    def batch(self, library: Library, *words: str, cwd: Path) -> Ended:
        """A job from its submission to its end."""
        with self.submitted(library, *words, cwd=cwd) as job:
            return job.ended()


class Job(NamedTuple):
    """A submitted job: its number, and the file to which it prints."""

    slurm: Slurm
    number: str
    output: Path

    def told(self, *words: str) -> str:
        """What a command of Slurm's prints, one that may be given twice.

        A controller with much to do drops a connection now and then, of which the command dies.
        """
        env = {**os.environ, **self.slurm.variables}
        for _ in range(ASKED_AT_MOST):
            answer = subprocess.run(words, env=env, capture_output=True, text=True, timeout=30)
            if answer.returncode == 0:
                return answer.stdout
            time.sleep(0.2)
        pytest.fail(f"{' '.join(words)} ends with {answer.returncode}: {answer.stderr}")

    def cancel(self) -> None:
        self.told("scancel", "--quiet", self.number)

    def ended(self, timeout: float = JOB_SECONDS) -> Ended:
        """Wait for its end; the test fails where that takes too long."""
        limit = time.monotonic() + timeout
        while time.monotonic() < limit:
            words = self.told("scontrol", "-o", "show", "job", self.number).split()
            facts = dict(word.split("=", 1) for word in words if "=" in word)
            if facts["JobState"] not in ("PENDING", "RUNNING", "COMPLETING"):
                status = int(facts["ExitCode"].split(":")[0])
                return Ended(facts["JobState"], status, self.output.read_text())
            time.sleep(0.1)
        text = self.output.read_text() if self.output.exists() else ""
        pytest.fail(f"job {self.number} has not ended in {timeout} s: {facts}\n{text[-3000:]}")

    def left(self) -> list[int]:
        """Its processes, on all nodes."""
        return slurm.processes(self.slurm.variables, self.number)


def ranks_of(text: str) -> list[dict[str, Any]]:
    """What each rank has told of itself by the program `where`, in the order of ranks."""
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def tasks_begun(directory: Path) -> int:
    """How many workers of the program `waits` are in their task."""
    return len(list(directory.glob("*.begun")))


def await_that(
    holds: Callable[[], object], what: Callable[[], str], seconds: float = CLEAN_SECONDS
) -> None:
    """Wait until something is true; the test fails with `what` where that takes too long."""
    limit = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > limit:
            pytest.fail(f"after {seconds} s {what()}")
        time.sleep(0.05)
