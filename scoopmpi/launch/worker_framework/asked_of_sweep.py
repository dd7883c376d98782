"""What a job asks of the sweep: read from words, with the full paths of files. Pure."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import click

from ...sweep import options
from ...sweep.asked import SweepOptions
from .words import Refused

_FILES = ("lines", "batch", "prolog", "epilog", "log", "joblog", "output_dir", "results")
_STDIN = "-"


def parsed(words: Sequence[str], directory: str) -> SweepOptions:
    """Return what words ask of the sweep, files with their full paths; Refused: what is wrong.

    directory: where the words were given.
    """
    try:
        asked = options.parsed(words)
    except click.UsageError as problem:
        raise Refused(problem.format_message()) from None
    if _STDIN in (*asked.data, asked.lines):
        raise Refused("the items came from stdin (-), which a job has not: write them into a file")
    full: dict[str, Any] = {"data": tuple(os.path.join(directory, path) for path in asked.data)}
    for name in _FILES:
        path = getattr(asked, name)
        full[name] = None if path is None else os.path.join(directory, path)
    return replace(asked, **full)


def tables(given: list[str]) -> list[str]:
    """Return the names of tables, several in one word too, unless a file is called so."""
    found = []
    for word in given:
        found += [word] if os.path.exists(word) else word.split(",")
    if "-" in found:
        raise Refused("-data -: a job has no stdin; write the table into a file")
    return found
