"""What a program has left to its end, on real ranks: it runs, or the end is not held up by it."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.libraries import ROOT, Library
from tests.support.starting import MYSCOOP, start

pytestmark = [pytest.mark.ranks, pytest.mark.timeout(120)]
HERE = ROOT / "tests" / "support"
COUNT = 24  # as there

MAPS = (
    "listed", "generator", "dictionary", "items", "zipped", "globbed", "rows", "own", "unread",
    "chained", "inside", "deeper",
)  # fmt: skip
EXECUTORS = (
    "executor", "shut", "executors_map", "buffered", "pool", "pools_map", "pools_iterator",
    "executor_inside",
)  # fmt: skip
CALLBACKS = Counter({"executor": COUNT, "pool": COUNT, "pools_map": 1})


def run(
    library: Library | None, place: Path, how: str, *ways: str
) -> tuple[subprocess.CompletedProcess[str], Counter[str], float]:
    """The answer, how many tasks of each way have run, and the seconds that it took."""
    words = [str(HERE / "left.py"), str(place), how, *ways]
    command = [sys.executable] if library is None else [*MYSCOOP, "-n", "3"]
    begun = time.monotonic()
    answer = start(library or Library("none", {}), [*command, *words], cwd=place)
    names = (path.name.rpartition(" ")[0] for path in place.iterdir())
    return answer, Counter(filter(None, names)), time.monotonic() - begun


def whole(*ways: str) -> dict[str, int]:
    called = {f"callback of {way}": CALLBACKS[way] for way in ways if CALLBACKS[way]}
    return {**dict.fromkeys(ways, COUNT), **called}


def test_all_that_a_program_has_left_runs(library: Library, tmp_path: Path) -> None:
    answer, marks, _ = run(library, tmp_path, "well", *MAPS, *EXECUTORS)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert marks == whole(*MAPS, *EXECUTORS)


@pytest.mark.parametrize("how", ["0", "well"])
def test_serially_too(tmp_path: Path, how: str) -> None:
    answer, marks, _ = run(None, tmp_path, how, *MAPS, *EXECUTORS)
    assert answer.returncode == 0 and answer.stderr.count("\n") == 2, answer.stderr
    assert marks == whole(*MAPS, *EXECUTORS)


@pytest.mark.parametrize(("how", "status"), [("raises", 1), ("3", 3)])
def test_a_program_that_fails_waits_for_executors_alone(
    first_library: Library, tmp_path: Path, how: str, status: int
) -> None:
    answer, marks, _ = run(first_library, tmp_path, how, *EXECUTORS, "generator", "unread")
    assert answer.returncode == status
    assert {way: marks[way] for way in whole(*EXECUTORS)} == whole(*EXECUTORS)


def test_a_serial_program_that_fails_does_so_too(tmp_path: Path) -> None:
    answer, marks, _ = run(None, tmp_path, "raises", *EXECUTORS, "unread", "generator")
    assert answer.returncode == 1 and marks == whole(*EXECUTORS)


@pytest.mark.parametrize(("how", "status"), [("SIGTERM", 143), ("SIGINT", 130)])
def test_a_signal_waits_for_nothing(
    first_library: Library, tmp_path: Path, how: str, status: int
) -> None:
    answer, _, took = run(first_library, tmp_path, how, "napping", "unread")
    assert answer.returncode == status and took < 20, answer.stderr


def test_a_signal_ends_the_wait_at_the_end(library: Library, tmp_path: Path) -> None:
    answer, _, took = run(library, tmp_path, "later", "napping")
    assert answer.returncode == 143 and took < 20, answer.stderr


@pytest.mark.parametrize(("how", "way"), [("later", "tail"), ("well", "napping_block")])
def test_so_it_does_with_maps_and_blocks(
    first_library: Library, tmp_path: Path, how: str, way: str
) -> None:
    answer, _, took = run(first_library, tmp_path, how, way)
    assert answer.returncode == 143 and took < 20, answer.stderr


def test_nothing_holds_up_the_end_that_nobody_needs(first_library: Library, tmp_path: Path) -> None:
    answer, marks, took = run(
        first_library, tmp_path, "well", "part", "endless", "generator", "calls", "calls_inside"
    )
    assert answer.returncode == 0 and took < 20
    assert marks["generator"] == COUNT and marks["endless"] < 300
    assert marks["calls"] == marks["calls_inside"] == COUNT
    assert "something without an end" in answer.stderr and answer.stderr.count("\n") == 1


def test_no_finish_waits_for_nothing_that_nobody_reads(
    first_library: Library, tmp_path: Path
) -> None:
    words = ["-n", "3", "--no-finish", str(HERE / "left.py"), str(tmp_path), "well"]
    begun = time.monotonic()
    answer = start(
        first_library, [*MYSCOOP, *words, "napping_submit", "unread", "pool"], cwd=tmp_path
    )
    assert answer.returncode == 0 and time.monotonic() - begun < 20
    left = r"not run, as nobody has waited for it: .*a map of row.*, 1 submitted call\n"
    assert re.search(left, answer.stderr), answer.stderr
    assert len(list(tmp_path.glob("pool *"))) == COUNT, "executors are finished in any case"


FAILS = """
from scoop import futures
def fails(x):
    if x % 2:
        raise OSError("disk full")
if __name__ == "__main__":
    futures.map(fails, range(20))
    for x in range(6):
        futures.submit(fails, x)
"""


@pytest.mark.parametrize("parallel", [True, False])
def test_what_fails_unheard_is_told_in_one_line(
    first_library: Library, tmp_path: Path, parallel: bool
) -> None:
    (tmp_path / "fails.py").write_text(FAILS)
    command = [*MYSCOOP, "-n", "2"] if parallel else [sys.executable]
    answer = start(first_library, [*command, "fails.py"], cwd=tmp_path)
    assert answer.returncode == 0
    said = "10 of 20 tasks of a map of fails, whose values nobody takes, have raised; task 1: OSErr"
    assert answer.stderr.count(said) == 1, answer.stderr
    kept = "3 submitted calls, whose futures nobody has kept, have raised; call 1: OSError: disk f"
    assert answer.stderr.count(kept) == parallel, answer.stderr


def test_a_program_that_fails_says_what_has_not_run(first_library: Library, tmp_path: Path) -> None:
    answer, _, _ = run(first_library, tmp_path, "raises", "napping_submit", "unread")
    assert answer.returncode == 1
    left = r"not run, as the program has failed: .*a map of row.*, 1 submitted call\n"
    assert re.search(left, answer.stderr), answer.stderr


@pytest.mark.parametrize("parallel", [True, False])
def test_a_thread_may_read_when_the_last_line_has_run(
    first_library: Library, tmp_path: Path, parallel: bool
) -> None:
    answer, marks, _ = run(first_library if parallel else None, tmp_path, "well", "reader")
    assert (answer.returncode, answer.stdout) == (0, f"{sum(range(COUNT))}\n"), answer.stderr
    assert marks == whole("reader")


STUCK = """
import sys
from scoop import futures
def double(x): return 2 * x
if __name__ == "__main__":
    sys.modules["scoopmpi.farm.patience"].SILENT_SECONDS = 0.5
    futures.map(double, iter(int, 1))
"""


def test_a_program_that_cannot_end_says_why(first_library: Library, tmp_path: Path) -> None:
    (tmp_path / "stuck.py").write_text(STUCK)
    words = [*MYSCOOP, "-n", "2", "stuck.py"]
    process: Any = subprocess.Popen(
        words, cwd=tmp_path, env=first_library.env or None, stderr=subprocess.PIPE, text=True
    )
    try:
        line = process.stderr.readline()
        assert "the program has ended, and waits for tasks of maps" in line and "double (" in line
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode != 0
