"""Runs that are watched in every way at once, as users have them: nothing of it stops a run."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from scoopmpi.watching.trace.reading import Trace
from tests.support.libraries import Library, libraries, survives
from tests.support.screens import Shown
from tests.support.starting import MYSCOOP, own_session, start
from tests.support.terminals import at_a_terminal

pytestmark = pytest.mark.timeout(90)
Events = list[dict[str, Any]]
FILES = {"--status": "status.json", "--trace": "trace.json", "--report": "report.html"}
MOST_MEGABYTES = 6
"""A report is sent by mail."""

HARD_DAY = """
import os, signal, time
from scoopmpi import futures, task

def quick(number):
    return number * number

def slow(number):
    time.sleep(0.02)
    if number % 20 == 0:
        print("slow", number, flush=True)
    if number == 13:
        raise ValueError("thirteen")
    if number == 17 and task.attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return number

def tree(depth):
    time.sleep(0.01)
    return 1 + (sum(futures.map(tree, [depth - 1] * 2)) if depth else 0)

if __name__ == "__main__":
    print(sum(futures.map(quick, range(1_000_000))))
    trees = [futures.submit(tree, 4) for _ in range(3)]
    values = futures.map(slow, range(100), return_exceptions=True)
    print([value for value in values if isinstance(value, Exception)])
    print([tree.result() for tree in trees])
"""
ENDLESS = """
import itertools, time
from scoopmpi import futures

def waits(_):
    time.sleep(0.01)

if __name__ == "__main__":
    for number, _ in enumerate(futures.map(waits, itertools.count())):
        if number == 50:
            print("well begun", flush=True)
"""
FULL_DISK = """
import resource, time
from scoopmpi import futures

def waits(number):
    time.sleep(0.002)
    return number

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, resource.RLIM_INFINITY))
    print(sum(futures.map(waits, range(600))))
"""


@pytest.fixture
def surviving() -> Library:
    """A library that lets the farm go on."""
    found = next(filter(survives, libraries()), None)
    return found or pytest.skip("no MPI library here survives a lost rank")


def watched(*options: str) -> list[str]:
    files = [word for pair in FILES.items() for word in pair]
    return [*MYSCOOP, "-n", "3", "--progress", *files, *options, "prog.py"]


def events_of(path: Path) -> Events:
    """All events of a trace that other programs can read too."""
    assert json.loads(path.read_text())["traceEvents"]
    return list(Trace(str(path)).events())


def test_all_that_watches_tells_of_a_hard_day(surviving: Library, tmp_path: Path) -> None:
    """At a terminal: a million short tasks, one that fails, one that kills its worker, and tasks of
    tasks."""
    (tmp_path / "prog.py").write_text(HARD_DAY)
    seen = at_a_terminal(watched(), surviving.env, [], tmp_path)
    screen = Shown(100, 40)
    screen.feed(seen)
    assert screen.lines[-1].endswith("<0>") and not screen.hidden, screen.lines
    printed = {"333332833333500000", "[ValueError('thirteen')]", "[31, 31, 31]"}
    printed |= {f"slow {number}" for number in range(0, 100, 20)}
    assert printed <= {line.removesuffix("<0>") for line in screen.lines}, screen.lines
    assert "watching:" not in "".join(screen.lines)
    trace_of_a_hard_day(events_of(tmp_path / "trace.json"))
    status = json.loads((tmp_path / "status.json").read_text())
    assert (status["state"], status["exit_status"]) == ("ended", 0)
    assert status["tasks"]["done"] >= 1_000_103 and status["tasks"]["failed"] == 1
    assert (status["tasks"]["left"], status["workers"]["lost"]) == (0, 1)
    page = (tmp_path / "report.html").read_text()
    assert len(page) < MOST_MEGABYTES << 20
    assert not re.search(r"""(src|href)\s*=\s*["']?https?:""", page)
    assert "thirteen" in page and "quick" in page


def trace_of_a_hard_day(events: Events) -> None:
    ran: Counter[str] = Counter()
    for event in events:
        assert type(event["pid"]) is type(event["tid"]) is int, event
        if event["ph"] == "X" and event["cat"] == "batch":
            ran[event["name"]] += event["args"]["tasks"]
    losses = [event for event in events if event.get("cat") == "loss"]
    assert any(event["args"].get("job") == 2 for event in losses), losses
    totals = events[-1]["args"]["functions"]
    assert events[-1]["name"] == "end" and events[-1]["args"]["status"] == 0
    assert (totals["quick"]["tasks"], totals["quick"]["failed"]) == (1_000_000, 0)
    assert (totals["slow"]["tasks"], totals["slow"]["failed"]) == (100, 1)
    assert ran["quick"] == 1_000_000


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_what_was_written_is_whole_whatever_ends_the_run(
    first_library: Library, tmp_path: Path, number: signal.Signals
) -> None:
    (tmp_path / "prog.py").write_text(ENDLESS)
    words = watched()
    with subprocess.Popen(
        words, cwd=tmp_path, env=own_session(words, first_library.env), text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "well begun\n"
        time.sleep(1.2)  # what is written twice a second has been written
        os.kill(process.pid, number)
        _, said = process.communicate(timeout=30)
    events = events_of(tmp_path / "trace.json")
    assert sum(event.get("cat") == "batch" for event in events) > 10
    if number == signal.SIGINT:
        assert process.returncode == 130 and "KeyboardInterrupt" in said
        assert events[-1]["args"]["status"] == 130


def test_a_full_disk_stops_nothing(first_library: Library, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(FULL_DISK)
    done = start(first_library, watched(), tmp_path)
    assert (done.returncode, done.stdout) == (0, f"{sum(range(600))}\n"), done.stderr
    assert "trace.json cannot be written" in done.stderr and "Traceback" not in done.stderr
    assert events_of(tmp_path / "trace.json")


@pytest.mark.parametrize("option", FILES)
def test_what_cannot_be_written_is_said_before_anything_starts(
    first_library: Library, tmp_path: Path, option: str
) -> None:
    (tmp_path / "prog.py").write_text("print('it runs')")
    words = [*MYSCOOP, "-n", "2", option, str(tmp_path / "no" / "x"), "prog.py"]
    done = start(first_library, words, tmp_path)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert option in done.stderr and "there is no directory" in done.stderr
