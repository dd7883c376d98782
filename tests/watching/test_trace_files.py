"""`myscoop trace`: what is in a trace, and the same as another file; whole, cut off, or foreign."""

from __future__ import annotations

import csv
import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from scoopmpi.launch import trace_command
from scoopmpi.process.named_files import NameProblem
from scoopmpi.tasks.seen import NestedSpan, Seen
from scoopmpi.watching.trace import writing
from scoopmpi.watching.trace.reading import Trace, TraceError
from tests.support.trace_checks import loaded, spans, total

pytestmark = pytest.mark.timeout(60)


def asked(*words: Any) -> Result:
    return CliRunner().invoke(trace_command.command, list(map(str, words)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The trace of a run with ten batches, one of which has failures and nested tasks."""
    made = tmp_path / "run.json"
    trace = writing.begun("--trace", str(made), {"command": "prog.py 5"})
    began = trace._file.book.now

    def tell(at: float, event: str, *facts: Any) -> None:
        trace._file.events.append((at - trace._file._epoch, event, facts))

    for worker in (1, 2):
        tell(began, "worker_joined", worker, "node1", 70 + worker)
    tell(began, "job_begun", 1, "map", 'f "quoted"', 50, None)
    for number in range(10):
        worker, at = 1 + number % 2, began + number
        tell(at, "tasks_assigned", 1, worker, 5 * number, 5, 1)
        nested = (NestedSpan("g", at + 0.2, at + 0.4, 3, 1),) if number == 4 else ()
        seen = Seen(((at, at + 0.5),), nested, 1000, 2000 + number)
        ran = 1, worker, 5 * number, 5, int(number == 4), 0.5, seen
        tell(at + 0.5, "tasks_finished", *ran)
    tell(began + 10, "job_ended", 1)
    trace.farm_closed(3)
    return made


def test_a_trace_is_described(path: Path) -> None:
    said = asked(path).output.splitlines()
    assert said[0] == f"{path}: 10 spans, whole" and said[1].split() == ["command", "prog.py", "5"]
    assert any("exit status 3" in line for line in said)
    assert any(line.startswith("workers     2 on 1 host") for line in said)
    assert said[-1].split() == ["f", '"quoted"', "50", "1", "5", "0.1", "0", "MB"]


@pytest.mark.parametrize("cut", range(0, 3000, 71))
def test_a_file_that_was_cut_off_anywhere_is_read_up_to_its_last_line(
    cut: int, path: Path, tmp_path: Path
) -> None:
    whole = list(Trace(str(path)).events())
    data = path.read_bytes()
    head = data.index(b"\n") + 1
    path.write_bytes(data[: max(head, len(data) - cut)])
    trace = Trace(str(path))
    found = list(trace.events())
    assert found == whole[: len(found)] and len(whole) - len(found) <= cut // 50
    assert trace.whole == (cut == 0) and (trace.end is None) == (len(found) < len(whole))
    new = tmp_path / "new.json.gz"
    assert asked(path, "-o", new).exit_code == 0
    with gzip.open(new, "rt") as file:
        (tmp_path / "new.json").write_text(file.read())
    assert spans(loaded(tmp_path / "new.json")) == spans(found)
    assert [event for event in Trace(str(new)).events() if event["ph"] != "e"] == [
        event for event in found if event["ph"] != "e"
    ]


def test_a_table_has_a_row_for_each_span(path: Path, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    assert asked(path, "--csv", table).output == f"11 spans written to {table}\n"
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert sum(int(row["tasks"]) for row in rows if row["kind"] == "batch") == 50
    fifth = rows[4]
    assert (fifth["function"], fifth["start"], fifth["failed"]) == ('f "quoted"', "20", "1")
    assert (fifth["worker"], fifth["host"], fifth["peak"]) == ("1", "node1", "2004")
    assert float(fifth["seconds"]) == float(fifth["busy"]) == 0.5
    assert [row["function"] for row in rows if row["kind"] == "nested"] == ["g"]


def test_what_others_have_written_anew_is_read_too(path: Path) -> None:
    before = list(Trace(str(path)).events())
    path.write_text(json.dumps(json.loads(path.read_text()), indent=2))
    trace = Trace(str(path))
    assert list(trace.events()) == before and trace.whole
    assert trace.end is not None and trace.end["totals"]["finished"] == 50
    assert asked(path, "-o", path).exit_code == 0
    assert total(spans(loaded(path)), "tasks") == 50


def test_a_compressed_file_may_be_cut_off_and_have_any_name(path: Path, tmp_path: Path) -> None:
    before = list(Trace(str(path)).events())
    data = gzip.compress(path.read_bytes())
    for size in range(20, len(data), 50):
        (tmp_path / "x").write_bytes(data[:size])
        try:
            found = list(Trace(str(tmp_path / "x")).events())
        except TraceError:
            assert size < 400
            continue
        assert found == before[: len(found)]
    (tmp_path / "x").write_bytes(data)
    assert list(Trace(str(tmp_path / "x")).events()) == before


@pytest.mark.parametrize("text", ["", "{}", "[1]", "no JSON", '{"otherData":[\n', '{"a":[\n1]}'])
def test_other_files_are_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_text(text)
    answer = asked(tmp_path / "x")
    assert answer.exit_code == 1 and "is no trace of scoopmpi" in answer.output
    answer = asked(tmp_path / "none.json")
    assert answer.exit_code == 1 and "No such file" in answer.output


def test_a_damaged_line_is_named(path: Path, tmp_path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    lines[7] = b",{damaged\n"
    path.write_bytes(b"".join(lines))
    with pytest.raises(TraceError, match="line 8 is no event"):
        list(Trace(str(path)).events())
    answer = asked(path, "-o", tmp_path / "new.json")
    assert answer.exit_code == 1 and not (tmp_path / "new.json").exists()
    assert os.listdir(tmp_path) == ["run.json"]


def test_only_a_trace_is_put_aside_for_another(path: Path, tmp_path: Path) -> None:
    before = path.read_bytes()
    writing.begun("--trace", str(path), {"command": "again"}).farm_closed(0)
    assert (tmp_path / "run.json.1").read_bytes() == before
    assert Trace(str(path)).other["command"] == "again"
    (tmp_path / "model.py").write_text("print(1)")
    with pytest.raises(NameProblem, match="it holds something else"):
        writing.begun("--trace", str(tmp_path / "model.py"), {})
    assert (tmp_path / "model.py").read_text() == "print(1)"
