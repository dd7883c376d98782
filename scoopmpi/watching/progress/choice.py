"""Whether jobs are shown, and how: a bar where stderr is a terminal, lines where it is a log.

Nobody asked: a bar on a terminal, a line a minute in a batch job, else nothing. `--progress`: lines
where there is no terminal. `--no-progress`: nothing, whatever the program asks for.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ...output import console
from ...output.outlet import Outlet

if TYPE_CHECKING:  # most programs that nobody looks at load nothing of it
    from ..observer import Observer
    from .display import Display, Stay
    from .reader import Progress

DUMB = ("dumb", "unknown")
"""Terminals that cannot move a cursor: they get lines."""
JOBS = (
    "SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "OAR_JOB_ID", "COBALT_JOBID", "PJM_JOBID",
    "FLUX_JOB_ID",
)  # fmt: skip
"""Variables of batch jobs."""
GRID_ENGINE = ("JOB_ID", "SGE_ROOT")
"""Those of a job of Grid Engine, of which the first alone may be anybody's."""
AFTER_SECONDS = 60.0
"""A job has to last so long to be told of in a batch job's log, where nobody has asked."""


class Choice:
    """What is shown to whom, and the readers that do it.

    asked: by --progress or --no-progress, None for neither. env: the settings of the user, and of
    the batch job. quiet: -q was given.
    """

    def __init__(self, asked: bool | None, env: Mapping[str, str], quiet: bool = False) -> None:
        self._asked, self._env, self._quiet = asked, env, quiet
        self._stderr = _stderr()
        self.progress: Progress | None = None
        """What shows, once it was made."""

    def readers(self) -> Sequence[Observer]:
        """Return the readers that show all jobs, in the order in which they are to hear of events;
        none where nobody is to see them."""
        quiet = self._asked is False or (self._quiet and self._asked is None)
        if quiet or self._stderr is None:
            return ()
        if self._asked or self._with_bar():
            from .series import SOON

            return self._made(SOON)
        if in_batch_job(self._env) or os.isatty(self._stderr):
            return self._made(AFTER_SECONDS)
        return ()

    def readers_for_some(self) -> Sequence[Observer]:
        """Return readers that show only what the program asks for (`progress=True`): none where all
        is shown already, or nothing shall be."""
        if self._asked is False or self._stderr is None or self.progress is not None:
            return ()
        return self._made(None)

    def end(self) -> None:
        """Leave the last state of what is shown: the program has ended."""
        if self.progress is not None:
            self.progress.end()

    def _made(self, after: float | None) -> Sequence[Observer]:
        from ..tally import Tally
        from .reader import Progress

        tally = Tally()
        self.progress = Progress(tally, self._display, after)
        return tally, self.progress

    def _with_bar(self) -> bool:
        """True where a bar can be drawn: on a terminal that can move its cursor."""
        fd, kind = self._stderr, self._env.get("TERM", "").lower()
        return fd is not None and os.isatty(fd) and kind not in DUMB

    def _display(self, stay: Stay) -> Display:
        from .display import Bar, Log

        if self._stderr is None or not self._with_bar():
            return Log(stay)
        way = console.outlet(2)
        if way is None:  # nobody writes through us here
            way = Outlet()
            way.takes(self._stderr)
        encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
        return Bar(self._stderr, way, stay, self._env, encoding)


def in_batch_job(env: Mapping[str, str]) -> bool:
    """True in a job of a batch system, whose output nobody watches line by line."""
    return any(env.get(name) for name in JOBS) or all(env.get(name) for name in GRID_ENGINE)


def _stderr() -> int | None:
    """Return the descriptor of the program's stderr, None where it has none."""
    try:
        return None if sys.stderr is None else sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        return None
