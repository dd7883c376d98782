"""The table of faults in `docs/when-things-go-wrong.md`: each cell is what happens."""

from __future__ import annotations

import ast
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from scoopmpi.launch.commandline import launcher
from scoopmpi.launch.flavours.ranks import Ranks
from scoopmpi.launch.hosts.allocation import Host
from tests.conftest import IN_FULL, IN_PART
from tests.support.faults import WORKERS
from tests.support.libraries import ROOT, Library, libraries

PAGE = ROOT / "docs" / "when-things-go-wrong.md"
AT_ONCE = 2
LIMIT = 25.0
"""Seconds for a run. Those that end do so in 1 to 4; a busy machine may need more."""


class Column(NamedTuple):
    """How the name of its library begins, and whether it is started so that ranks may be lost."""

    library: str
    survive: bool = False


COLUMNS = {
    "Open MPI 5, by `myscoop`": Column("openmpi-5", True),
    "Open MPI 5, a `mpirun` of your own": Column("openmpi-5"),
    "Open MPI 4": Column("openmpi-4"),
    "MPICH": Column("mpich"),
    "Intel MPI": Column("impi"),
}


class Row(NamedTuple):
    """What `faults.py` is to do, what stderr has to say of it, and a signal to mpirun.

    elsewhere: the test that shows it with each library, by `myscoop`.
    """

    fault: str
    said: str = ""
    number: int = 0
    elsewhere: str = ""


HARMLESS = ("raises", "hoards", "late", "stopped")
"""Nobody is lost by these: one run shows them all."""
KILLED = r"worker \d on \S+ was killed by SIGKILL \(.*\) "
SIGNALS = "tests/ranks/test_commands.py::test_a_signal_ends_all_ranks_within_two_seconds"
STUCK = "tests/tasks/test_task_timeout_ranks.py::test_what_does_not_react_costs_its_worker_once"
ROWS = {
    "a task raises": Row("raises"),
    "a task wants more memory than a limit allows (`ulimit -v`)": Row("hoards"),
    "a task takes longer than its `task_timeout`": Row("late"),
    "so does one that is stuck in C code": Row("stuck", "while running stuck", elsewhere=STUCK),
    "a worker is stopped (`SIGSTOP`) for a while": Row("stopped"),
    "a worker is killed while it runs a task, with more tasks waiting there": Row(
        "busy", KILLED + "while running dies_at_100"
    ),
    "a worker is killed that has nothing to do": Row("idle", KILLED),
    "a worker is killed whose task waits for its nested tasks": Row("parent", KILLED),
    "a task crashes in C code, wherever it runs": Row(
        "crashes", r"worker \d on \S+ was killed by SIGSEGV while running crashes"
    ),
    "a task calls `os._exit`, wherever it runs": Row(
        "leaves", r"worker \d on \S+ ended with exit status 5 while running leaves"
    ),
    "a worker is killed while it imports the program": Row(
        "importing", KILLED + "before its first task"
    ),
    "a worker is killed while it starts, before all ranks know each other": Row(
        "starting", KILLED + "before its first task; the job ends"
    ),
    "a worker is killed while it ends, after the last value": Row("ending", KILLED),
    "all workers are killed": Row("all", KILLED),
    "rank 0, which runs the program, is killed": Row("rank 0 killed"),
    "rank 0 crashes in C code": Row("rank 0 crashes"),
    "`SIGTERM` to `myscoop` or `mpirun`": Row("waits", "", signal.SIGTERM, SIGNALS),
    "`SIGINT` (Ctrl-C) to `myscoop` or `mpirun`": Row("waits", "", signal.SIGINT, SIGNALS),
}


def cells() -> Iterator[tuple[str, str, str]]:
    """Row, column and words of each cell of the page's table."""
    section = PAGE.read_text().partition("## What happens when something fails")[2]
    lines = section.partition("\n## ")[0].splitlines()
    table = [line.strip("|").split("|") for line in lines if line.startswith("|")]
    head = [name.strip() for name in table[0][1:]]
    for fault, *said in table[2:]:
        for column, cell in zip(head, said, strict=True):
            yield fault.strip(), column, cell.strip()


CELLS = {(fault, column): cell for fault, column, cell in cells()}


class Ended(NamedTuple):
    """A run: its status, what it printed, what was left of it, and how long it took."""

    status: int
    out: str
    err: str
    left: str
    seconds: float


DIES_EARLY = """import os
if "1" in (os.environ.get("OMPI_COMM_WORLD_RANK"), os.environ.get("PMI_RANK")):
    os.register_at_fork(after_in_child=lambda: os.kill(os.getpid(), 9))
"""
"""As sitecustomize.py: the child of a worker's witness dies before it has heard of MPI."""


def run(library: Library, column: Column, faults: tuple[str, ...], number: int, at: Path) -> Ended:
    """Let `faults.py` do that, under the library's own mpirun."""
    at.mkdir()
    shutil.copy(ROOT / "tests" / "support" / "faults.py", at)
    env = {**library.env, "TMPDIR": str(at)}  # for Open MPI 5, see `launch.beside.session`
    if faults == ("starting",):
        (at / "sitecustomize.py").write_text(DIES_EARLY)
        env["PYTHONPATH"] = os.pathsep.join(filter(None, (str(at), env.get("PYTHONPATH"))))
    found = launcher.find(env)
    program = [sys.executable, "-m", "scoopmpi", "--retries", "1", str(at / "faults.py"), *faults]
    command = found.flavour.command_line(
        found.mpirun,
        Ranks(
            (Host("localhost", WORKERS + 1),), program, env, library=found.library,
            root=os.geteuid() == 0, survive=column.survive,
        ),
    )  # fmt: skip
    begun = time.monotonic()
    with subprocess.Popen(
        command.argv, cwd=at, env={**env, **command.env}, text=True, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            if number and process.stdout is not None:
                assert process.stdout.readline() == "waiting\n"
                process.send_signal(number)
            out, err = process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            return Ended(0, "", f"it hangs: {process.communicate()}", "", LIMIT)
        finally:
            process.kill()
    seconds = time.monotonic() - begun
    return Ended(process.returncode, out, err, left_behind(str(at)), seconds)


def left_behind(place: str) -> str:
    """Processes with the directory in their command, that do not end within seconds."""
    deadline = time.monotonic() + 5
    while True:
        words = ["ps", "-eo", "pid,args"]
        listed = subprocess.run(words, capture_output=True, text=True, timeout=10).stdout
        left = "\n".join(line for line in listed.splitlines() if place in line)
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.1)


Key = tuple[str, tuple[str, ...], int]


def key_of(fault: str, column: str) -> Key | None:
    """The run that shows a cell; None where a test elsewhere does, or the library is not here."""
    row = ROWS[fault]
    if library_of(column) is None or (row.elsewhere and in_each(row.elsewhere, column)):
        return None
    return column, HARMLESS if row.fault in HARMLESS else (row.fault,), row.number


def in_each(elsewhere: str, column: str) -> bool:
    """Whether a test that goes through the libraries shows what happens in this column."""
    own = column == "Open MPI 5, a `mpirun` of your own"
    left_out = COLUMNS[column].library == IN_PART and module_of(elsewhere) not in IN_FULL
    return not own and not left_out


def module_of(test: str) -> str:
    return Path(test.partition("::")[0]).stem


def library_of(column: str) -> Library | None:
    fits = (each for each in libraries() if each.name.startswith(COLUMNS[column].library))
    return next(fits, None)


@pytest.fixture(scope="module")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[Key, Future[Ended]]]:
    """The runs of all selected cells, some of them over, some to come."""
    params = [getattr(item, "callspec", None) for item in request.session.items]
    wanted = [(p.params["fault"], p.params["column"]) for p in params if p and "fault" in p.params]
    keys = dict.fromkeys(filter(None, (key_of(*cell) for cell in wanted)))
    place = tmp_path_factory.mktemp("faults")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        started = {}
        for number, (column, faults, signalled) in enumerate(keys):
            library, by, at = library_of(column), COLUMNS[column], place / str(number)
            assert library is not None
            started[column, faults, signalled] = pool.submit(
                run, library, by, faults, signalled, at
            )
        yield started
        for each in started.values():
            each.cancel()


@pytest.mark.ranks
@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("fault", ROWS)
def test_it_happens_as_the_page_says(
    fault: str, column: str, runs: dict[Key, Future[Ended]]
) -> None:
    row, cell, key = ROWS[fault], CELLS[fault, column], key_of(fault, column)
    if key is None:
        if library_of(column) is None:
            pytest.skip(f"there is no {column} here")
        return  # elsewhere, see below
    ended = runs[key].result(timeout=LIMIT * (len(runs) + 1))
    said = f"{ended.out}\n{ended.err}"
    if cell == "ends":
        assert ended.status != 0, said
        assert not ended.left
    else:
        came = "all values" if cell == "goes on" else f"told {cell.strip('`')}"
        assert f"{row.fault}: {came}\n" in ended.out, said
        assert ended.status == 0, said
    assert re.search(row.said, ended.err), said
    assert ended.seconds < LIMIT


def test_the_page_has_these_rows_and_columns() -> None:
    assert list(CELLS) == [(fault, column) for fault in ROWS for column in COLUMNS]


@pytest.mark.parametrize("name", sorted({row.elsewhere for row in ROWS.values() if row.elsewhere}))
def test_what_is_shown_elsewhere_is_shown_with_each_library(name: str) -> None:
    path, function = name.split("::")
    found = [
        node for node in ast.walk(ast.parse((ROOT / path).read_text()))
        if isinstance(node, ast.FunctionDef) and node.name == function
    ]  # fmt: skip
    assert len(found) == 1
    assert "library" in {argument.arg for argument in found[0].args.args}
