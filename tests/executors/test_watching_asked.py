"""Executors are watched as a job is: readers come with the executor, and end with it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from scoopmpi import MPICommExecutor, MPIExecutor, Pool
from scoopmpi.executors import watching_files
from scoopmpi.executors.watching_asked import Asked
from scoopmpi.process import identity
from scoopmpi.process.named_files import NameProblem
from scoopmpi.tasks import current_executor
from scoopmpi.watching.observer import Observer
from scoopmpi.watching.trace.reading import Trace
from tests.support.libraries import Library
from tests.support.link import Ranks
from tests.support.starting import start_ranks

pytestmark = pytest.mark.timeout(60)


class OneRank:
    """A communicator without others, and without MPI."""

    rank, size = 0, 1

    def Is_inter(self) -> bool:
        return False


KINDS = [MPIExecutor, Pool, partial(MPICommExecutor, OneRank())]


class Hears(Observer):
    """Notes the tasks that were assigned, what maps say of a bar, and its end."""

    def __init__(self) -> None:
        self.tasks = self.ends = 0
        self.progress: list[bool | str | None] = []

    def job_begun(
        self, job: int, kind: str, name: str, size: int | None, progress: bool | str | None
    ) -> None:
        self.progress += [progress] if kind == "map" else []

    def tasks_assigned(self, job: int, worker: int, start: int, tasks: int, attempt: int) -> None:
        self.tasks += tasks

    def farm_closed(self, status: int) -> None:
        self.ends += 1


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Hears]:
    """The readers that were opened: one for each argument, but none where one cannot write."""
    found: list[Hears] = []

    def readers(self: Asked) -> Iterator[Observer]:
        for name, value in self._asdict().items():
            if value == "full":
                raise NameProblem(f"{name} full cannot be written: it is full")
            if value and name != "progress":
                found.append(Hears())
                yield found[-1]

    monkeypatch.setattr(Asked, "_readers", readers)
    return found


@pytest.fixture
def ranks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ranks]:
    """A farm in memory, as the program's own."""
    monkeypatch.setattr(identity.this, "started", True)
    found = Ranks(2, 1)
    current_executor.install(found.executor)
    yield found
    current_executor.install(None)


def square(x: int) -> int:
    return x * x


@pytest.mark.parametrize("kind", KINDS)
def test_readers_hear_what_happens_while_an_executor_lives(
    kind: Any, ranks: Ranks, opened: list[Hears], tmp_path: Path
) -> None:
    before = MPIExecutor()
    assert list(before.map(square, range(10))) == [x * x for x in range(10)]
    with kind(trace=tmp_path / "t.json", status="s.json") as executor:
        assert list(executor.map(square, range(20))) == [x * x for x in range(20)]
        assert before.submit(square, 3).result() == 9  # the whole farm is watched
        assert [each.ends for each in opened] == [0, 0]
    assert [each.ends for each in opened] == [1, 1]
    heard = [each.tasks for each in opened]
    assert heard[0] >= 21
    assert list(before.map(square, range(10))) == [x * x for x in range(10)]
    ranks.settle()
    assert [each.tasks for each in opened] == heard


@pytest.mark.parametrize("kind", KINDS)
def test_a_bar_is_wanted_of_the_maps_of_an_executor(
    kind: Any, ranks: Ranks, opened: list[Hears]
) -> None:
    with kind(trace="t.json", progress="steps") as executor:
        list(executor.map(square, range(3)))
        list(executor.map(square, range(3), progress=False))
        list(MPIExecutor().map(square, range(3)))
    assert opened[0].progress == ["steps", False, None]


def test_an_executor_that_is_not_waited_for_is_watched_to_the_end(
    ranks: Ranks, opened: list[Hears]
) -> None:
    executor = MPIExecutor(report="r.html")
    executor.shutdown(wait=False)
    assert opened[0].ends == 0
    executor.shutdown()
    executor.shutdown()
    assert opened[0].ends == 1


def test_nobody_asks_for_the_end_of_the_job_when_an_executor_has_ended(
    ranks: Ranks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    before = set(threading.enumerate())
    for _ in range(3):
        with MPIExecutor(status=tmp_path / "s.json") as executor:
            assert executor.submit(square, 3).result() == 9
    until = time.monotonic() + 20
    while set(threading.enumerate()) - before and time.monotonic() < until:
        time.sleep(0.02)
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("kind", KINDS)
def test_what_cannot_be_written_raises_and_leaves_nothing_open(
    kind: Any, ranks: Ranks, opened: list[Hears]
) -> None:
    with (
        pytest.raises(ValueError, match=r"report full cannot be written: it is full"),
        kind(trace="t.json", report="full"),
    ):
        pass  # pragma: no cover
    assert [each.ends for each in opened] == [1]
    assert MPIExecutor().submit(square, 3).result() == 9
    assert opened[0].tasks == 0


@pytest.mark.parametrize("argument", ["status", "trace", "report", "progress"])
@pytest.mark.parametrize("kind", KINDS)
def test_wrong_types_are_named(kind: Any, argument: str) -> None:
    with pytest.raises(TypeError, match=f"{argument} is 3.5, it must be "):
        kind(**{argument: 3.5})
    if argument != "progress":
        with pytest.raises(TypeError, match=f"{argument} is b'x', it must be the name of a file"):
            kind(**{argument: b"x"})


def test_where_there_is_no_farm_a_warning_says_so_once(
    opened: list[Hears], recwarn: pytest.WarningsRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity.this, "_told", set())
    monkeypatch.setattr(identity.this, "_warned", True)
    for _ in range(2):
        with MPIExecutor(trace="t.json", progress=True) as executor:
            assert list(executor.map(square, [2])) == [4]
    with MPICommExecutor(OneRank(), status="s.json") as executor:
        assert executor is not None and list(executor.map(square, [2])) == [4]
    said = [each for each in recwarn if "changes nothing here" in str(each.message)]
    assert [str(each.message).split(" changes")[0] for each in said] == [
        "trace='t.json'", "status='s.json'",
    ]  # fmt: skip
    assert {each.filename for each in said} == {__file__}
    assert opened == [] and "only a farm is watched" in str(said[0].message)


OWN_MPI_PROGRAM = """
import time
from mpi4py import MPI
from scoopmpi import MPICommExecutor, Pool

def waits(number):
    time.sleep(0.04)
    return number

files = {"status": "s.json", "trace": "t.json", "report": "r.html"}
with MPICommExecutor(**files, progress="steps") as executor:
    if executor is not None:
        print(sum(executor.map(waits, range(120))))
try:
    with MPICommExecutor(trace="no/t.json") as executor:
        pass
    print("goes on\\n", end="")  # in one write, as two ranks do so at once
except ValueError as problem:
    print(problem)
with MPICommExecutor(MPI.COMM_WORLD, 1) as executor:
    if executor is not None:
        with Pool(trace="pool.json") as pool:
            print(sum(pool.map(waits, range(20))))
"""


def test_an_mpi_program_of_the_users_own_is_watched(first_library: Library, tmp_path: Path) -> None:
    """Its ranks are told by the root; nothing but that is asked of them."""
    (tmp_path / "prog.py").write_text(OWN_MPI_PROGRAM)
    done = start_ranks(first_library, 3, ["prog.py"], tmp_path)
    assert done.returncode == 0, done.stderr
    lines = sorted(line.partition(f"{tmp_path}/")[::2] for line in done.stdout.splitlines())
    assert lines == [
        ("190", ""), ("7140", ""), ("goes on", ""), ("goes on", ""),
        ("trace ", "no/t.json cannot be written: No such file or directory"),
    ]  # fmt: skip
    assert "120 of 120 done" in done.stderr, done.stderr
    for name, tasks in (("t.json", 120), ("pool.json", 20)):
        trace = Trace(str(tmp_path / name))
        busy = {(each["pid"], each["tid"]) for each in trace.events() if each["ph"] == "X"}
        assert len(busy) == 2 and trace.end is not None
        assert trace.end["functions"]["waits"]["tasks"] == tasks
    assert json.loads((tmp_path / "s.json").read_text())["tasks"]["done"] == 120
    assert "waits" in (tmp_path / "r.html").read_text()


def test_two_readers_never_write_the_same_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("a")
    files = watching_files.Files(status=str(tmp_path / "a"), report=str(tmp_path / "link"))
    run = watching_files.WatchedRun(["x"], lambda: "MPI", lambda: pytest.fail("nothing is opened"))
    with pytest.raises(NameProblem, match=r"^--status and --report are the same file: /.*link$"):
        list(watching_files.opened(files, run, called="--{}"))
    assert not (tmp_path / "a").exists()
