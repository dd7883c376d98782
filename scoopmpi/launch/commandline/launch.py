"""What to launch, a `Launch`: the program, and the groups of options as they came, whole.

`myscoop`, `mympirun` and `python -m scoopmpi` each make one. Nothing is decided here but what a
path or a name stands for.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ...process import interpreter, named_files
from ...program.scoop_options import Options
from ..flavours.ranks import LauncherOptions, LaunchError
from ..hosts.placement import Binding

NAMED = ("task_log", "task_output", "status", "trace", "report")
"""The options of a farm that name a file or directory for the job, with {job} in its name."""


@dataclass(frozen=True, slots=True)
class Launch:
    """A program to be started on ranks.

    words: the program and its arguments; none for the interactive shell.
    farm: the options of `python -m scoopmpi`, which every rank of a farm runs; None for a program
    without a farm, whose words are what each rank executes.
    asked: what the user wants of the launcher. binding: of the cores and GPUs of a worker.
    loaded: environment modules that each rank loads first, also several in one text, `A,B`.
    flags: words for the interpreter of the ranks, by default those that this one was given.
    output: the name of a file for each rank of a program without a farm.
    terminal: whether our stderr is a terminal, on which we may draw what rank 0 says of its jobs.
    kernel: rank 0 is a kernel of a front end on this host, which must reach it.
    front_end: the process of that, where it is known: the job ends with it.
    """

    words: Sequence[str]
    farm: Options | None = field(default_factory=Options)
    asked: LauncherOptions = field(default_factory=LauncherOptions)
    binding: Binding = field(default_factory=Binding)
    loaded: Sequence[str] = ()
    flags: Sequence[str] = field(default_factory=interpreter.flags)
    output: str | None = None
    terminal: bool = False
    kernel: bool = False
    front_end: int | None = None

    @property
    def has_farm(self) -> bool:
        """True where rank 0 has a farm, and takes no slot."""
        return self.farm is not None

    @property
    def python(self) -> tuple[str, ...]:
        """Return the interpreter of the ranks and its own options, as words."""
        chosen = self.farm.python if self.farm else None
        return (chosen or sys.executable, *self.flags)

    @property
    def prolog(self) -> str | None:
        """Return the shell script that each rank runs first."""
        return self.farm.prolog if self.farm else None

    @property
    def checkpoint(self) -> str | None:
        """Return the file in which outcomes are kept."""
        return self.farm.checkpoint if self.farm else None

    @property
    def restarts(self) -> int:
        """Return how often to start it again from its checkpoint, where it has crashed."""
        return (self.farm.restarts or 0) if self.farm else 0


def with_paths(options: Options) -> Options:
    """Return the options with full paths, as ranks may be elsewhere.

    Raises LaunchError where the interpreter that they name is not there.
    """
    if options.checkpoint is not None:
        options = options._replace(checkpoint=os.path.abspath(options.checkpoint))
    number = _job_number()
    if options.output is not None:
        options = options._replace(output=of_each_rank(options.output))
    names: dict[str, Any] = {name: getattr(options, name) for name in NAMED}
    for option, path in names.items():
        if path is not None:
            names[option] = os.path.abspath(named_files.with_job(path, number))
    options = options._replace(**names)
    if options.python is None:
        return options
    found = shutil.which(options.python)
    if found is None:
        raise LaunchError(f"--python-interpreter {options.python}: there is no such program")
    return options._replace(python=os.path.abspath(found))


def output_name(path: str) -> str:
    """Return the full path that --output gives, with the job's number, and what ranks fill in."""
    return os.path.abspath(named_files.with_job(path, _job_number()))


def of_each_rank(path: str | None) -> str | None:
    """Return the same where each rank or host has a file of its own, else None."""
    return None if path is None or not named_files.differs(path) else output_name(path)


def _job_number() -> str:
    return named_files.job_number(os.environ) or str(os.getpid())
