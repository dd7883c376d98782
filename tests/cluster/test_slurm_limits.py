"""What Slurm ends by itself; in the last file, as its shortest limit is a minute."""

from __future__ import annotations

import pytest

from .jobs import Job, await_that, tasks_begun

pytestmark = pytest.mark.timeout(240)


def test_at_the_time_limit_no_process_is_left(limited: Job) -> None:
    ended = limited.ended(180)
    assert tasks_begun(limited.output.parent) == 2, ended.text
    assert ended.state == "TIMEOUT"
    await_that(lambda: not limited.left(), lambda: f"left: {limited.left()}")
