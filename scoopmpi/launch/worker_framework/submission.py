"""A job that is to be submitted: handed over, or shown; the same for `wsub` and `wresume`."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

import click

from .checking import Checked
from .command_line import CommandLine
from .job_script import JobScript
from .submitting import BatchSystem, submit
from .words import Given, Refused

_DASHES = re.compile(r" \(--(retry[^)]*)\)")
"""What the sweep says of an option, which has one dash here."""


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


def tell_what_is_left(command: CommandLine, checked: Checked, log: str, given: Given) -> None:
    """Say how the items stand by a log; Refused where none is left. given: may have -retry."""
    counts, retry = checked.counts(log), given.has("retry")
    failed = 0 if retry else counts.failed
    if counts.items == counts.done + failed:
        how = f"; failed: {failed}, -retry runs them again" if failed else ""
        raise Refused(f"{log}: of {counts.items} items none is left{how}")
    if not given.has("quiet"):
        again = "" if retry else r" (-\1)"
        command.say(f"{log}: {_DASHES.sub(again, str(counts))}")
