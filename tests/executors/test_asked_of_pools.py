"""What programs ask of pools that a farm does not do: a warning at their own line, once."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from scoopmpi import MPIExecutor, Pool
from scoopmpi.executors import asked_of_pools
from scoopmpi.process import identity
from tests.support.libraries import Library
from tests.support.starting import MYSCOOP, start

pytestmark = pytest.mark.timeout(60)


class Two:
    """Stands for a farm."""

    workers = 2


@pytest.fixture
def of_two(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(identity.this, "started", True)
    monkeypatch.setattr(asked_of_pools, "current", Two)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    monkeypatch.setattr(identity.this, "_told", set())
    yield


def said(recorded: pytest.WarningsRecorder) -> list[str]:
    assert all(each.filename == __file__ for each in recorded), "at the user's line"
    return [str(each.message) for each in recorded]


def test_more_workers_than_there_are(of_two: None, recwarn: pytest.WarningsRecorder) -> None:
    for _ in range(3):
        Pool(8)
    Pool(processes=9)
    MPIExecutor(max_workers=5)
    assert said(recwarn) == [
        "processes=8 changes nothing: all 2 workers run the tasks. To start more: myscoop -n 8",
        "max_workers=5 changes nothing: all 2 workers run the tasks. To start more: myscoop -n 5",
    ]


def test_fewer_than_there_are_may_matter(
    of_two: None, recwarn: pytest.WarningsRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A licence for one, say. But who asks for all cores of a host means all there are."""
    Pool(1)
    assert not said(recwarn)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    Pool(2)
    assert not said(recwarn)
    Pool(1)
    assert said(recwarn) == [
        "processes=1 changes nothing: all 2 workers run the tasks. To start fewer: myscoop -n 1"
    ]


def test_nothing_is_said_where_no_farm_is(recwarn: pytest.WarningsRecorder) -> None:
    """There is another warning then: the program was not started by scoopmpi."""
    identity.this._told.clear()
    Pool(8)
    assert not said(recwarn)


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("max_tasks_per_child", 1, "workers stay for all tasks; what leaks may run in a process"),
        ("wdir", "/tmp", "the workers run already; let an initializer= go there"),
        ("python_exe", "python", "the workers run already; start them with it: "),
        ("mpi_info", {"host": "a"}, "the workers run already; myscoop or mpirun has chosen"),
        ("thread_name_prefix", "mine", None),
        ("env", None, None),
    ],
)
def test_keywords_that_tasks_would_miss(
    of_two: None, recwarn: pytest.WarningsRecorder, name: str, value: object, remedy: str | None
) -> None:
    for _ in range(2):
        MPIExecutor(**{name: value})  # type: ignore[arg-type]
    found = said(recwarn)
    assert len(found) == (remedy is not None)
    assert all(remedy in text and text.startswith(f"{name}=") for text in found if remedy)


PROGRAM = """
import time
from mpi4py.futures import MPIPoolExecutor
from scoopmpi import Pool, futures

def in_task(x):
    with Pool(7, maxtasksperchild=1) as pool:
        return sum(pool.map(abs, [x, -x]))

if __name__ == "__main__":
    pool = Pool(8)                          # line 11
    pool = Pool(maxtasksperchild=1)         # line 12
    with Pool() as pool:                    # line 13
        pool.map_async(time.sleep, [0.2] * 20)
    MPIPoolExecutor(1)                      # line 15
    print(list(futures.map(in_task, range(4))))
"""


@pytest.mark.ranks
def test_a_program_is_told_once_and_at_its_lines(first_library: Library, tmp_path: Path) -> None:
    (tmp_path / "asks.py").write_text(PROGRAM)
    answer = start(first_library, [*MYSCOOP, "-n", "2", "asks.py"], cwd=tmp_path)
    assert (answer.returncode, answer.stdout) == (0, "[0, 2, 4, 6]\n"), answer.stderr
    found = re.findall(r"asks.py:(\d+): RuntimeWarning: (\S+)", answer.stderr)
    assert found == [
        ("11", "processes=8"), ("12", "maxtasksperchild=1"), ("13", "the"),
        ("15", "mpi4py.futures.MPIPoolExecutor"),
    ]  # fmt: skip
    assert "2 workers of this farm" in answer.stderr
    assert "from scoopmpi import MPIExecutor as MPIPoolExecutor" in answer.stderr
