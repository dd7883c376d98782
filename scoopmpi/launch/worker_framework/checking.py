"""Check on the login node what a job would find wrong with its files, before it waits.

What only the job has is left to it: interpreters that come with modules, variables of the job.
"""

from __future__ import annotations

import os
from typing import NamedTuple

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
    """The items and the command of a sweep, in which nothing is wrong."""

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


def checked(asked: SweepOptions, script: bytes | None) -> Checked:
    """Return the items and the command of a sweep; Refused says what is wrong with them.

    script: the text of the batch file in the job; None without one.
    """
    source = items(asked)
    if source.size == 0:
        raise Refused("there is no item: the table has no row below its names")
    try:
        if script is None:
            return Checked(
                source, command_of_words(asked.words, None, False, source.columns, os.environ)
            )
        text = Script(script, str(asked.batch))
        return Checked(source, Substituted(text, source.columns) if asked.substitute else text)
    except CommandProblem as problem:
        raise Refused(str(problem)) from None


def items(asked: SweepOptions) -> Source:
    """Return the items of a sweep; Refused says what is wrong with their tables."""
    try:
        return opened(asked.asked)
    except ItemsProblem as problem:
        raise Refused(str(problem)) from None
