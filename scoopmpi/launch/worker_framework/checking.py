"""Check on the login node what a job would find wrong with its files, before it waits.

What only the job has is left to it: interpreters that come with modules, variables of the job.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from typing import NamedTuple

from ...sweep import dry_run
from ...sweep.asked import SweepOptions
from ...sweep.command.command import Command, CommandProblem
from ...sweep.command.opening import opened as command_of_words
from ...sweep.command.script import Script
from ...sweep.command.substituted import Substituted
from ...sweep.items.identity import Identity
from ...sweep.items.item import Item, ItemsProblem, Source
from ...sweep.items.opening import opened
from ...sweep.log.known import Counts, Known
from .words import Refused


class Checked(NamedTuple):
    """What a sweep is asked for, in which nothing is wrong.

    script: the text of the batch file in the job; None without one.
    """

    asked: SweepOptions
    script: bytes | None
    source: Source
    command: Command

    def counts(self, log: str) -> Counts:
        """Return how the items stand by a log."""
        identity = Identity(self.source.columns, self.command.digest())
        with open(log, "rb") as file:
            known = Known(file)
        return known.count(
            Item(item.number, item.values, identity.of(item.values)) for item in self.source
        )

    def preview(self) -> list[str]:
        """Return the first items as they would run, a line each and more."""
        with tempfile.NamedTemporaryFile() as file:
            file.write(self.script or b"")
            file.flush()
            batch = None if self.script is None else file.name
            try:
                found = list(dry_run.lines(replace(self.asked, batch=batch)))
            except dry_run.PROBLEMS as problem:  # the job may have what is missing here
                found = [str(problem)]
        return [line.replace(file.name, str(self.asked.batch)) for line in found]


def checked(asked: SweepOptions, script: bytes | None) -> Checked:
    """Return what a sweep is asked for with its items and its command; Refused: what is wrong.

    script: the text of the batch file in the job; None without one.
    """
    source = items(asked)
    if source.size == 0:
        raise Refused("there is no item: the table has no row below its names")
    _refuse_places(asked)
    try:
        if script is None:
            of_words = command_of_words(asked.words, None, False, source.columns, os.environ)
            return Checked(asked, None, source, of_words)
        text = Script(script, str(asked.batch))
        command = Substituted(text, source.columns) if asked.substitute else text
        return Checked(asked, script, source, command)
    except CommandProblem as problem:
        raise Refused(str(problem)) from None


def _refuse_places(asked: SweepOptions) -> None:
    """Refuse files that the job could not make, as their directory is missing."""
    for name in filter(None, (asked.log, asked.joblog, asked.results)):
        folder = os.path.dirname(name)
        if "$" not in folder and folder and not os.path.isdir(folder):  # $ is the job's
            raise Refused(f"{name}: there is no directory {folder}; make it first")


def items(asked: SweepOptions) -> Source:
    """Return the items of a sweep; Refused says what is wrong with their tables."""
    try:
        return opened(asked.asked)
    except ItemsProblem as problem:
        raise Refused(str(problem)) from None
