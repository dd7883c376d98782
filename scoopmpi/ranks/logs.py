"""The files that rank 0 writes of a job, and those that workers shall write: opened and told of.

Where the command has started the ranks it has looked at the names before; under a mpirun of the
user's own rank 0 is the first to do so. What is in the files is decided elsewhere.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from ..farm.observer import Observer
from ..process import named_files, rank_settings
from ..process.named_files import NameProblem
from ..program.scoop_options import Options


class Logs:
    """The logs of one job, on rank 0.

    options: ours. What cannot be opened is kept for `check`, as the farm must be there to end.
    """

    def __init__(self, options: Options) -> None:
        self.tasks: Observer | None = None
        """The reader that writes the log of tasks."""
        self._problem: NameProblem | None = None
        goes_on = os.environ.pop(rank_settings.AGAIN, "") != ""
        try:
            if options.task_log is not None:
                self.tasks = _task_log(options.task_log, goes_on)
            if options.task_output is not None:
                _look_at(options.task_output)
        except NameProblem as problem:
            self._problem = problem

    def check(self) -> None:
        """Raise NameProblem where a log cannot be written."""
        if self._problem is not None:
            raise self._problem


def _task_log(name: str, goes_on: bool) -> Observer:
    from ..farm import task_log  # late: few jobs have one

    return task_log.begun("--task-log", name, goes_on)


def _look_at(directory: str) -> None:
    """Look whether files of tasks can be made; say where there are some of a former run."""
    path = named_files.named("--task-output", directory)
    if reason := named_files.directory_refusal(path):
        raise NameProblem(f"--task-output {path} cannot be written: {reason}")
    found: list[str] = []
    with suppress(OSError):  # not there yet, or it may be written and not be listed
        found = os.listdir(path)
    if any(name[0].isdigit() for name in found):  # `1-model`; workers may have begun with others
        text = f"scoopmpi: --task-output {path}: what a former run has left there stays"
        print(f"{text}; tasks of the same names get a number: 17.2.out", file=sys.stderr)
