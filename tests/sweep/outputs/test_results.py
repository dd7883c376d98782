"""The results of a sweep in one SQLite file: written, replaced, refused, and read meanwhile."""

from __future__ import annotations

import contextlib
import csv
import errno
import fcntl
import io
import json
import os
import resource
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from scoopmpi.checkpoint import writer
from scoopmpi.launch import own_commands, results_command
from scoopmpi.process import file_locks
from scoopmpi.sweep.outputs.results import tables
from scoopmpi.sweep.outputs.results.reading import ERR, OUT, Reader
from scoopmpi.sweep.outputs.results.writing import Results
from scoopmpi.sweep.outputs.sink import OutputProblem
from tests.support.command_runner import runner
from tests.support.libraries import ROOT
from tests.sweep.outputs.items import ended, item

COLUMNS = ["temperature", "host"]
ENDS = [
    ended(1, b"T 293\nmore\n", b"note\n"),
    ended(2, b"", b"no such file", status=3),
    ended(3, b"\xff\0 no newline"),
    ended(4, why="time", status=-15),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.db"


def sweep(path: Path, ends: Any = ENDS, columns: Any = COLUMNS) -> list[int]:
    """Write these; return of which it was told that they are kept."""
    kept: list[int] = []
    sink = Results(str(path), columns, "simulate", lambda one: kept.append(one.number))
    for one in ends:
        sink.expected(item(one.number, *("293", "here,\n\udcff")[: len(columns)]))
    for one in ends:
        sink.add(one)
    assert sink.close() == 0
    return kept


def asked(*words: object) -> Result:
    return runner().invoke(results_command.command, list(map(str, words)))


def test_all_that_is_known_of_an_item_is_kept(path: Path) -> None:
    assert sweep(path) == [1, 2, 3, 4]
    with Reader(str(path)) as reader:
        rows = list(reader.rows())
        assert [row.number for row in rows] == [1, 2, 3, 4]
        assert [row.number for row in reader.rows(failed=True)] == [2, 4]
        assert rows[0].values == {"temperature": "293", "host": "here,\n\\xff"}
        assert rows[0][2:8] == (0, "", 3, "node7.cluster", 1_480_000_000.5, 0.25)
        assert (rows[3].status, rows[3].why) == (-15, "time")
        assert b"".join(reader.output(3, OUT)) == b"\xff\0 no newline"
        assert b"".join(reader.output(2, ERR)) == b"no such file"
        assert reader.row(5) is None and reader.counts() == (4, 2)
        assert reader.facts["command"] == "simulate" and reader.facts["run"] == "ended"


def test_other_programs_find_columns_under_their_names(path: Path) -> None:
    sweep(path)
    with sqlite3.connect(path) as connection:
        connection.row_factory = sqlite3.Row
        row = connection.execute("SELECT * FROM sweep WHERE number = 1").fetchone()
    connection.close()
    assert row["temperature"] == 293 and row["item_host"] == "node7.cluster"
    assert row["stdout"] == b"T 293\nmore\n"


@pytest.mark.parametrize(
    ("value", "seen"),
    [("293", 293), ("-7", -7), ("293.0", 293.0), ("1.50", 1.5), ("1e6", 1e6), ("0", 0),
     ("0.5", 0.5), ("007", "007"), ("-01", "-01"), ("2026-11-30", "2026-11-30"),
     ("1e5e", "1e5e"), ("", ""),
     ("12x", "12x"), ("12345678901234567890", "12345678901234567890"), ("nan", "nan"), ("-", "-")],
)  # fmt: skip
def test_a_number_is_one_for_other_programs(value: str, seen: object) -> None:
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        for table in tables.TABLES:
            connection.execute(table)
        connection.execute(tables.view(["a"]))
        insert = "INSERT INTO items (number, columns) VALUES (1, ?)"
        connection.execute(insert, (json.dumps({"a": value}),))
        ((found,),) = connection.execute("SELECT a FROM sweep")
    assert (type(found), found) == (type(seen), seen)


@pytest.mark.parametrize("piece", [5, 1000])
def test_an_output_of_any_size_is_kept_whole_and_replaced(
    path: Path, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    """Beyond what SQLite takes in one row too, which is smaller here."""
    monkeypatch.setattr(tables, "PIECE", piece)
    long, short = bytes(range(250)) * 4, b"1234567"
    sweep(path, [ended(1, long, short), ended(2, short, long)])
    for first, second in ((long, short), (short, b""), (b"", long)):
        sweep(path, [ended(1, first, second)])
        with Reader(str(path)) as reader:
            assert b"".join(reader.output(1, OUT)) == first
            assert b"".join(reader.output(1, ERR)) == second
            assert b"".join(reader.output(2, ERR)) == long
            (one, other) = reader.whole()
            assert one[1:] == (first, second) and other[1:] == (short, long)


@pytest.mark.parametrize(
    "content", [b"a,b\n1,2\n", b"SQLite format 3\0" + bytes(200), b"S"], ids=["csv", "db", "short"]
)
def test_a_file_that_is_something_else_is_refused_and_left(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(OutputProblem, match=r"run\.db: it is something else .* move this one away"):
        sweep(path)
    assert path.read_bytes() == content
    assert asked(path).exit_code == 1


def test_refusals_name_the_remedy(path: Path, tmp_path: Path) -> None:
    open_files = len(os.listdir("/proc/self/fd"))
    for name in ("", "no/where.db", "a\0b"):
        with pytest.raises(OutputProblem, match=r"give the path|is the path right"):
            sweep(tmp_path / name)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputProblem, match="not a regular file"):
        sweep(tmp_path / "pipe")
    sweep(path)
    with pytest.raises(OutputProblem, match=r"other columns \(temperature, host\)"):
        sweep(path, columns=["temperature"])
    data = path.read_bytes()
    path.write_bytes(data[:-4096])
    with pytest.raises(OutputProblem, match="cut off or damaged"):
        sweep(path)
    path.write_bytes(data[:60] + b"\0\0\0\7" + data[64:])
    with pytest.raises(OutputProblem, match="a newer version of scoopmpi"):
        sweep(path)
    path.write_bytes(data[:100] + os.urandom(8000) + data[8100:])
    with pytest.raises(OutputProblem, match="cannot be written"):
        sweep(path)
    assert "cannot be read" in asked(path).stderr
    assert len(os.listdir("/proc/self/fd")) <= open_files + 4


def test_a_full_disk_is_told_kept_and_tried_again(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An item is kept only once it is on disk; what is not is counted at the end."""
    monkeypatch.setattr(writer, "AGAIN", 0.05)
    kept: list[int] = []
    sink = Results(str(path), COLUMNS, "x", lambda one: kept.append(one.number))
    for number in (1, 2):
        sink.expected(item(number, "1", "2"))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, before[1]))
    try:
        sink.add(ended(1, b"x" * 100_000))
        deadline = time.monotonic() + 20
        while not caplog.messages and time.monotonic() < deadline:
            time.sleep(0.01)
        sink.add(ended(2, b"y" * 100_000))
        assert kept == []
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert sink.close() == 0 and kept == [1, 2]
    (told,) = caplog.messages
    assert told.startswith(f"results {path} cannot be written") and "tried again" in told

    sink = Results(str(path), COLUMNS, "x", lambda one: kept.append(one.number))
    assert sink.earlier == 2
    sink.expected(item(3, "1", "2"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, before[1]))
    try:
        sink.add(ended(3, b"x" * 100_000))
        assert sink.close() == 1 and kept == [1, 2]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "1 results are missing in it" in caplog.messages[-1]
    with Reader(str(path)) as reader:
        assert reader.counts() == (2, 0)


def test_what_fails_where_an_item_is_kept_is_for_the_sweep(path: Path) -> None:
    """The thread that writes goes on: what raised is raised where the sweep hears it."""

    def fails(_: object) -> None:
        raise ValueError("the log is full")

    sink = Results(str(path), [], "x", fails)
    for number in range(1000):
        sink.expected(item(number))
    with pytest.raises(ValueError, match="the log is full"):
        for number in range(1000):
            sink.add(ended(number, b"x" * (1 << 20)))
    sink.close()


def test_without_locks_of_the_file_system_it_works_and_is_told(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def lockf(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "lockf", lockf)
    sink = Results(str(path), COLUMNS, "x", lambda _: None)
    with Reader(str(path)) as reader:
        for number in range(1, 300):
            sink.expected(item(number, "1", "2"))
            sink.add(ended(number, b"%d\n" % number))
            found = [row.number for row in reader.rows()]
            assert found == list(range(1, len(found) + 1))
        sink.close()
        assert reader.counts() == (299, 0)
    assert "has no locks" in caplog.messages[0]


WRITES = f"""
import sys, itertools
sys.path.insert(0, {str(ROOT)!r})
from scoopmpi.sweep.outputs.results.writing import Results
from tests.sweep.outputs.items import ended, item
sink = Results(sys.argv[1], ["n"], "x", lambda one: print(one.number, flush=True))
for number in itertools.count(1):
    sink.expected(item(number, str(number)))
    sink.add(ended(number, b"output of %d\\n" % number * 30))
"""


@pytest.mark.ranks
def test_a_killed_run_has_left_all_that_it_said_it_has(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readers see whole rows while it writes, no second run may write, and a next one goes on."""
    monkeypatch.setattr(file_locks, "FILE_FREE_SECONDS", 0.0)
    words = [sys.executable, "-c", WRITES, str(path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"
        with pytest.raises(OutputProblem, match="another run is writing it"):
            sweep(path, columns=["n"])
        with Reader(str(path)) as reader:
            for count, row in enumerate(reader.rows(), 1):
                assert (row.number, row.values) == (count, {"n": str(count)})
                if count == 20_000:
                    break
        process.kill()
        kept = process.stdout.read().splitlines()
    with Reader(str(path)) as reader:
        assert reader.facts["run"] == "running"
        found = [row.number for row in reader.rows()]
        assert found == list(range(1, len(found) + 1))
        assert len(found) >= max(map(int, kept[:-1]), default=1)
    assert sweep(path, [ended(2, b"again")], ["n"]) == [2]
    assert asked(path, 2).stdout_bytes == b"again"


def test_the_table_and_csv(path: Path) -> None:
    sweep(path)
    lines = asked(path).output.splitlines()
    assert lines[0].split() == ["item", "how", "seconds", "host", "temperature", "host", "output"]
    assert [line.split()[:3] for line in lines[1:3]] == [
        ["1", "done", "0.2"],
        ["2", "exit", "status"],
    ]
    assert (
        "over its time limit" in lines[4]
        and "here,?\\xff" in lines[1]
        and lines[1].endswith("T 293")
    )
    assert lines[-1] == "4 items have ended, 2 of them failed"
    assert len(asked(path, "--failed").output.splitlines()) == 4
    rows = list(csv.DictReader(io.StringIO(asked(path, "--csv").stdout_bytes.decode())))
    assert [row["status"] for row in rows] == ["0", "3", "0", "-15"]
    assert rows[0]["host"] == "here,\n\\xff" and rows[0]["item_host"] == "node7.cluster"
    assert rows[0]["stdout"] == "T 293\nmore\n" and rows[2]["stdout"] == r"\xff\x00 no newline"
    assert float(rows[0]["seconds"]) == 0.25 and rows[3]["why"] == "time"


def test_outputs_come_as_they_were_written(path: Path) -> None:
    sweep(path)
    one = asked(path, 1)
    assert (one.stdout_bytes, one.stderr_bytes) == (b"T 293\nmore\n", b"note\n")
    assert asked(path, 3).stdout_bytes == b"\xff\0 no newline"
    assert asked(path, 3, 1, "--stdout").stdout_bytes == b"\xff\0 no newlineT 293\nmore\n"
    assert asked(path, 2, "--stderr").stdout_bytes == b"no such file"
    assert asked(path, "--stdout").stdout_bytes == b"T 293\nmore\n\xff\0 no newline\n"
    assert asked(path, "--stderr", "--failed").stdout_bytes == b"no such file\n"
    answer = asked(path, 1, 9)
    assert answer.exit_code == 1 and not answer.stdout_bytes and "no item 9" in answer.stderr
    for words in (("--csv", "--stdout"), (1, "--csv"), (1, "--failed")):
        assert "which?" in asked(path, *words).stderr


def test_a_program_called_results_stays_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep(path)
    assert own_commands.meant(("results", str(path))) and own_commands.meant(("results", "x.db"))
    monkeypatch.chdir(path.parent)
    Path("results.py").touch()
    assert own_commands.meant(("results", str(path)))
    assert not own_commands.meant(("results", "x.db"))
