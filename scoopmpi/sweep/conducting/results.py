"""`--reduce`: the files that items have written become one, in the order of the items."""

from __future__ import annotations

import os
from collections.abc import Iterator, Set

from ..command.pattern import Pattern
from ..outputs import joining
from ..outputs.joining import Reduced
from ..running.directory import Directory
from ..running.variables import Variables
from . import telling
from .preparing import Parts


def join(parts: Parts, failed: Set[int]) -> None:
    """Join the files of all items that are done. failed: the numbers of others.

    Raises OutputProblem.
    """
    assert parts.options.reduce is not None
    pattern, target = parts.options.reduce
    names = _names(parts, pattern, failed)
    reductor = parts.options.reductor
    if reductor is None:
        found = joining.joined(names, target)
    else:
        found = joining.reduced(names, target, reductor)
    if found.missing:
        telling.say(_missing(found, target))


def _names(parts: Parts, pattern: str, failed: Set[int]) -> Iterator[str]:
    variables, named = Variables(parts.plan), Pattern(pattern)
    directory = Directory(parts.plan.chdir)
    for item in parts.items():
        if item.number in failed:
            continue
        env = variables.of(item)
        yield os.path.join(directory.of(env) or "", named.put(env))


def _missing(found: Reduced, target: str) -> str:
    more = found.missing - len(found.first)
    named = ", ".join(found.first) + (f" and {more} more" if more else "")
    files = "1 file is" if found.missing == 1 else f"{found.missing} files are"
    return f"{target} has {found.files} files; {files} not there: {named}"
