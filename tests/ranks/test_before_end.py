"""What is said of a program that was ended before its job, and its exit status."""

from __future__ import annotations

import pytest

from scoopmpi.farm.stop_before import Stopped
from scoopmpi.farm.tasks_left import MapLeft, TasksLeft
from scoopmpi.ranks.before_end import said, status

LEFT = TasksLeft((MapLeft("simulate", 629, 1000),))


def test_the_line_says_what_is_left_and_where_the_rest_is() -> None:
    stopped = Stopped(LEFT, 29, 48.3)
    begins = "stopped 48 s before the end of the job: 371 of 1000 tasks of simulate are left; "
    assert said(stopped, "run.ckpt", 629) == (
        f"{begins}629 are in run.ckpt: run again, and it goes on from there"
    )
    assert said(stopped, "run.ckpt", None).startswith(f"{begins}what is done is in run.ckpt: run")
    assert said(stopped, None, None) == (
        f"{begins}the outcomes of tasks that the program has not saved are lost "
        "(--checkpoint FILE keeps them as they come)"
    )
    assert said(stopped._replace(run=0), "run.ckpt", 629) == (
        f"{begins}none has run: the job is too short, or --stop-before keeps too much of it"
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "0 s"), (179.0, "179 s"), (1500.0, "25 min"), (7500.0, "2 h 5 min")],
)
def test_a_time_is_short_to_read(seconds: float, words: str) -> None:
    stopped = Stopped(TasksLeft((), 1, 4), 3, seconds)
    text = f"stopped {words} before the end of the job: 1 of 4 submitted calls is left; 1 is in c: "
    assert said(stopped, "c", 1).startswith(text)


@pytest.mark.parametrize(
    ("run", "of_program", "found"),
    [(3, 75, 75), (3, 0, 75), (3, 7, 7), (3, 143, 143), (0, 75, 1), (0, 0, 1), (0, 7, 7)],
)
def test_a_status_of_its_own_where_another_job_goes_on(
    run: int, of_program: int, found: int
) -> None:
    assert status(Stopped(LEFT, run, 1.0), of_program) == found
