"""Who reads the events of a job on rank 0, and the files that are written of it: opened, told of.

Where the command has started the ranks it has looked at the names before; under a mpirun of the
user's own rank 0 is the first to do so. What is in the files is decided in `watching`.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from ..executors.watching_files import Files, WatchedRun, opened
from ..process import named_files, rank_settings
from ..process.named_files import NameProblem
from ..program.scoop_options import Options
from ..watching import verbose
from ..watching.observer import Observer
from ..watching.progress.choice import Choice
from ..wire.transport import library

if TYPE_CHECKING:
    from ..process.job_end import JobEndWatch


class Readers:
    """The readers of one job, on rank 0, and the names of what workers shall write.

    options: ours. others: further readers. What cannot be opened is kept for `check`, as the farm
    must be there to end.
    """

    def __init__(self, options: Options, *others: Observer | None) -> None:
        self.all: list[Observer] = []
        """In the order in which they are told."""
        self._walltime, self._began = options.walltime, rank_settings.began(os.environ)
        self._goes_on = os.environ.pop(rank_settings.AGAIN, "") != ""
        self._problem: NameProblem | None = None
        self.progress = Choice(options.progress, os.environ, options.quiet)
        """What shows how far jobs are, if anything does."""
        for reader in (verbose.reader(), *self.progress.readers()):
            self._add(reader)
        try:
            self._open(options)
            if options.task_output is not None:
                _look_at(options.task_output)
        except NameProblem as problem:
            self._problem = problem
        for reader in others:
            self._add(reader)

    def _add(self, reader: Observer | None) -> None:
        if reader is not None:
            self.all.append(reader)

    def _open(self, options: Options) -> None:
        """Open a reader for each option that asks for one; each is loaded only then."""
        if options.task_log is not None:
            from ..watching import task_log

            self._add(task_log.begun("--task-log", options.task_log, self._goes_on))
        files = Files(options.status, options.trace, options.report)
        run = WatchedRun(
            options.words, library, lambda: self.job_end,
            stops=options.stop_before is not None, checkpoint=options.checkpoint,
        )  # fmt: skip
        for reader in opened(files, run, called="--{}"):
            self._add(reader)

    @cached_property
    def job_end(self) -> JobEndWatch:
        """What knows when the batch job ends: it asks as soon as somebody wants to know."""
        from ..process.job_end import JobEndWatch

        watch = JobEndWatch(os.environ, self._walltime, self._began)
        watch.start()
        return watch

    def check(self) -> None:
        """Raise NameProblem where a file cannot be written."""
        if self._problem is not None:
            raise self._problem


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
