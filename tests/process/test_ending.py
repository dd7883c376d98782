"""How ranks end: in Python's order, within limits, with nothing left behind; and pools in tasks."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support import endings
from tests.support.libraries import Library, survives
from tests.support.starting import MYSCOOP, start

pytestmark = [pytest.mark.ranks, pytest.mark.timeout(150)]

PROGRAM = str(Path(endings.__file__).resolve())
USES = ["executes:fork", "executes:spawn", "executes:forkserver", "pools:fork", "pools:spawn"]
USES += ["threads:", "manages:", "joblib:loky"]
WITHIN = 30.0
"""Seconds; the limits of a worker's end are 5 each, and the machine may be busy."""


class Ended:
    """A run of the program: what came of it, and what is still running."""

    def __init__(
        self,
        library: Library,
        *words: str,
        workers: int = 3,
        program: str = PROGRAM,
        options: Sequence[str] = (),
    ) -> None:
        self.mark = f"{300 + os.getpid() % 1000}.{time.monotonic_ns() % 10**9:09d}"
        env = {**library.env, "SLEEP": self.mark}
        command = [*MYSCOOP, "-n", str(workers), *options, program, *words]
        begun = time.monotonic()
        self.answer = start(Library(library.name, env), command, timeout=2 * WITHIN)
        self.seconds = time.monotonic() - begun
        self.said = [
            line for line in self.answer.stderr.splitlines() if line.startswith("scoopmpi:")
        ]

    def went_well(self) -> None:
        assert self.answer.returncode == 0, self.answer.stderr[-3000:]
        assert self.answer.stdout.endswith("done\n"), self.answer.stdout
        assert self.seconds < WITHIN
        assert not self.left()

    def left(self) -> list[str]:
        """Processes that have the mark in their command or environment, and are not seen to end."""
        for _ in range(20):
            found = [path for path in Path("/proc").glob("[0-9]*") if self._marked(path)]
            if not found:
                return []
            time.sleep(0.1)
        return [(path / "cmdline").read_text(errors="replace") for path in found]

    def _marked(self, path: Path) -> bool:
        mark = self.mark.encode()
        try:
            return any(mark in (path / name).read_bytes() for name in ("cmdline", "environ"))
        except OSError:
            return False


def test_pools_that_tasks_leave_open_work_and_end_without_a_word(library: Library) -> None:
    ended = Ended(library, "uses", *USES, workers=2)
    ended.went_well()
    assert ended.answer.stdout.split() == [*USES, "done"]
    assert not ended.said


def test_pools_know_the_functions_of_a_package(first_library: Library, tmp_path: Path) -> None:
    """Run as `python -m package`; spawn does not import such a program under Python either."""
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").touch()
    shutil.copy(PROGRAM, package / "__main__.py")
    env = {**first_library.env, "PYTHONPATH": str(tmp_path)}
    uses = ["executes:fork", "joblib:loky"]
    ended = Ended(Library("", env), "uses", *uses, workers=1, program="package")
    ended.went_well()
    assert ended.answer.stdout.split() == [*uses, "done"]


def test_what_tasks_leave_running_is_ended_and_named(library: Library) -> None:
    kinds = ["thread", "process", "busy pool", "subprocess", "orphan", "fork", "session", "atexit"]
    ended = Ended(library, "leaves", *kinds, workers=len(kinds) // 2)
    ended.went_well()
    said = "\n".join(ended.said)
    assert re.search(r"worker \d on \S+: .*threads .*forgotten", said), said
    assert re.search(r"worker \d on \S+: exit functions", said), said
    assert re.search(rf"worker \d on \S+: .*\d+ \(sleep {ended.mark}\)", said), said
    assert re.search(r"worker \d on \S+: .*\d+ \(\S*python", said), said


def test_what_the_program_leaves_running_is_ended_and_named(library: Library) -> None:
    ended = Ended(library, "rank 0 leaves", "subprocess", "orphan", "fork", "session")
    ended.went_well()
    assert len(ended.said) == 1 and "rank 0: " in ended.said[0], ended.said
    assert ended.said[0].count(f"(sleep {ended.mark})") == 3
    assert "endings.py" in ended.said[0]


def test_what_is_started_to_outlive_the_job_does(first_library: Library) -> None:
    ended = Ended(first_library, "deliberate")
    pids = [int(word) for word in ended.answer.stdout.split()[:2]]
    for pid in pids:
        assert Path(f"/proc/{pid}/comm").read_text() == "sleep\n"
        os.kill(pid, signal.SIGKILL)
    assert ended.answer.returncode == 0 and not ended.said


def test_a_job_that_ends_inside_a_task_ends_its_pool_too(library: Library) -> None:
    ended = Ended(library, "busy", options=("--no-finish",))
    ended.went_well()
    assert len(ended.said) == 1 and "not run, as nobody has waited for it" in ended.said[0]


def test_the_pool_of_a_killed_worker_ends_too(library: Library, tmp_path: Path) -> None:
    ended = Ended(library, "dies with a pool", str(tmp_path / "mark"))
    if survives(library):
        ended.went_well()
    else:
        assert ended.answer.returncode != 0
        assert not ended.left()


def test_what_tasks_have_started_ends_with_a_killed_rank_0(library: Library) -> None:
    ended = Ended(library, "rank 0 dies")
    assert ended.answer.returncode != 0
    assert not ended.left()
    assert ended.seconds < WITHIN


def test_a_worker_ends_in_the_order_of_python(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "ends"
    ended = Ended(library, "in_order", str(path))
    ended.went_well()
    assert path.read_text() == "before threads\nthread\natexit\n"
    assert Path(f"{path}.open").read_text() == "not closed by anybody"
    assert not ended.said


@pytest.mark.parametrize("what", ["hangs_in_mpi", "interpreter"])
def test_a_worker_that_hangs_at_its_end_is_ended(first_library: Library, what: str) -> None:
    words = [what] if what in vars(endings) else ["leaves", what]
    ended = Ended(first_library, *words)
    ended.went_well()
    assert len(ended.said) == (what == "interpreter"), ended.said  # MPI's end is nobody's business


def test_whoever_is_killed_in_mpis_end_the_others_say_nothing(library: Library) -> None:
    ended = Ended(library, "dies_in_mpi")
    err = ended.answer.stderr
    assert "Traceback" not in err and "error code" not in err, err
    assert len(ended.said) == 1 and "while it ended, after its last task" in ended.said[0]
    if survives(library):
        ended.went_well()
    assert not ended.left()
    assert ended.seconds < WITHIN


def test_a_fuse_ends_a_process_that_holds_the_interpreter() -> None:
    code = (
        "import ctypes; from scoopmpi.process import fuse;"
        "fuse.light(0.5, 7); ctypes.PyDLL(None).sleep(60)"
    )
    begun = time.monotonic()
    ended = subprocess.run([sys.executable, "-c", code], timeout=30)
    assert ended.returncode == 7
    assert time.monotonic() - begun >= 0.5
