"""Check on the login node what a job would find wrong with its files, before it waits in a queue."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace

from ...sweep.asked import SweepOptions
from ...sweep.command import opening as of_command
from ...sweep.command.command import CommandProblem
from ...sweep.items.item import ItemsProblem, Source
from ...sweep.items.opening import opened
from .words import Refused


def checked(asked: SweepOptions, script: bytes | None) -> Source:
    """Return the items of a sweep, all of which are well, as is the command.

    script: the text of the batch file in the job, which may be another than in the file; None
    without one. Raises Refused.
    """
    try:
        source = opened(asked.asked)
        if script is None:
            _command(asked, source)
        else:
            _script(asked, source, script)
    except (ItemsProblem, CommandProblem) as problem:
        raise Refused(str(problem)) from None
    if source.size == 0:
        raise Refused("there is no item: the table has no row below its names")
    return source


def _command(asked: SweepOptions, source: Source) -> None:
    of_command.opened(asked.words, asked.batch, asked.substitute, source.columns, os.environ)


def _script(asked: SweepOptions, source: Source, text: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(text)
        file.flush()
        try:
            _command(replace(asked, batch=file.name), source)
        except CommandProblem as problem:
            raise CommandProblem(str(problem).replace(file.name, str(asked.batch))) from None
