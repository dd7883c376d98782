"""How much of a job's time is kept free for its end, and what cannot be kept."""

from __future__ import annotations

import pytest

from scoopmpi.process.time_kept_free import LEAST, MOST, auto, refusal, seconds


@pytest.mark.parametrize(
    ("walltime", "free"),
    [(8.0, 2.0), (40.0, LEAST), (500.0, LEAST), (1000.0, 20.0), (3000.0, MOST), (1e6, MOST)],
)
def test_auto_is_a_share_of_the_job_within_bounds(walltime: float, free: float) -> None:
    assert auto(walltime) == pytest.approx(free)


def test_the_bounds_are_those_of_the_periods_that_they_come_from() -> None:
    assert (LEAST, MOST) == (10.0, 60.0)


def test_what_the_option_says() -> None:
    assert (seconds("auto"), seconds("60"), seconds("0.5")) == (None, 60.0, 0.5)


@pytest.mark.parametrize(
    ("text", "walltime", "env", "said"),
    [
        ("60", None, {}, "no batch system says when"),
        ("auto", None, {"PATH": "/bin"}, "no batch system says when"),
        ("60", None, {"SLURM_JOB_ID": "7"}, None),
        ("auto", None, {"PBS_JOBID": "7.head"}, None),
        ("60", 3600.0, {}, None),
        ("auto", 5.0, {}, None),
        ("60", 60.0, {"SLURM_JOB_ID": "7"}, "nothing could run"),
        ("90.5", 60.0, {}, "nothing could run, as --walltime gives 60 s, and all are kept free"),
    ],
)
def test_only_what_is_certain_is_refused(
    text: str, walltime: float | None, env: dict[str, str], said: str | None
) -> None:
    found = refusal(text, walltime, env)
    assert (found is None) if said is None else (found is not None and said in found)
