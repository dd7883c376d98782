"""A job that is to be submitted, from what was asked for to the number that it gets.

The same for a first job (`wsub`) and for one that goes on (`wresume`).
"""

from __future__ import annotations

import os
import re
import shlex
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import click

from ...sweep import options as of_sweep
from ...sweep.asked import SweepOptions
from . import options_for_job
from .batch_file import PBS, SLURM
from .checking import Checked
from .command_line import CommandLine
from .job_script import HANDED_OVER, JobScript
from .submitting import BatchSystem, submit
from .words import Given, Option, Refused, read

_MYSCOOP = "myscoop"
_ARRAY = {PBS: "-J", SLURM: "-a"}
"""By whose it is: the option that would make a job of each number."""
STOP_BEFORE = Option(
    "stop-before", "Begin no item that the end of the job, less these seconds, would cut; auto.",
    "SECONDS", dash="--",
)  # fmt: skip
OF_JOB = (
    Option("threaded", "Cores for each item; the job has as many workers as that leaves room for.",
           "N"),
    Option("mpiverbose", "Let the MPI launcher show what it does."),
    Option("master", "Nothing: who deals out the items takes no core from them."),
    Option("sleep", "Nothing: who deals out the items does not spin.", "MICROSECONDS"),
    Option("dryrun", "Show the job script, the command that would submit it, and the first items."),
    Option("verbose", "Say on stderr what is done."),
    Option("quiet", "Say nothing but errors, and the number of the job."),
)  # fmt: skip
"""Options of `wsub` and `wresume` alike."""
_KEPT = ("threaded", "mpiverbose", STOP_BEFORE.name)
"""Of these, what a job that goes on has as well."""
_OF_SWEEP = (
    "--item-timeout", "--retries", "--halt", "--stop-on-failure", "--output-dir", "--results",
    "--joblog", "--reduce", "--reductor", "--delimiter",
)  # fmt: skip
"""Those of `myscoop sweep` that neither qsub nor sbatch has."""
SWEEPS = tuple(
    Option(param.opts[0][2:], param.help or "", param.metavar or "", takes=param.nargs, dash="--")
    for param in of_sweep.PARAMETERS
    if param.opts[0] in _OF_SWEEP
)


@dataclass(frozen=True, slots=True)
class Submission:
    """A job to be submitted. options: of qsub or sbatch, in front of the script."""

    system: BatchSystem
    options: Sequence[str]
    script: JobScript
    checked: Checked

    def deliver(self, command: CommandLine, given: Given) -> int:
        """Submit it, or show it with -dryrun; return the exit status of the command."""
        if not os.path.isdir(self.script.directory):
            raise Refused(f"{self.script.directory}: the directory of the job is not there")
        words = shlex.join([self.system.name, *self.options])
        if given.has("verbose"):
            command.say(f"{self.system.command}, in {self.script.directory}: {words}")
        if given.has("dryrun"):
            click.echo(self.script.text(), nl=False)
            command.show(f"# {line}" for line in (words, *self.checked.preview()))
            return 0
        if not given.has("quiet"):
            click.echo(f"total number of work items: {self.checked.source.size}", err=True)
        answer = submit(self.system, self.options, self.script.text(), self.script.directory)
        if answer.status:
            command.say(f"{self.system.name} has not taken the job: exit status {answer.status}")
            return answer.status if answer.status > 0 else 1
        command.show([answer.job])
        return 0


def remarks(command: CommandLine, given: Given) -> None:
    """Say which of the options do nothing here."""
    if not given.has("quiet"):
        for option in OF_JOB:
            if option.help.startswith("Nothing") and given.has(option.name):
                command.say(f"-{option.name} is left out. {option.help}")


def tell_what_is_left(command: CommandLine, checked: Checked, log: str, given: Given) -> None:
    """Say how the items stand by a log; Refused where none is left. given: may have -retry."""
    counts, retry = checked.counts(log), given.has("retry")
    failed = 0 if retry else counts.failed
    if counts.items == counts.done + failed:
        how = f", {failed} have failed: -retry runs them again" if failed else ""
        raise Refused(f"{log}: of {counts.items} items none is left{how}")
    if not given.has("quiet"):
        again = "" if retry else r" (-\1)"
        command.say(f"{log}: {_DASHES.sub(again, str(counts))}")


def sweeps_words(given: Given) -> list[str]:
    """Return the words of the sweep that a command line has by their own names."""
    return [
        word
        for option in SWEEPS
        for values in given.values.get(option.name, ())
        for word in (f"--{option.name}", *values)
    ]


_DASHES = re.compile(r" \(--(retry[^)]*)\)")
"""What the sweep says of an option, which has one dash here."""
_FILES = ("lines", "batch", "prolog", "epilog", "log", "joblog", "output_dir", "results")
_STDIN = "-"


def parsed(words: Sequence[str], directory: str) -> SweepOptions:
    """Return what words ask of the sweep, files with their full paths; Refused: what is wrong.

    directory: where the words were given.
    """
    try:
        asked = of_sweep.parsed(words)
    except click.UsageError as problem:
        raise Refused(problem.format_message()) from None
    if _STDIN in (*asked.data, asked.lines):
        raise Refused("the items came from stdin (-), which a job has not: write them into a file")
    full: dict[str, Any] = {"data": tuple(_full(path, directory) for path in asked.data)}
    for name in _FILES:
        path = getattr(asked, name)
        full[name] = None if path is None else _full(path, directory)
    return replace(asked, **full)


def _full(path: str, directory: str) -> str:
    return os.path.normpath(os.path.join(directory, path))


def tables(given: list[str]) -> list[str]:
    """Return the names of tables, several in one word too, unless a file is called so."""
    found = []
    for word in given:
        found += [word] if os.path.exists(word) else word.split(",")
    if "-" in found:
        raise Refused("-data -: a job has no stdin; write the table into a file")
    return found


def options_without_array(given: Given, whose: str) -> tuple[str, ...]:
    """Return the options that are handed on; Refused where they make a job of each number."""
    array = options_for_job.value(given.rest, _ARRAY[whose])
    if array is not None:
        raise Refused(f"{_ARRAY[whose]} {array} makes a job of each number; -t {array} makes items")
    return given.rest


def record(given: Given, rest: Sequence[str]) -> str:
    """Return what later jobs of the sweep are told of this one: `before` understands it.

    given: has the options of OF_JOB. rest: options of qsub or sbatch.
    """
    own = [word for name in _KEPT for word in (f"-{name}", *given.all(name)) if given.has(name)]
    return shlex.join([*own, "--", *rest])


def before(recorded: str) -> Given:
    """Return what an earlier job was asked for; recorded: empty where nobody has recorded it."""
    return read(shlex.split(recorded), (*OF_JOB, STOP_BEFORE))


def runs(given: Given, rest: Sequence[str], whose: str) -> list[str]:
    """Return the words in front of those of the sweep: the interpreter, myscoop, its options.

    given: has the options of OF_JOB. rest: options of qsub or sbatch.
    """
    named = options_for_job.value(rest, "-v") if whose == PBS else None
    names = [each.partition("=")[0] for each in (named or "").split(",")]
    found = ["--variablesprefix", ",".join([*HANDED_OVER, *filter(str.isidentifier, names)])]
    threads = given.number("threaded", 1)
    if threads is not None:
        found += ["--threads", str(threads)]
    if given.has("mpiverbose"):
        found.append("--debugmpi")
    margin = given.last(STOP_BEFORE.name)
    if margin is not None:
        found += ["--stop-before", margin]
    return [*_myscoop(), *found, of_sweep.NAME]


def _myscoop() -> list[str]:
    """Return the words that start myscoop where no environment is activated.

    The command itself where it is: with -m, modules in the directory of the job would stand in the
    place of Python's.
    """
    places = (os.path.dirname(os.path.abspath(sys.argv[0])), sysconfig.get_path("scripts"))
    for place in places:
        if os.path.isfile(path := os.path.join(place, _MYSCOOP)):
            return [sys.executable, path]
    return [sys.executable, "-m", f"{__package__.partition('.')[0]}.{_MYSCOOP}"]
