"""--debug-task: which task is meant, what runs of the program, and what a person sees of it."""

from __future__ import annotations

import contextlib
import itertools
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scoopmpi import futures, task
from scoopmpi.executors import debug_task
from scoopmpi.executors.debug_task import DebugSerial, DebugTask
from scoopmpi.process import identity
from scoopmpi.program import scoop_options
from scoopmpi.tasks import current_executor
from scoopmpi.tasks.serial import SerialExecutor
from tests.support.libraries import Library
from tests.support.starting import MYSCOOP, start
from tests.support.terminals import at_a_terminal

PROGRAM = """
import sys
from scoopmpi import futures

def halve(x):
    if x == 3:
        breakpoint()
    return x / 2

def fit(x, y):
    total = x + y
    return 1 / (total - 6)

if __name__ == "__main__":
    if "stop" in sys.argv:
        name = "the program"
        breakpoint()
        print("went on")
        sys.exit(5)
    print(sum(futures.map(halve, range(3))))
    print(list(futures.map(fit, range(5), range(5))))
    print(list(futures.map(halve, range(5))))
"""


def fit(x: int, y: int = 0) -> tuple[int, int]:
    return x, y


def other(x: int) -> int:
    return -x


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What has run as the task that is debugged, where nobody can be asked."""
    calls: list[Any] = []
    monkeypatch.setattr(debug_task, "can_be_asked", lambda: False)
    monkeypatch.setattr(
        debug_task, "_call", lambda fn, *args, **kwargs: calls.append((fn, args, kwargs))
    )
    return calls


def generated(count: int) -> Iterator[int]:
    yield from range(count)


@pytest.mark.parametrize(
    ("asked", "iterables", "row"),
    [
        ("3", [range(5)], (3,)),
        ("3", [range(10**20), [7, 8, 9, 10]], (3, 10)),
        ("fit:3", [itertools.count(10)], (13,)),
        ("2:3", [generated(4), "abcdef"], (3, "d")),
    ],
)
def test_the_task_is_found_in_its_map(
    ran: list[Any], asked: str, iterables: list[Iterable[Any]], row: tuple[Any, ...]
) -> None:
    debugged = DebugTask(asked)
    assert list(debugged.map(other, [generated(3)])[0]) == [
        0,
        1,
        2,
    ]  # too short, and still to be read
    assert ran == []
    with pytest.raises(SystemExit) as ended:
        debugged.map(fit, iterables)
    assert ended.value.code == 0
    assert ran == [(fit, row, {})]


@pytest.mark.parametrize(
    ("asked", "iterables", "values"),
    [
        ("other:1", [range(2)], [(0, 0), (1, 0)]),
        ("it:1", [range(2)], [(0, 0), (1, 0)]),
        ("2:1", [range(2)], [(0, 0), (1, 0)]),
        ("calls:1", [range(2)], [(0, 0), (1, 0)]),
        ("2", [range(2)], [(0, 0), (1, 0)]),
        ("2", [generated(2)], [(0, 0), (1, 0)]),
        ("2", [range(9), generated(2)], [(0, 0), (1, 1)]),
        ("1", [[]], []),
        ("1", [iter(())], []),
    ],
)
def test_other_maps_run_as_ever(
    ran: list[Any],
    asked: str,
    iterables: list[Iterable[Any]],
    values: list[tuple[int, int]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    executor = DebugSerial()
    executor.task = DebugTask(asked)
    assert list(executor.map(fit, *iterables)) == values
    assert ran == []
    executor.finish()
    executor.finish()
    message = (
        f"--debug-task {asked}: no such task came; the program had 1 map and 0 submitted calls"
    )
    assert capsys.readouterr().err.count(message) == 1


@pytest.mark.parametrize("asked", ["calls:1", "0:1"])
def test_submitted_calls_are_counted_from_0_on(ran: list[Any], asked: str) -> None:
    executor = DebugSerial()
    executor.task = DebugTask(asked)
    assert executor.submit(fit, 1, y=2).result() == (1, 2)
    with pytest.raises(SystemExit):
        executor.call(fit, (3,), {"y": 4}, 5)
    assert ran == [(fit, (3,), {"y": 4})]
    assert executor.submit(fit, 5).result() == (5, 0)  # the program has caught SystemExit


def who(x: int) -> tuple[Any, ...]:
    return x, task.index, task.job, task.random().random(), list(futures.map(inner, [0]))


def inner(x: int) -> tuple[Any, ...]:
    return task.index, task.random().random()


def test_the_task_is_who_it_would_be(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its place and random numbers, and those of the tasks that it makes."""
    monkeypatch.setattr(debug_task, "can_be_asked", lambda: False)
    monkeypatch.setattr(identity.this, "started", True)
    expected, found = [], []
    for executor, values in ((SerialExecutor(), expected), (DebugSerial(), found)):
        task.seed(5)
        monkeypatch.setattr(current_executor, "_current", executor)
        if isinstance(executor, DebugSerial):
            executor.task = DebugTask("2:3")
            monkeypatch.setattr(debug_task, "_call", lambda fn, *row: found.append(fn(*row)))
        with contextlib.suppress(SystemExit):
            list(executor.map(who, range(5)))
            values += list(executor.map(who, range(5)))
    assert found == expected[3:4]
    assert "task 3 has returned None" in capsys.readouterr().err


@pytest.mark.parametrize("asked", ["", "x", "-1", "fit:", "fit:-1", "1:x", ":", ":3"])
def test_what_is_no_task_is_refused(asked: str) -> None:
    with pytest.raises(scoop_options.UsageError, match="is no task: it may be an index"):
        scoop_options.parse(["--debug-task", asked, "prog.py"])


def test_it_reaches_the_ranks() -> None:
    options = scoop_options.parse(["--debug-task", "a.b:17", "prog.py"])
    assert scoop_options.for_ranks(options) == ("--debug-task", "a.b:17")


# As a user sees it.

pty = pytest.mark.skipif(sys.platform != "linux", reason="the line to rank 0 is Linux's")


@pytest.fixture
def program(tmp_path: Path) -> str:
    path = tmp_path / "fits.py"
    path.write_text(PROGRAM)
    return str(path)


@pty
def test_at_a_terminal_a_task_that_fails_can_be_looked_at(
    first_library: Library, program: str
) -> None:
    words = [*MYSCOOP, "-n", "2", "--debug-task", "fit:3", program]
    script = [
        (b"(Pdb) ", b"next\n"),
        (b"(Pdb) ", b"print('total is', total)\n"),
        (b"total is 6", b"continue\n"),
        (b"ZeroDivisionError", b""),
        (b"(Pdb) ", b"print('raised by', x, y)\n"),
        (b"raised by 3 3", b"q\n"),
        (b"task 3 has raised ZeroDivisionError", b""),
    ]
    seen = at_a_terminal(words, first_library.env, script)
    assert seen.startswith(b"1.5\r\n")
    assert seen.endswith(b"<1>")


@pty
def test_breakpoint_in_the_program_is_pdb_where_there_is_a_terminal(
    first_library: Library, program: str
) -> None:
    words = [*MYSCOOP, "-n", "2", program, "stop"]
    script = [(b"(Pdb) ", b"p naxx\x7f\x7fme\n"), (b"'the program'", b"c\n")]
    seen = at_a_terminal(words, first_library.env, script)
    assert seen.endswith(b"went on\r\n<5>")


def test_breakpoint_without_a_terminal_says_where_there_is_one(
    first_library: Library, program: str
) -> None:
    """In a task that is debugged, and in the program; stdin is /dev/null, as in a batch job."""
    done = start(first_library, [*MYSCOOP, "-n", "2", "--debug-task", "1:2", program])
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "task 2 has returned 1.0. --debug-task runs one task" in done.stderr
    done = start(first_library, [*MYSCOOP, "-n", "2", program, "stop"])
    assert done.returncode == 1
    assert "RuntimeError: breakpoint() in the program: there is no terminal." in done.stderr
