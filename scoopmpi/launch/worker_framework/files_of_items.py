"""Files that items have written become one, by a pattern and the table that the items are of.

What `wcat` and `wreduce` have in common: `out-[%temperature%].txt` is a file for each row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from ...sweep.items.item import Source
from ...sweep.outputs.joining import Reduced
from ...sweep.outputs.sink import OutputProblem
from . import asked_of_sweep, checking
from .command_line import CommandLine
from .words import Given, Option, Refused

_VARIABLE = re.compile(r"\[%\s*(\w+)\s*%\]")
_SOME_MISSING = 1
"""Exit status where files were missing: all others are in the output."""

TABLES = (
    Option("data", "The tables that the items are of, side by side.", "FILE[,FILE]"),
    Option("t", "The numbers that the items are of, as [%PBS_ARRAYID%].", "RANGE"),
    Option("pattern", "What the files are called: 'out-[%temperature%].txt'.", "PATTERN"),
    Option("output", "The file that they become; the former one is replaced.", "FILE"),
)
AFTERWARDS = (
    Option("rm_orig", "Remove the files when they are all in the output."),
    Option("quiet", "Say nothing of files that are missing."),
    Option("verbose", "Say how many files there were."),
)


def joined(
    command: CommandLine, given: Given, join: Callable[[Iterator[str], str, bool], Reduced]
) -> int:
    """Join the files of a table's items; return the exit status of the command.

    join: does so with their names, the output, and whether they are removed.
    """
    if given.rest:
        raise Refused(f"{given.rest[0]}: which option is that of?")
    pattern, target = given.last("pattern"), given.last("output")
    if pattern is None:
        raise Refused("which files? For example: -pattern 'out-[%temperature%].txt'")
    if target is None:
        raise Refused("into which file? -output FILE")
    source = _source(given)
    _check(pattern, source.columns)
    try:
        found = join(_names(pattern, source), target, given.has("rm_orig"))
    except OutputProblem as problem:
        raise Refused(str(problem)) from None
    if given.has("verbose"):
        command.say(f"{target}: {found.files} files")
    if found.missing and not given.has("quiet"):
        more = ", …" if found.missing > len(found.first) else ""
        are = "1 file is" if found.missing == 1 else f"{found.missing} files are"
        command.say(f"{are} not there: {', '.join(found.first)}{more}")
    return _SOME_MISSING if found.missing else 0


def _source(given: Given) -> Source:
    data = asked_of_sweep.tables(given.all("data"))
    array = given.last("t")
    if not data and array is None:
        raise Refused("of which table? -data FILE, as for wsub")
    words = [word for path in data for word in ("--data", path)]
    words += [] if array is None else ["--array", array]
    return checking.items(asked_of_sweep.parsed([*words, "--beside", "true"], ""))


def _check(pattern: str, columns: Sequence[str]) -> None:
    names = _VARIABLE.findall(pattern)
    for name in names:
        if name not in columns:
            raise Refused(
                f"-pattern {pattern}: there is no column {name}; there are {', '.join(columns)}"
            )
    if not names:
        raise Refused(
            f"-pattern {pattern} names no column: put one in as [%{columns[0]}%], "
            "so that each row has a file of its own"
        )


def _names(pattern: str, source: Source) -> Iterator[str]:
    for item in source:
        values = dict(zip(source.columns, item.values, strict=True))
        yield _VARIABLE.sub(lambda found: values[found[1]], pattern)  # noqa: B023 (used at once)
