"""`--stop-before` on rank 0: what is asked for, what ends the program, and what the user is told.

Which tasks do not begin any more, and when nothing more can begin, is decided in the farm
(`farm.stop_before`).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..farm.stop_before import StopBefore, Stopped
from ..process import time_kept_free
from ..process.named_files import NameProblem
from ..process.stopping import Stopping
from ..program.scoop_options import STOPPED

if TYPE_CHECKING:
    from ..process.job_end import JobEndWatch

_HOUR = 3600


class BeforeEnd:
    """Ends a program before its batch job is ended.

    text, walltime: what `--stop-before` and `--walltime` say. ends: knows when the job ends.
    """

    def __init__(self, text: str, walltime: float | None, ends: JobEndWatch) -> None:
        self._text = text
        self._refusal = time_kept_free.refusal(text, walltime, os.environ)
        self._error = SystemExit(STOPPED)
        self._stopping: Stopping | None = None
        margin = time_kept_free.seconds(text)
        self.asked = StopBefore(ends, margin, self._error, self._stop)
        """What the farm is asked for."""

    def check(self) -> None:
        """Raise NameProblem where it is certain that this cannot be kept."""
        if self._refusal:
            raise NameProblem(f"--stop-before {self._text} cannot be kept: {self._refusal}")

    def end_by(self, stopping: Stopping) -> None:
        """Have the program be ended as signals end it."""
        stopping.take_own(self._error)
        self._stopping = stopping

    def _stop(self) -> None:
        if self._stopping is not None:
            self._stopping.stop()


def status(stopped: Stopped, of_program: int) -> int:
    """Return the exit status of a program that was ended before its job.

    of_program: its own, which counts where it is a failure. Where no task has run there is nothing
    from which another job could go on: a chain of jobs would not end.
    """
    if of_program in (0, STOPPED):
        return STOPPED if stopped.run else 1
    return of_program


def said(stopped: Stopped, checkpoint: str | None, kept: int | None) -> str:
    """Return what to tell the user of a program that was ended before its job.

    checkpoint: the file. kept: how many tasks are in it, None where that is not known.
    """
    text = f"stopped {_duration(stopped.seconds)} before the end of the job: {stopped.left} "
    text += f"{'is' if stopped.left.tasks == 1 else 'are'} left; "
    if not stopped.run:
        return f"{text}none has run: the job is too short, or --stop-before keeps too much of it"
    if checkpoint is None:
        return (
            f"{text}the outcomes of tasks that the program has not saved are lost "
            "(--checkpoint FILE keeps them as they come)"
        )
    done = "what is done is" if kept is None else f"{kept} {'is' if kept == 1 else 'are'}"
    return f"{text}{done} in {checkpoint}: run again, and it goes on from there"


def _duration(seconds: float) -> str:
    if seconds >= _HOUR:
        return f"{int(seconds / _HOUR)} h {int(seconds % _HOUR / 60)} min"
    return f"{seconds / 60:.0f} min" if seconds >= 180 else f"{seconds:.0f} s"
