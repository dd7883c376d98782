"""A status file as a person reads it: at 80 columns, whatever is in it."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from scoopmpi.watching.status.contents import at
from scoopmpi.watching.status.shown import BAD, GOOD, Line, lines, stale

from .test_status_reader import BEGAN, Played

NOW = BEGAN + 125


@pytest.fixture
def said(tmp_path: Path) -> dict[str, Any]:
    """Of a run with a bit of everything."""
    farm = Played(tmp_path / "run.json", walltime=300)
    for worker in range(1, 5):
        farm.door.worker_joined(worker, f"node{worker % 2}", 100 + worker)
    farm.door.job_begun(1, "map", "a_function_with_quite_a_long_name.<locals>.inner", 100, None)
    farm.door.job_begun(2, "map", "simulate", None, None)
    farm.door.job_grew(2, 8)
    farm.door.tasks_assigned(1, 2, 50, 1, 1)
    farm.door.tasks_assigned(2, 3, 0, 5, 1)
    farm.door.tasks_assigned(1, 4, 51, 1, 1)
    farm.door.tasks_lost(1, 4, 51, 1, 1, False)
    farm.door.worker_lost(4, "node0")
    for task in range(10):
        farm.run(1, 1, task, 12.0, peak=1_234_000_000, resident=1)
    farm.run(1, 1, 10, 1.0, failed=1, error="ValueError: it does not converge " * 9)
    return farm.said()


def text(shown: list[Line]) -> str:
    return "\n".join(line.text for line in shown)


def test_all_of_it_is_there_in_80_columns(said: dict[str, Any]) -> None:
    shown = text(lines(said, NOW))
    assert max(map(len, shown.splitlines())) <= 80, shown
    for part in (
        "prog.py 100: running, 2 min 01 s",
        "job 123 of slurm, rank 0 is process 4711 on n1, began ",
        "  written 4 s ago",
        "11 of 108 or more tasks done",
        "Workers  3, 2 busy, 1 lost",
        "(--walltime)",
        "simulate                           0/?",
        "a_function_with... 50",
        "rank 2 on node0",
        "simulate 0 and 4 more",
        "rank 4 on node0, with 1 task",
        "1.2 GB, rank 1",
        "1 of a_function_with_quite_a_long_name.<locals>.inner: ValueError: it does not",
    ):
        assert part in shown, f"{part}\n{shown}"
    slow = next(line for line in lines(said, NOW) if "... 50" in line.text)
    assert slow.mark == BAD, "it runs ten times as long as the others did"


def test_the_end_is_said_and_nothing_runs_any_more(said: dict[str, Any]) -> None:
    ended = {**said, "state": "ended", "exit_status": 0}
    first = lines(ended, NOW)[0]
    assert first == Line("prog.py 100: ended well, 2 min 01 s", GOOD)
    shown = text(lines(ended, NOW))
    assert "written" not in shown and "Running" not in shown and "Pace" not in shown
    failed = lines({**said, "state": "failed", "exit_status": 143}, NOW)[0]
    assert failed == Line("prog.py 100: failed, status 143, 2 min 01 s", BAD)
    stopped = {**said, "state": "stopped", "stopped": {"left": 90, "before_end": 12.0}}
    stopped["tasks"] = {"known": 30, "done": 30, "dropped": 90}
    assert "30 of 120 tasks done" in " ".join(text(lines(stopped, NOW)).split())
    assert "90 left, 12 s before the end of the job" in " ".join(text(lines(stopped, NOW)).split())


def test_a_file_that_nobody_writes_any_more_says_so(said: dict[str, Any]) -> None:
    written = said["written"]
    assert not stale(said, written + 35)
    assert stale(said, written + 41) and stale(said, written, gone=True)
    assert not stale({**said, "state": "failed"}, written + 1000)
    old = text(lines(said, written + 312))
    assert "written 5 min 12 s ago: rank 0 is not there any more, or cannot write" in old
    assert "written 2 s ago: rank 0 is not there any more\n" in text(lines(said, written + 2, True))


def test_no_text_of_a_file_moves_a_cursor(said: dict[str, Any]) -> None:
    said["command"] = "evil\x1b[2J\nprog"
    said["jobs"][0]["function"] = "\x1b]0;title\x07f\r\n"
    shown = text(lines(said, NOW))
    assert "\x1b" not in shown and "\x07" not in shown and "\r" not in shown
    assert "evil [2J prog" in shown


def test_any_part_may_be_missing_or_something_else(said: dict[str, Any]) -> None:
    chance = random.Random(3)
    assert lines({}, NOW)
    for _ in range(300):
        broken = json.loads(json.dumps(said))
        for _ in range(chance.randint(1, 6)):
            _break(broken, chance)
        lines(broken, NOW)


def _break(part: Any, chance: random.Random) -> None:
    key = chance.choice(list(part)) if isinstance(part, dict) and part else 0
    if isinstance(part, list) and part:
        key = chance.randrange(len(part))
    elif not isinstance(part, dict) or not part:
        return
    if isinstance(part[key], dict | list) and chance.random() < 0.7:
        _break(part[key], chance)
    elif chance.random() < 0.3 and isinstance(part, dict):
        del part[key]
    else:
        part[key] = chance.choice((None, "text", -1, 1e300, [], {}, [1], {"a": None}, True))


def test_dates_are_those_of_this_machine() -> None:
    assert at("ends", None) == {"ends": None, "ends_at": None}
    assert at("ends", 1796016400.1239)["ends"] == 1796016400.124
    assert at("ends", 1796016400.0)["ends_at"].startswith("2026-11-30T")
