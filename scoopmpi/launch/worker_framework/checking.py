"""Check on the login node what a job would find wrong with its files, before it waits."""

from __future__ import annotations

from ...sweep.asked import SweepOptions
from ...sweep.items.item import ItemsProblem, Source
from ...sweep.items.opening import opened
from .words import Refused


def checked(asked: SweepOptions, script: bytes | None) -> Source:
    """Return the items of a sweep, all of which are well, as is the command.

    script: the text of the batch file in the job, which may be another than in the file; None
    without one. Raises Refused.
    """
    source = items(asked)
    if source.size == 0:
        raise Refused("there is no item: the table has no row below its names")
    return source


def items(asked: SweepOptions) -> Source:
    """Return the items of a sweep; Refused says what is wrong with their tables."""
    try:
        return opened(asked.asked)
    except ItemsProblem as problem:
        raise Refused(str(problem)) from None
