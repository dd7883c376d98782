"""Whether jobs are shown, and how: a bar where stderr is a terminal, lines where it is a log.

Nobody asked: a bar on a terminal, a line a minute in a batch job, else nothing. `--progress`: lines
where there is no terminal. `--no-progress`: nothing, whatever the program asks for.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from ...output import console
from ...output.outlet import Outlet
from ..tally import Tally
from .display import LINE_SECONDS, Bar, Display, Log, Stay
from .reader import Progress

DUMB = ("dumb", "unknown")
"""Terminals that cannot move a cursor: they get lines."""
JOBS = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "OAR_JOB_ID", "COBALT_JOBID", "PJM_JOBID")
"""Variables of batch jobs."""
GRID_ENGINE = ("JOB_ID", "SGE_ROOT")
"""The variables of a job of Grid Engine, whose first alone may be anybody's."""


def reader(
    tally: Tally, asked: bool | None, env: Mapping[str, str], quiet: bool = False
) -> Progress | None:
    """Return the reader that shows how far jobs are; None where nobody is to see it.

    tally: counts for it. asked: by --progress or --no-progress, None for neither. env: the
    settings of the user, and of the batch job. quiet: -q was given.
    """
    fd = _stderr()
    if asked is False or fd is None or (quiet and asked is None):
        return None
    if with_bar(fd, env):
        return Progress(tally, lambda stay: _bar(fd, stay, env))
    if asked:
        return Progress(tally, Log)
    if in_batch_job(env) or os.isatty(fd):
        return Progress(tally, Log, after=LINE_SECONDS)
    return None


def asked_by_program(tally: Tally, env: Mapping[str, str]) -> Progress | None:
    """Return a reader that shows only the maps whose program asks for it (`progress=True`)."""
    fd = _stderr()
    if fd is None:
        return None
    if with_bar(fd, env):
        return Progress(tally, lambda stay: _bar(fd, stay, env), after=None)
    return Progress(tally, Log, after=None)


def with_bar(fd: int, env: Mapping[str, str]) -> bool:
    """True where a bar can be drawn: on a terminal that can move its cursor."""
    return os.isatty(fd) and env.get("TERM", "").lower() not in DUMB


def in_batch_job(env: Mapping[str, str]) -> bool:
    """True in a job of a batch system, whose output nobody watches line by line."""
    return any(env.get(name) for name in JOBS) or all(env.get(name) for name in GRID_ENGINE)


def _bar(fd: int, stay: Stay, env: Mapping[str, str]) -> Display:
    way = console.outlet(2)
    if way is None:  # nobody writes through us here
        way = Outlet()
        way.takes(fd)
    return Bar(fd, way, stay, env, getattr(sys.stderr, "encoding", None) or "utf-8")


def _stderr() -> int | None:
    """Return the descriptor of the program's stderr, None where it has none."""
    try:
        return None if sys.stderr is None else sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        return None
