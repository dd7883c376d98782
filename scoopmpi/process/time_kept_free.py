"""How long before the end of its batch job a program is to end: `--stop-before`, as it is read.

What is done about it is decided on rank 0 (`farm.stop_before`), when the job ends in `walltime`.
Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..concurrency.periods import (
    DISK_SECONDS,
    END_SECONDS,
    LAUNCHER_END_SECONDS,
    LEAVE_SECONDS,
    UNBLOCKED_SECONDS,
)
from .walltime import in_job

AUTO = "auto"
LEAST = LEAVE_SECONDS + DISK_SECONDS + END_SECONDS + UNBLOCKED_SECONDS
MOST = LAUNCHER_END_SECONDS
SHARE, LARGEST_SHARE = 0.02, 0.25
"""`auto` is 2 % of the job's time, but not below what the end of a program may take where nothing
is stuck (the workers, the checkpoint, what tasks have left running), nor above what a launcher gets
for its end; of a job of less than a minute it is a quarter."""


def auto(walltime: float) -> float:
    """Return the seconds to keep free before the end of a job of so many."""
    return min(max(LEAST, SHARE * walltime), MOST, LARGEST_SHARE * walltime)


def seconds(text: str) -> float | None:
    """Return the seconds that `--stop-before` asks for, None for `auto`."""
    return None if text == AUTO else float(text)


def refusal(text: str, walltime: float | None, env: Mapping[str, str]) -> str | None:
    """Return why `--stop-before` cannot be kept, as far as that is certain; None where it can.

    walltime: what `--walltime` says. env: the variables of the job.
    """
    if walltime is None and not in_job(env):
        return "no batch system says when this job ends; add --walltime 12:00:00, for example"
    free = seconds(text)
    if walltime is not None and free is not None and free >= walltime:
        return f"nothing could run, as --walltime gives {walltime:g} s, and all are kept free"
    return None
