"""`--profile`: a file for each rank, and one table whose numbers are the program's."""

from __future__ import annotations

import cProfile
import os
import pstats
import sys
import time
from pathlib import Path

import pytest

from scoopmpi.program import profiling
from tests.support.libraries import Library
from tests.support.starting import MYSCOOP, start

pytestmark = pytest.mark.timeout(120)

PROGRAM = """
from scoop import futures

def inner(x):
    return len(str(x))

def busy(x):
    return inner(x)

def fails(x):
    raise ValueError(x)

if __name__ == "__main__":
    print(sum(futures.map(busy, range(100))))
    try:
        list(futures.map(fails, [1]))
    except ValueError:
        print("caught")
"""


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "prog.py").write_text(PROGRAM)
    return tmp_path


def lines_of(table: str, name: str) -> list[list[str]]:
    rows = [line.split(maxsplit=3) for line in table.splitlines()]
    return [row for row in rows if len(row) == 4 and row[3].endswith(f" {name}")]


@pytest.mark.parametrize("way", ["scoop", "myscoop"])
def test_each_rank_writes_one_and_rank_0_merges_them(
    first_library: Library, here: Path, way: str
) -> None:
    words = [sys.executable, "-m", "scoop", "--profile"]
    if way == "myscoop":
        words = [*MYSCOOP, "--scoop-profile"]
    answer = start(first_library, [*words, "-n", "2", "prog.py"], cwd=here)
    assert (answer.returncode, answer.stdout) == (0, "190\ncaught\n"), answer.stderr
    directory = here / "profile"
    files = ["rank-0.prof", "rank-1.prof", "rank-2.prof", "summary.txt"]
    assert sorted(path.name for path in directory.iterdir()) == files
    summary = (directory / "summary.txt").read_text()
    program, _, everything = summary.partition("Everything")
    for name, calls in (("busy", "100"), ("inner", "100"), ("fails", "1")):
        ((counted, *_, place),) = lines_of(program, name)
        assert counted == calls and place.startswith("prog.py:")
    assert "scoopmpi/worker/worker.py" in everything and "scoopmpi/worker/worker.py" not in program
    assert "Profile of 3 of 3 ranks" in answer.stderr
    assert str(directory / "summary.txt") in answer.stderr
    assert lines_of(answer.stderr, "busy")
    ranks = [pstats.Stats(str(directory / name)) for name in files[:3]]
    assert all(getattr(stats, "total_calls") for stats in ranks)  # noqa: B009


def test_a_program_on_rank_0_alone(first_library: Library, here: Path) -> None:
    (here / "prog.py").write_text(
        "def alone():\n    pass\nif __name__ == '__main__':\n    alone()\n"
    )
    answer = start(first_library, [*MYSCOOP, "--scoop-profile", "-n", "1", "prog.py"], cwd=here)
    assert lines_of(answer.stderr, "alone"), answer.stderr


def test_a_program_that_fails_and_moves_has_a_profile_too(
    first_library: Library, here: Path
) -> None:
    text = "import os, sys\nos.chdir('/')\nif __name__ == '__main__':\n    sys.exit(7)\n"
    (here / "prog.py").write_text(text)
    answer = start(first_library, [*MYSCOOP, "--scoop-profile", "-n", "1", "prog.py"], cwd=here)
    assert "Profile of 2 of 2 ranks" in answer.stderr
    assert (here / "profile" / "rank-1.prof").exists() and answer.returncode == 7


def test_a_worker_that_is_left_in_a_task_has_a_profile_too(library: Library, here: Path) -> None:
    text = (
        "import time\nfrom scoop import futures\n"
        "def nap():\n    time.sleep(100)\n"
        "if __name__ == '__main__':\n    futures.submit(nap)\n    time.sleep(0.5)\n"
    )
    (here / "prog.py").write_text(text)
    begun = time.monotonic()
    words = ["--scoop-profile", "--no-finish", "-n", "1", "prog.py"]
    answer = start(library, [*MYSCOOP, *words], cwd=here)
    assert time.monotonic() - begun < 30 and answer.returncode == 0
    assert "Profile of 2 of 2 ranks" in answer.stderr
    assert lines_of((here / "profile" / "summary.txt").read_text(), "nap")


NESTED = """
from scoop import futures

def leaf(x):
    return x

def branch(x):
    return sum(futures.map(leaf, range(x)))

if __name__ == "__main__":
    print(sum(futures.map(branch, range(20))))
"""


def test_tasks_that_wait_for_their_own_tasks(first_library: Library, here: Path) -> None:
    """They are suspended in the middle, which a profile must survive."""
    (here / "prog.py").write_text(NESTED)
    answer = start(first_library, [*MYSCOOP, "--scoop-profile", "-n", "2", "prog.py"], cwd=here)
    assert (answer.returncode, answer.stdout) == (0, "1140\n"), answer.stderr
    program = (here / "profile" / "summary.txt").read_text().partition("Everything")[0]
    assert [row[0] for row in lines_of(program, "leaf")] == ["190"]
    assert [row[0] for row in lines_of(program, "branch")] == ["20"]


def test_a_program_runs_where_no_profile_can_be_written(first_library: Library, here: Path) -> None:
    (here / "profile").write_text("a file of the user's")
    answer = start(first_library, [*MYSCOOP, "--scoop-profile", "-n", "1", "prog.py"], cwd=here)
    assert (answer.returncode, answer.stdout) == (0, "190\ncaught\n"), answer.stderr
    assert answer.stderr.count("no profile of rank 0: ") == 1


# Without MPI.


def profiled(path: Path, calls: int) -> None:
    profile = cProfile.Profile()
    for _ in range(calls):
        profile.runcall(os.getpid)
    profile.dump_stats(path)


def test_ranks_without_a_file_are_named(tmp_path: Path) -> None:
    profiled(tmp_path / "rank-0.prof", 2)
    profiled(tmp_path / "rank-3.prof", 3)
    (tmp_path / "rank-1.prof").write_bytes(b"cut off")
    (tmp_path / "rank-2.prof").write_bytes(b"")
    said = profiling.summarise(tmp_path, 4)
    assert "Profile of 2 of 4 ranks" in said
    assert "No file of rank 1, 2:" in said
    everything = (tmp_path / "summary.txt").read_text().partition("Everything")[2]
    assert "5 " in next(line for line in everything.splitlines() if "getpid" in line)


def test_no_file_at_all_is_no_table(tmp_path: Path) -> None:
    assert profiling.summarise(tmp_path, 3) == "No rank has left a profile."
    assert not (tmp_path / "summary.txt").exists()


def test_files_of_an_earlier_run_are_not_merged(tmp_path: Path) -> None:
    profiled(tmp_path / "rank-7.prof", 1)
    (tmp_path / "mine.prof").write_text("of the user")
    rank_0 = profiling.RankProfile(0, tmp_path)
    assert rank_0.write()
    assert not rank_0.write()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.prof", "rank-0.prof"]
