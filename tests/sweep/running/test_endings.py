"""Whatever ends a job on real ranks, no process of an item is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.libraries import Library
from tests.support.starting import MYSCOOP, own_session

from .test_runner import gone

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
]
ITEM = "sleep 300 & echo $$ $! $PPID > new.$$; mv new.$$ item.$$; wait"


@contextmanager
def two_items(library: Library, cwd: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A sweep of which two items run, each with a child; they write their processes' numbers."""
    words = [*MYSCOOP, "-n", "2", "simple_shell", "20", ITEM]
    with subprocess.Popen(
        words, cwd=cwd, env=own_session(words, library.env), start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def running(cwd: Path, count: int) -> list[list[int]]:
    """The numbers of so many items: of their shell, its child, and their worker."""
    until = time.monotonic() + 60
    while len(found := list(cwd.glob("item.*"))) < count:
        assert time.monotonic() < until, "the items do not start"
        time.sleep(0.02)
    return [[int(word) for word in path.read_text().split()] for path in found]


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def children(pid: int) -> set[int]:
    return {int(pid) for pid in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def all_gone(items: list[list[int]]) -> None:
    for shell, child, _ in items:
        assert gone(shell, within=30) and gone(child, within=30)


def test_a_killed_worker_and_ctrl_c(library: Library, tmp_path: Path) -> None:
    with two_items(library, tmp_path) as command:
        items = running(tmp_path, 2)
        os.kill(items[0][2], signal.SIGKILL)
        all_gone(items[:1])  # where the job goes on, it is run again
        os.killpg(command.pid, signal.SIGINT)
        command.wait(timeout=60)
        all_gone(running(tmp_path, 2))


@pytest.mark.parametrize("who", ["rank 0", "launcher"])
def test_a_killed(first_library: Library, who: str, tmp_path: Path) -> None:
    with two_items(first_library, tmp_path) as command:
        items = running(tmp_path, 2)
        supervisors = {parent(worker) for *_, worker in items}
        launcher = parent(min(supervisors))
        (rank_0,) = children(launcher) - supervisors
        os.kill({"rank 0": rank_0, "launcher": launcher}[who], signal.SIGKILL)
        command.wait(timeout=60)
        all_gone(items)
