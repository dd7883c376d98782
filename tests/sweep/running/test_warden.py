"""The warden: no item outlives its worker, however that dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .test_runner import gone

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.ranks,
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
]


@contextmanager
def worker(*commands: str) -> Iterator[subprocess.Popen[str]]:
    """A process that runs commands, one after the other; they write to its stdout."""
    code = (
        "import sys\n"
        "from scoopmpi.concurrency import periods\n"
        "periods.ITEM_GRACE_SECONDS = 0.5\n"
        "from scoopmpi.programs.simple_shell import Commands\n"
        "for command in sys.argv[1:]:\n"
        "    Commands(command)(0)\n"
    )
    words = [sys.executable, "-c", code, *commands]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


SAY = "sleep 0.3; echo $! > /proc/$PPID/fd/1"


def said(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def test_a_running_item_dies_with_its_worker_and_a_finished_one_is_let_alone() -> None:
    with worker(f"sleep 60 & {SAY}", f"sleep 61 & {SAY}; wait") as process:
        finished, running = said(process), said(process)
        process.kill()
        process.wait(timeout=20)
        assert gone(running)
        assert not gone(finished, within=0.2)
        os.kill(finished, signal.SIGKILL)


def test_an_item_is_asked_to_end_before_it_is_killed(tmp_path: Path) -> None:
    saves = f"trap 'touch {tmp_path}/saved' TERM; sleep 62 & {SAY}; while :; do sleep 0.1; done"
    with worker(saves) as process:
        child = said(process)
        item = int(Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[1])
        process.kill()
        process.wait(timeout=20)
        assert gone(item)
        assert (tmp_path / "saved").exists()


def test_one_that_is_stopped_dies_too() -> None:
    with worker(f"sleep 63 & {SAY}; kill -STOP 0") as process:
        child = said(process)
        process.kill()
        process.wait(timeout=20)
        assert gone(child)


def test_nothing_is_left_of_a_worker_that_ends_by_itself() -> None:
    code = "import os; from scoopmpi.sweep.running.warden import warden; print(warden().pid)"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert gone(int(answer.stdout))
