"""The lines of `-v`: in memory, and of real ranks."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

from scoopmpi.watching import verbose
from tests.support.libraries import libraries
from tests.support.starting import MYSCOOP, start

PROGRAM = """
from scoopmpi import futures

def square(x):
    return x * x

def some(x):
    if x == 3:
        raise ValueError(x)
    return x

if __name__ == "__main__":
    print(sum(futures.map(square, range(1000))))
    calls = [futures.submit(some, x) for x in range(5)]
    print(sum(call.exception() is None for call in calls))
"""


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, "scoopmpi")
    return caplog


def test_there_is_no_reader_unless_somebody_wants_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "scoopmpi")
    assert verbose.reader() is None
    caplog.set_level(logging.DEBUG, "scoopmpi")
    assert isinstance(verbose.reader(), verbose.Verbose)


def test_a_run_in_lines(lines: pytest.LogCaptureFixture) -> None:
    reader = verbose.Verbose()
    reader.job_begun(1, "calls", "a submitted call", None, None)
    reader.worker_joined(1, "n1", 7)
    reader.worker_joined(2, "n2", 8)
    reader.job_begun(2, "map", "square", 6, None)
    reader.tasks_recalled(2, 0, 3)
    reader.tasks_finished(2, 1, 0, 4, 1, -1.0, None)
    reader.tasks_finished(2, 1, 0, 1, 0, 0.5, None)
    reader.tasks_retried(2, 2, 0, 1)
    reader.worker_lost(2, "n2")
    reader.tasks_given_up(2, 3, 0, 1)
    reader.job_paused(0, True)
    reader.job_paused(2, True)
    reader.job_paused(2, False)
    reader.job_ended(2)
    reader.tasks_finished(2, 1, 0, 1, 0, 0.25, None)
    reader.tasks_finished(1, 1, 0, 2, 0, 0.25, None)
    reader.job_begun(3, "nested", "a nested function", 5, None)
    reader.tasks_finished(3, 1, 0, 5, 0, 1.0, None)
    reader.farm_closed(0)
    texts = [re.sub(r"after \S+ s", "after S s", line) for line in lines.messages]
    assert texts == [
        "worker 1 joined: pid 7 on n1",
        "worker 2 joined: pid 8 on n2",
        "map 1 of square begins",
        "map 1 of square: 1 task of worker 2 tried again",
        "map 1 of square: 1 task of worker 3 given up",
        "map 1 of square: no more tasks begin, as they would not end in time",
        "map 1 of square: tasks begin again",
        "map 1 of square ends after S s: 5 tasks in 2 batches, 0.5 s of work, "
        "1 raised an exception, 3 from the checkpoint, 1 tried again, 1 given up",
        "in all: 2 workers, 1 lost; 1 map, 2 submitted calls, 5 nested tasks handed to other "
        "workers; 13 tasks in 5 batches, 2 s of work, "
        "1 raised an exception, 3 from the checkpoint, 1 tried again, 1 given up",
    ]


@pytest.mark.timeout(60)
@pytest.mark.ranks
def test_a_run_of_real_ranks(tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(PROGRAM)
    answer = start(libraries()[0], [*MYSCOOP, "-v", "-n", "2", "prog.py"], cwd=tmp_path)
    assert (answer.stdout, answer.returncode) == ("332833500\n4\n", 0), answer.stderr
    said = re.findall(r"^scoopmpi: INFO: (.*)$", answer.stderr, re.MULTILINE)
    assert len([line for line in said if re.fullmatch(r"worker \d joined: pid \d+ on .+", line)])
    ends = [line for line in said if line.startswith("map 1 of square ends after ")]
    assert len(ends) == 1 and ": 1000 tasks in " in ends[0]
    assert re.fullmatch(
        r"in all: [12] workers?; 1 map, 5 submitted calls; 1005 tasks in \d+ batches, \S+ s of "
        r"work, 1 raised an exception", said[-1],
    )  # fmt: skip
