"""What the file says of a run that is played: by events, with a clock of its own."""

from __future__ import annotations

import json
import logging
import os
import time
from pathlib import Path
from typing import Any

import pytest

from scoopmpi.process.job_end import JobEndWatch
from scoopmpi.tasks.seen import Seen
from scoopmpi.watching.door import Door
from scoopmpi.watching.status import contents, reader
from scoopmpi.watching.status.contents import About
from scoopmpi.watching.status.reader import StatusFile
from scoopmpi.watching.status.replaced_file import read
from scoopmpi.watching.tally import Tally

BEGAN = 1796016400.0


class Played:
    """A farm whose events a status file hears of; `now` is its clock, in seconds since it began."""

    def __init__(self, path: Path, walltime: float | None = None, **more: Any) -> None:
        self.now = 0.0
        self.path = str(path)
        tally = Tally(clock=lambda: self.now)
        ends = JobEndWatch({}, walltime, BEGAN, clock=lambda: BEGAN + self.now)
        run = About("prog.py 100", "n1", 4711, "123", "slurm", more.pop("checkpoint", None))
        self.status = StatusFile(
            self.path, tally, run, ends, clock=lambda: self.now, wall=lambda: BEGAN + self.now,
            **more,
        )  # fmt: skip
        self.door = Door((tally, self.status))

    def said(self) -> dict[str, Any]:
        self.status.write()
        return read(self.path)

    def run(self, job: int, worker: int, task: int, seconds: float, **more: Any) -> None:
        """One worker runs one task, and time passes."""
        self.door.tasks_assigned(job, worker, task, 1, 1)
        self.now += seconds
        seen = Seen((), resident=more.get("resident", 0), peak=more.get("peak", 0))
        failed = more.get("failed", 0)
        if failed:
            seen = seen._replace(errors=((1, more["error"]),))
        self.door.tasks_finished(job, worker, task, 1, failed, seconds, seen)


@pytest.fixture
def farm(tmp_path: Path) -> Played:
    return Played(tmp_path / "run.json", walltime=300)


def test_a_run_from_its_beginning_to_its_end(farm: Played) -> None:
    said = farm.said()
    assert (said["format"], said["version"], said["state"]) == ("scoopmpi status", 1, "running")
    assert said["tasks"] == {
        "known": 0, "more": False, "done": 0, "left": 0, "running": 0, "failed": 0, "retried": 0,
        "lost": 0, "recalled": 0, "dropped": 0,
    }  # fmt: skip
    assert (said["command"], said["manager"], said["job"]) == ("prog.py 100", "slurm", "123")
    assert (said["host"], said["pid"], said["written"]) == ("n1", 4711, BEGAN)
    for worker, host in ((1, "n1"), (2, "n2")):
        farm.door.worker_joined(worker, host, 100 + worker)
    farm.door.job_begun(1, "map", "simulate", 100, None)
    farm.door.tasks_assigned(1, 2, 50, 1, 1)  # it goes on and on
    for task in range(10):
        farm.run(1, 1, task, 10.0, resident=50_000_000, peak=80_000_000 + task)
    said = farm.said()
    assert said["seconds"] == 100 and said["written"] == BEGAN + 100
    assert (said["tasks"]["done"], said["tasks"]["left"]) == (10, 90)
    assert said["pace"] == pytest.approx(0.1)
    assert said["workers"] == {"joined": 2, "lost": 0, "busy": 1}
    (job,) = said["jobs"]
    assert (job["job"], job["kind"], job["function"], job["size"]) == (1, "map", "simulate", 100)
    (slow,) = said["slowest_running"]
    assert (slow["function"], slow["index"], slow["rank"], slow["host"]) == (
        "simulate", 50, 2, "n2",
    )  # fmt: skip
    assert (slow["seconds"], slow["since"], slow["usual"]) == (100, BEGAN, 10)
    n1, n2 = said["hosts"]
    assert (n1["host"], n1["workers"], n1["tasks"], n1["busy"]) == ("n1", 1, 10, 1)
    assert (n1["resident"], n1["highest"], n1["highest_rank"]) == (50_000_000, 80_000_009, 1)
    assert (n2["running"], n2["busy"], n2["busy_last_minute"]) == (1, 1, 1)
    assert said["memory"]["workers"]["highest_host"] == "n1"
    assert said["memory"]["rank0"]["highest"] >= said["memory"]["rank0"]["resident"] > 0
    (function,) = said["functions"]
    assert (function["done"], function["longest"], function["highest_memory"]) == (
        10, 10, 80_000_009,
    )  # fmt: skip
    farm.door.farm_closed(0)
    said = farm.said()
    assert (said["state"], said["exit_status"]) == ("ended", 0)


def test_the_end_of_the_work_beside_the_end_of_the_job(farm: Played) -> None:
    farm.door.worker_joined(1, "n1", 101)
    farm.door.job_begun(1, "map", "simulate", 100, None)
    for task in range(10):
        farm.run(1, 1, task, 10.0)
    end = farm.said()["end"]
    assert (end["seconds_left"], end["expected"]) == (900, BEGAN + 1000)
    assert (end["job_ends"], end["job_ends_by"], end["spare"]) == (BEGAN + 300, "--walltime", -700)
    assert "about 70 tasks of the 90" in end["hint"] and "--stop-before auto" in end["hint"]
    farm.door.job_paused(1, True)
    said = farm.said()
    assert said["jobs"][0]["paused"] and "no task begins" in said["end"]["hint"]
    farm.door.program_stopped(90, 12.34)
    farm.door.farm_closed(75)
    said = farm.said()
    assert (said["state"], said["stopped"]) == ("stopped", {"left": 90, "before_end": 12.3})


def test_failures_losses_and_what_was_recalled(farm: Played) -> None:
    for worker in (1, 2):
        farm.door.worker_joined(worker, "n1", 100 + worker)
    farm.door.job_begun(1, "map", "fit", 20, "a title")
    farm.door.tasks_recalled(1, 0, 5)
    for task in range(5, 9):
        farm.run(1, 1, task, 1.0, failed=1, error=f"ValueError: {'odd' if task % 2 else 'even'}")
    farm.run(1, 1, 9, 1.0, failed=1, error="ValueError: odd " + "x" * 1000)
    farm.door.tasks_assigned(1, 2, 10, 2, 1)
    farm.now += 1
    farm.door.tasks_lost(1, 2, 10, 2, 1, False)
    farm.door.worker_lost(2, "n1")
    farm.door.tasks_retried(1, 2, 10, 2)
    said = farm.said()
    assert said["tasks"] == {
        "known": 20, "more": False, "done": 10, "left": 10, "running": 0, "failed": 5,
        "retried": 2, "lost": 2, "recalled": 5, "dropped": 0,
    }  # fmt: skip
    assert [(each["tasks"], each["function"]) for each in said["failures"]] == [
        (2, "fit"), (2, "fit"), (1, "fit"),
    ]  # fmt: skip
    assert len(said["failures"][2]["error"]) == 200
    (loss,) = said["losses"]
    assert (loss["rank"], loss["host"], loss["tasks"], loss["died"]) == (2, "n1", 2, BEGAN + 6)
    assert said["workers"] == {"joined": 2, "lost": 1, "busy": 0}
    assert (said["hosts"][0]["workers"], said["hosts"][0]["lost"]) == (1, 1)
    assert said["jobs"][0]["title"] == "a title"
    farm.door.farm_closed(1)
    said = farm.said()
    assert (said["state"], said["exit_status"]) == ("failed", 1)


def test_tasks_of_a_map_that_is_given_up_are_dropped(farm: Played) -> None:
    farm.door.worker_joined(1, "n1", 101)
    farm.door.job_begun(1, "map", "f", 400, None)
    for task in range(5):
        farm.run(1, 1, task, 1.0)
    farm.door.tasks_assigned(1, 1, 5, 1, 1)
    farm.door.job_ended(1)
    assert (farm.said()["tasks"]["known"], farm.said()["tasks"]["dropped"]) == (5, 395)
    farm.door.tasks_finished(1, 1, 5, 1, 0, 1.0, None)  # it was under way
    tasks = farm.said()["tasks"]
    assert (tasks["known"], tasks["done"], tasks["dropped"]) == (6, 6, 394)


def test_the_last_minute_of_a_host_is_not_the_whole_run(farm: Played) -> None:
    farm.door.worker_joined(1, "n1", 101)
    farm.door.job_begun(1, "map", "f", None, None)
    for task in range(100):
        farm.run(1, 1, task, 1.0)
        farm.status.said()
    for _ in range(100):
        farm.now += 1
        farm.status.said()
    (host,) = farm.said()["hosts"]
    assert (host["busy"], host["busy_last_minute"]) == (0.5, 0)


def test_the_file_of_a_large_run_is_small(farm: Played) -> None:
    for worker in range(1, 5001):
        farm.door.worker_joined(worker, f"node{worker % 1000:04}", worker)
    for job in range(1, 301):
        farm.door.job_begun(job, "map", f"function_{job}", 1000, None)
        farm.door.tasks_assigned(job, job, 0, 1, 1)
    farm.door.worker_lost(777, "node0777")
    began = time.perf_counter()
    said = farm.said()
    assert time.perf_counter() - began < 2, "it takes milliseconds"
    assert os.path.getsize(farm.path) < 60_000
    assert (said["open_jobs"], len(said["jobs"])) == (300, contents.MOST_JOBS)
    assert (said["all_hosts"], len(said["hosts"])) == (1000, contents.MOST_HOSTS)
    assert said["hosts"][0]["host"] == "node0777", "what has lost workers comes first"
    assert len(said["slowest_running"]) == contents.MOST_SLOWEST


def test_nested_jobs_are_told_behind_maps_and_calls_only_while_they_are_open(farm: Played) -> None:
    farm.door.worker_joined(1, "n1", 101)
    farm.door.job_begun(0, "calls", "a submitted call", None, None)
    assert farm.said()["jobs"] == []
    farm.door.job_begun(-1, "nested", "inner", 500, None)
    farm.door.job_begun(1, "map", "outer", 10, None)
    farm.door.job_grew(0, 3)
    assert [each["kind"] for each in farm.said()["jobs"]] == ["map", "calls", "nested"]


# The thread.


class Live:
    """A status file that is kept by its thread, quicker than usual."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch, seldom: float = 60.0) -> None:
        monkeypatch.setattr(reader, "OFTEN", 0.02)
        monkeypatch.setattr(reader, "SELDOM", seldom)
        self.path, self.tally = path, Tally()
        self.status = StatusFile(str(path), self.tally, About("prog.py", "n1", 4711))
        self.door = Door((self.tally, self.status))
        self.status.start()

    def await_done(self, tasks: int) -> None:
        limit = time.monotonic() + 10
        while time.monotonic() < limit:
            if self.path.exists() and json.loads(self.path.read_text())["tasks"]["done"] == tasks:
                return
            time.sleep(0.01)
        pytest.fail("it is not written")


def test_it_is_written_while_something_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = Live(tmp_path / "run.json", monkeypatch)
    assert read(str(live.path))["state"] == "running", "at once"
    live.door.worker_joined(1, "n1", 101)
    live.door.job_begun(1, "map", "f", 3, None)
    for task in range(3):
        live.door.tasks_assigned(1, 1, task, 1, 1)
        live.door.tasks_finished(1, 1, task, 1, 0, 0.1, None)
        live.await_done(task + 1)
    before = live.path.stat().st_mtime_ns
    time.sleep(0.2)
    assert live.path.stat().st_mtime_ns == before, "nothing has changed"
    live.door.farm_closed(0)
    assert read(str(live.path))["state"] == "ended"
    assert live.path.stat().st_mtime_ns > before


def test_it_is_written_now_and_then_in_any_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = Live(tmp_path / "run.json", monkeypatch, seldom=0.05)
    written = {read(str(live.path))["written"]}
    limit = time.monotonic() + 10
    while len(written) < 4 and time.monotonic() < limit:
        written.add(read(str(live.path))["written"])
        time.sleep(0.01)
    live.door.farm_closed(0)
    assert len(written) == 4


def test_a_directory_that_vanishes_is_told_of_once_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "results").mkdir()
    live = Live(tmp_path / "results" / "run.json", monkeypatch, seldom=0.02)
    with caplog.at_level(logging.WARNING, logger="scoopmpi"):
        (tmp_path / "results").rename(tmp_path / "away")
        limit = time.monotonic() + 10
        while not caplog.records and time.monotonic() < limit:
            time.sleep(0.01)
        time.sleep(0.1)
        (tmp_path / "away").rename(tmp_path / "results")
        live.door.job_begun(1, "map", "f", 1, None)
        live.door.tasks_recalled(1, 0, 1)
        live.await_done(1)
        live.door.farm_closed(0)
    (record,) = caplog.records
    assert "cannot be written: No such file or directory; the program goes on" in record.message
    assert read(str(live.path))["state"] == "ended"


def test_a_fault_of_ours_ends_the_file_and_not_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    live = Live(tmp_path / "run.json", monkeypatch)

    def broken(tally: Tally) -> list[Any]:
        raise KeyError("ours")

    monkeypatch.setattr(contents, "opened", broken)
    with caplog.at_level(logging.WARNING, logger="scoopmpi"):
        live.door.worker_joined(1, "n1", 101)
        limit = time.monotonic() + 10
        while not caplog.records and time.monotonic() < limit:
            time.sleep(0.01)
        live.door.farm_closed(0)
    (record,) = caplog.records
    assert "is not kept any more, the run goes on: KeyError" in record.message
