"""Traces of jobs: against the tasks' own clocks, with a lost worker, of a job that is killed."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from scoopmpi.launch import trace_command
from tests.support.libraries import Library, libraries, survives
from tests.support.starting import MYSCOOP, start
from tests.support.trace_checks import Event, checked, end, loaded, spans, total

pytestmark = [pytest.mark.ranks, pytest.mark.timeout(120)]

CLOCKS = """
import json, os, time
from scoopmpi import futures, shared

def times(task):
    began = time.time()
    time.sleep(0.04)
    return task, began, time.time(), os.getpid()

def fib(n):
    return n if n < 2 else sum(futures.map(fib, [n - 1, n - 2]))

def large(task):
    return len(b"x" * 300_000_000) and 1

if __name__ == "__main__":
    shared.setConst(factor=2)
    print(json.dumps(list(futures.map(times, range(24)))))
    print(json.dumps([futures.submit(times, task).result() for task in range(3)]))
    print(list(futures.map(fib, [9, 10])), list(futures.map(large, range(2))))
"""
KILLS = """
import os, signal, time
from scoopmpi import futures

def kills(task):
    time.sleep(0.02)
    if task == 3:
        os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    try:
        list(futures.map(kills, range(8)))
    except Exception as error:
        print(type(error).__name__)
"""
ENDS_AT_ONCE = """
import os, time
from scoopmpi import futures

def waits(task):
    time.sleep(0.01 if task < 50 else 60)
    return task

if __name__ == "__main__":
    values = futures.map(waits, range(60))
    print([next(values) for _ in range(50)][-1], flush=True)
    time.sleep(2.5)
    os.kill(os.getpid(), 9)
"""


def test_spans_agree_with_the_clocks_of_tasks(first_library: Library, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(CLOCKS)
    options = ["-n", "2", "--trace", "t.json", "--checkpoint", "c", "--task-log", "log.csv"]
    done = start(first_library, [*MYSCOOP, *options, "prog.py"], cwd=tmp_path)
    first, second, rest = done.stdout.splitlines()
    assert rest == "[34, 55] [1, 1]", done.stderr
    events = loaded(tmp_path / "t.json")
    began = json.loads((tmp_path / "t.json").read_text())["otherData"]["began"]
    workers = {
        event["args"]["pid"]: event["tid"] for event in events if event.get("name") == "joined"
    }
    for job, function, said in ((1, "times", json.loads(first)), (0, "times", json.loads(second))):
        found = [each for each in spans(events) if each["args"]["job"] == job]
        assert {each["name"] for each in found} == {function}
        for index, begin, finish, pid in said:
            _inside(found, index, 1e6 * (begin - began), 1e6 * (finish - began), workers[pid])
        own = sum(finish - begin for _, begin, finish, _ in said)
        assert own <= total(found, "busy") / 1e6 <= 1.01 * own + 0.001 * len(found)
    fibs = [each for each in spans(events) if each["args"]["job"] in (2, -1, -2, -3, -4, -5, -6)]
    offered = sum(each["args"]["tasks"] for each in fibs if each["args"]["job"] < 0)
    assert total(fibs, "nested") + offered == 2 * 55 - 1 + 2 * 89 - 1 - 2
    large = [each for each in spans(events) if each["name"] == "large"]
    assert max(each["args"].get("peak", 0) for each in large) > 300_000_000
    assert max(each["args"].get("peak", 0) for each in fibs) < 300_000_000
    cats = {each.get("cat") for each in events}
    assert {"constants", "checkpoint"} <= cats
    kept = [each["args"] for each in events if each.get("cat") == "checkpoint"]
    assert sum(each["outcomes"] for each in kept) == 24 + 3 + 2 + 2 == end(events)["totals"]["kept"]


def _inside(found: list[Event], index: int, begin: float, finish: float, worker: int) -> None:
    """Check that a task lies in a span of its worker, to the millisecond, which counts it."""
    around = [
        each for each in found
        if each["ts"] <= begin + 1000 and finish <= each["ts"] + each["dur"] + 1000
        and each["tid"] == worker
    ]  # fmt: skip
    assert len(around) == 1, (index, begin, finish, worker, around)
    args = around[0]["args"]
    assert args["start"] <= index < args["start"] + args["tasks"], around


def test_a_lost_worker_is_in_the_trace(tmp_path: Path) -> None:
    surviving = next(filter(survives, libraries()), None)
    if surviving is None:
        pytest.skip("no MPI library here survives a lost rank")
    (tmp_path / "prog.py").write_text(KILLS)
    options = ["-n", "3", "--retries", "1", "--trace", "t.json"]
    done = start(surviving, [*MYSCOOP, *options, "prog.py"], cwd=tmp_path)
    assert done.stdout == "WorkerLost\n", done.stderr
    events = loaded(tmp_path / "t.json")
    lost = [each for each in spans(events) if each["args"]["end"] == "lost"]
    assert len(lost) == 2 and {each["args"]["attempt"] for each in lost} == {1, 2}
    assert all(15_000 < each["dur"] < 30e6 for each in lost)
    names = [each["name"] for each in events if each.get("cat") == "loss"]
    assert sum(name.endswith("is lost") for name in names) == 2
    assert any("given up" in name for name in names)
    assert end(events)["totals"]["workers lost"] == 2


def asked(*words: Any) -> str:
    answer = CliRunner().invoke(trace_command.command, list(map(str, words)))
    assert answer.exit_code == 0, answer.output
    return answer.output


def test_a_job_that_is_killed_has_a_trace(first_library: Library, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(ENDS_AT_ONCE)
    path, closed, table = tmp_path / "t.json", tmp_path / "closed.json", tmp_path / "t.csv"
    words = [*MYSCOOP, "-n", "2", "--trace", str(path), "prog.py"]
    done = start(first_library, words, cwd=tmp_path)
    assert done.stdout == "49\n" and done.returncode
    checked(json.loads(path.read_text())["traceEvents"], ended=False)
    said = asked(path)
    assert "it was killed, or goes on" in said and "2 batches at the end" in said
    with path.open("r+b") as file:  # as if it had been killed in the middle of a write
        file.truncate(path.stat().st_size - 60)
    before = path.read_bytes()
    assert "cut off" in asked(path)
    asked(path, "-o", closed, "--csv", table)
    events = loaded(closed)
    assert total(spans(events), "tasks") >= 49 and path.read_bytes() == before
    with table.open(newline="") as rows:
        found = list(csv.DictReader(rows))
    assert sum(int(row["tasks"]) for row in found) == total(spans(events), "tasks")
    assert {row["function"] for row in found} == {"waits"}
