"""Tasks that take too long, on real ranks: what a worker survives, and what costs it."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from tests.support.libraries import Library, libraries, survives
from tests.support.starting import MYSCOOP, start

pytestmark = pytest.mark.timeout(90)
PROGRAM = """
import os, signal, sys, time
from scoopmpi import TaskTimeout, WorkerLost, futures


def nap(x):
    time.sleep(x)
    return x


def waits_for_its_own(x):
    values = list(futures.map(nap, [0.2] * 8))
    try:
        list(futures.map(nap, [0, 60], task_timeout=0.3))
    except TimeoutError as error:
        return sum(values) > 1.5, type(error) is TaskTimeout


def holds_on(how):
    if how == "interpreter":
        sum(range(10**12))
    if how == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    if how == "defies":
        while True:
            try:
                time.sleep(60)
            except TimeoutError:
                pass
    return how


def shown(work):
    begun = time.monotonic()
    try:
        found = list(work())
    except (TimeoutError, WorkerLost) as error:
        found = type(error).__name__, error.index, error.function, error.seconds, str(error)
    print(*found, time.monotonic() - begun < 10, sep="|", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "python":
        shown(lambda: futures.map(nap, [0, 60, 0], task_timeout=0.5))
        shown(lambda: [futures.submit(nap, 60, task_timeout=0.5).result()])
        shown(lambda: futures.submit(waits_for_its_own, 0).result())
        shown(lambda: futures.map(nap, [0, 60]))
        shown(lambda: futures.map(nap, [1.3], task_timeout=float("inf")))
    else:
        shown(lambda: [futures.submit(holds_on, sys.argv[1]).result()])
    print(futures.submit(abs, -42).result())
"""


def run(library: Library, place: Path, workers: int, what: str, limit: str) -> tuple[str, str, int]:
    (place / "late.py").write_text(PROGRAM)
    words = [*MYSCOOP, "-n", str(workers), "--task-timeout", limit, "late.py", what]
    done = start(library, words, cwd=place, timeout=40)
    return done.stdout, done.stderr, done.returncode


@pytest.mark.parametrize("library", libraries()[:1], ids=lambda library: library.name)
def test_python_tasks_are_stopped_and_their_worker_lives(library: Library, tmp_path: Path) -> None:
    """On one worker, so that a task which waits for its own has them on its own stack."""
    out, err, status = run(library, tmp_path, 1, "python", "1")
    assert status == 0, err
    lines = out.splitlines()
    place = r"took longer than its task_timeout of 0\.5 s on worker 1 \(.+\)\|True"
    assert re.fullmatch(rf"TaskTimeout\|1\|nap\|0\.5\|nap\(60\), task 1, {place}", lines[0]), out
    call = r"submitted call nap\(60\)"
    assert re.fullmatch(rf"TaskTimeout\|\d\|nap\|0\.5\|{call} {place}", lines[1]), out
    assert lines[2] == "True|True|True"
    assert lines[3].startswith("TaskTimeout|1|nap|1.0|nap(60), task 1, took")
    assert lines[4:] == ["1.3|True", "42"]
    assert "worker" not in err


CASES = [
    *(pytest.param(library, "interpreter", id=f"interpreter-{library.name}")
      for library in libraries()),
    # What kills these knows nothing of MPI: one library shows it.
    *(pytest.param(library, how, id=f"{how}-{library.name}")
      for library in libraries()[:1] for how in ("stop", "defies")),
]  # fmt: skip


@pytest.mark.parametrize(("library", "how"), CASES)
def test_what_does_not_react_costs_its_worker_once(
    library: Library, tmp_path: Path, how: str
) -> None:
    """Under an MPI that survives it the call fails the first time, whatever --retries says."""
    begun = time.monotonic()
    out, err, status = run(library, tmp_path, 3, how, "0.5")
    said = r"worker \d on \S+ was killed, as a task had not ended 2 s after its limit of 0\.5 s, "
    assert len(re.findall(said + "while running holds_on", err)) == 1, err
    if survives(library):
        assert status == 0, err
        assert re.search(r"^TaskTimeout\|0\|.+task_timeout of 0\.5 s on worker \d", out), out
        assert out.endswith("its worker has died|True\n42\n"), out
    else:
        assert status != 0 and "while running holds_on; the job ends" in err
        assert time.monotonic() - begun < 20
