"""What follows from a log, and the lines that a person sees of it."""

from __future__ import annotations

import io
import json
import time

import pytest

from scoopmpi.sweep.log import lines, shown
from scoopmpi.sweep.log.history import History, Start
from scoopmpi.sweep.log.summary import Standing, done, failed, plain, summary
from scoopmpi.watching.status.shown import BAD, GOOD, STRONG

from .ends import HEADER, NEW, WHEN, end, whole
from .test_known import WORKERS

NOW = WHEN + 100


def told(text: bytes) -> History:
    return History(io.BytesIO(text))


def person(text: bytes, lives: bool | None = None) -> str:
    found = told(text)
    made = shown.lines("run.log", found, summary(found), NOW, lives)
    assert all(len(line.text) <= 80 for line in made)
    return "\n".join(line.text for line in made)


FIRST = (
    HEADER + lines.items(10, 0, 0)
    + b"".join(whole(end(number, started=WHEN + number)) for number in range(1, 6))
    + whole(end(6, status=3)) + whole(end(7, status=-9, host="node2", worker=4, seconds=9.0))
    + lines.started(8, 3, WHEN + 20)
)  # fmt: skip


def test_how_a_run_stands_while_it_runs() -> None:
    found = summary(told(FIRST))
    assert found.standing == Standing(total=10, done=5, failed=2, left=3)
    assert found.running == {8: Start(3, WHEN + 20)} and not found.is_over
    assert [(work.worker, work.host, work.items, work.failed) for work in found.workers] == [
        (3, "node1", 6, 1), (4, "node2", 1, 1),
    ]  # fmt: skip
    assert found.durations is not None and found.durations.median == 0.25
    assert found.slowest[0][:2] == (7, 9.0) and len(found.slowest) == 7
    assert {failure.why: failure.numbers for failure in found.failures} == {
        "exit status 3": [6], "SIGKILL": [7],
    }  # fmt: skip
    assert (found.first, found.last) == (WHEN + 1, WHEN + 16)
    assert found.rate == pytest.approx(7 / 15)
    assert found.expected == pytest.approx(WHEN + 16 + 3 / (7 / 15))
    assert json.loads(json.dumps(plain(found)))["running"]["8"] == {"worker": 3, "at": WHEN + 20}


def test_what_a_second_run_has_changed() -> None:
    second = FIRST + HEADER + lines.items(4, 2, 1)  # the table was cut, row 3 edited
    found = summary(told(second))
    assert found.standing == Standing(4, 2, 1, 1) and found.running == {} and not found.rate
    found = summary(told(second + whole(end(3, NEW)) + lines.over(NOW)))
    assert found.standing == Standing(4, 3, 1, 0) and found.is_over and found.expected is None
    cut = told(FIRST + HEADER + lines.items(4, 4, 0) + lines.over(NOW))
    assert failed(cut).tolist() == [] and summary(cut).failures == [], "they are not there any more"
    retried = told(FIRST + HEADER + whole(end(6)) + whole(end(8, status=1)))
    assert done(retried).tolist() == [1, 2, 3, 4, 5, 6] and failed(retried).tolist() == [7, 8]
    assert summary(retried).standing == Standing(None, 6, 2, None)
    assert [slow.number for slow in summary(retried).slowest].count(6) == 1
    assert retried.broken == {}


def test_a_failed_item_that_runs_once_more_has_not_failed_yet() -> None:
    found = told(FIRST + HEADER + lines.started(6, 1, WHEN))
    assert (
        failed(found).tolist() == [7] and list(found.running) == [6] and list(found.broken) == [8]
    )


def test_what_a_killed_run_had_started_runs_in_the_next() -> None:
    found = told(FIRST + HEADER + lines.started(8, 1, WHEN))
    assert found.running == {8: Start(1, WHEN)} and not found.broken


def test_a_log_of_the_worker_framework() -> None:
    found = summary(told(WORKERS))
    assert found.standing == Standing(None, 1, 1, None) and list(found.running) == [8]
    assert [(slow.number, slow.seconds, slow.worker) for slow in found.slowest] == [
        (1, 135.0, 1), (7, 60.0, 2),
    ]  # fmt: skip
    assert found.failures[0].why == "exit status 1" and found.expected is None
    text = person(WORKERS)
    assert text.startswith("run.log: 1 done, 1 failed, 1 without an end\n")
    assert "8 by worker 2 since" in text and "longest 60 s" in text


def test_the_lines_for_a_person() -> None:
    text = person(FIRST, lives=True)
    assert text.startswith("run.log: 5 of 10 done, 2 failed, 3 left; it runs\n")
    assert "--data t.csv ./x" in text and "95 % up to 0.25 s, longest 0.25 s" in text
    assert "1  exit status 3: 6" in text and "1  SIGKILL: 7" in text
    assert "Running\n           8 by worker 3 since" in text
    assert "; it runs, or was killed\n" in person(FIRST)
    assert "; it was killed: run it again" in person(FIRST, lives=False)
    assert "Started, without an end" in person(FIRST + lines.over(NOW))
    strange = person(FIRST + b"a strange line\n7 compl\n")
    assert "2 lines are none of such a log, the first: 'a strange line'" in strange
    empty = person(b"")
    assert empty == "run.log: 0 done, 0 failed"


@pytest.mark.parametrize(("text", "mark"), [
    (HEADER + lines.items(1, 0, 0) + whole(end(1)), GOOD),
    (HEADER + lines.items(2, 0, 0) + whole(end(1)), STRONG),
    (FIRST, BAD),
])  # fmt: skip
def test_the_first_line_stands_out(text: bytes, mark: str) -> None:
    found = told(text)
    assert shown.lines("x", found, summary(found), NOW, None)[0].mark == mark


def test_long_lists_say_how_long_they_are() -> None:
    text = HEADER + b"".join(lines.started(number, number, WHEN) for number in range(100, 150))
    text += b"".join(
        whole(end(number, status=number, worker=number)) for number in range(1, 60)
    ).replace(b"--data", b"x" * 400)
    seen = person(text)
    assert "Running (8 of 50)" in seen and "Failures (10 of 59)" in seen
    assert "Workers (40 of 59)" in seen


def test_a_million_items_are_read_in_some_ten_seconds() -> None:
    """300,000 lines a second, three an item; a third of it is asked, as others are at work."""
    count = 30_000
    text = HEADER + b"".join(whole(end(number, started=WHEN)) for number in range(1, count + 1))
    began = time.process_time()
    assert len(told(text).numbers) == count
    assert 3 * count / (time.process_time() - began) > 100_000
