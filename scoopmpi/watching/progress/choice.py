"""Whether jobs are shown, and how: a bar where stderr is a terminal, lines where it is a log.

Nobody asked: a bar on a terminal, a line a minute in a batch job, else nothing. `--progress`: lines
where there is no terminal. `--no-progress`: nothing, whatever the program asks for.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING

from ...process import lifeline, rank_settings

if TYPE_CHECKING:  # most programs that nobody looks at load nothing of it
    from ..observer import Observer
    from .display import Display, Stay
    from .reader import Make, Progress

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

    asked: by --progress or --no-progress, None for neither. env: the settings of the user, of the
    batch job, and what the command has said to rank 0, which is taken out. quiet: -q was given.
    """

    def __init__(
        self, asked: bool | None, env: MutableMapping[str, str], quiet: bool = False
    ) -> None:  # fmt: skip
        self._relays = env.pop(rank_settings.TERMINAL, "") != ""
        self._asked, self._env, self._quiet = asked, env, quiet
        self._stderr = _stderr()
        self._way = None if self._stderr is None else os.fstat(self._stderr)  # programs redirect it
        self.progress: Progress | None = None
        """What shows, once it was made."""
        self._own: Make | None = None  # makes the program's own display
        self._making = threading.Lock()  # any thread of the program may be the first to ask

    def readers(self) -> Sequence[Observer]:
        """Return the readers that show all jobs, in the order in which they are to hear of events;
        none where nobody is to see them."""
        if self._stderr is None or silent(self._asked, self._quiet):
            return ()
        if self._asked or self._relays or can_draw(self._stderr, self._env):
            from .series import SOON

            return self._made(SOON)
        if in_batch_job(self._env) or os.isatty(self._stderr):
            return self._made(AFTER_SECONDS)
        return ()

    def readers_for_some(self) -> Sequence[Observer]:
        """Return readers that show only what the program asks for (`progress=True`): none where all
        is shown already, or nothing shall be."""
        if self._asked is False or self._stderr is None:
            return ()
        with self._making:
            return () if self.progress is not None else self._made(None)

    def readers_by(self, make: Make) -> Sequence[Observer]:
        """Return the readers that show all jobs by a display of the program's own: a notebook.

        None where nothing shall be shown, or there are readers already, which show there from now.
        """
        if silent(self._asked, self._quiet):
            return ()
        from .series import SOON

        self._own = make
        if self.progress is None:
            return self._made(SOON)
        self.progress.shows_after(SOON)
        return ()

    def rest(self) -> None:
        """Leave the last state of what is shown, where nothing runs."""
        if self.progress is not None:
            self.progress.rest()

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

    def _display(self, stay: Stay) -> Display:
        if self._own is not None:
            return self._own(stay)
        from .display import Bar, Log, on_stderr, on_stdout

        fd = self._stderr
        if fd is not None and self._relays and self._way is not None:
            from .relayed import Relay

            return Relay(fd, on_stderr(fd), stay, self._way)
        if fd is not None and can_draw(fd, self._env):
            from .modes import reads_lines

            encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
            command = lifeline.command

            def ours() -> bool:
                return command.in_front() and reads_lines(fd)

            bar = Bar(fd, on_stderr(fd), stay, self._env, encoding, ours)
            bar.keep_clear_of(1, on_stdout())
            return bar
        return Log(stay)


def draws(asked: bool | None, quiet: bool, env: Mapping[str, str]) -> bool:
    """True where the command can draw a bar on its own stderr, and is not asked to be silent."""
    fd = _stderr()
    return fd is not None and not silent(asked, quiet) and can_draw(fd, env)


def silent(asked: bool | None, quiet: bool) -> bool:
    """True where nothing is to be shown."""
    return asked is False or (quiet and asked is None)


def can_draw(fd: int, env: Mapping[str, str]) -> bool:
    """True where a bar can be drawn: on a terminal that can move its cursor."""
    return os.isatty(fd) and env.get("TERM", "").lower() not in DUMB


def in_batch_job(env: Mapping[str, str]) -> bool:
    """True in a job of a batch system, whose output nobody watches line by line."""
    return any(env.get(name) for name in JOBS) or all(env.get(name) for name in GRID_ENGINE)


def _stderr() -> int | None:
    """Return the descriptor of the program's stderr, None where it has none."""
    try:
        if sys.stderr is None:
            return None
        os.fstat(fd := sys.stderr.fileno())
        return fd
    except (AttributeError, OSError, ValueError):
        return None
