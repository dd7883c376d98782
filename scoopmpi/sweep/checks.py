"""Which options of a sweep go together: what is missing, and what contradicts what.

No file is opened here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from . import halting, other_programs
from .asked import SweepOptions

STDIN = "-"


def problem(asked: SweepOptions) -> str | None:
    """Return what is wrong with the options of a sweep taken together; None where nothing is."""
    return next(_problems(asked), None)


def _problems(asked: SweepOptions) -> Iterator[str]:
    yield from _of_items(asked)
    yield from _of_command(asked)
    if asked.retry and asked.log is None:
        yield "--retry needs --log FILE: which items have failed?"
    if asked.enable_prolog and asked.prolog is None:
        yield "--enable-prolog needs --prolog FILE"
    if asked.reductor is not None and asked.reduce is None:
        yield "--reductor needs --reduce PATTERN FILE: which files are joined, into which?"
    if asked.halt is not None and (wrong := halting.problem(asked.halt)) is not None:
        yield wrong
    if asked.output_dir is not None and asked.results is not None:
        yield "--output-dir or --results: where shall the output of items go?"
    yield from _of_files(asked)


def _of_items(asked: SweepOptions) -> Iterator[str]:
    if not (asked.data or asked.lines is not None or asked.array is not None):
        if other_programs.items_in(asked.words):
            yield "which items? ::: is not read: printf '%s\\n' … | myscoop sweep --lines - …"
        yield "which items? --data FILE for a table, --lines FILE, or -t 1-100"
    if asked.lines is not None and asked.data:
        yield "--data or --lines: an item for each row of a table, or for each line?"
    if asked.lines is not None and asked.array is not None:
        yield "--lines or -t: an item for each line, or for each number?"
    if asked.data.count(STDIN) > 1:
        yield "--data - is there twice, and stdin can be read once"
    if asked.null and asked.lines is None:
        yield "--null needs --lines FILE: it is of lists"
    for name, value in (("--delimiter", asked.delimiter), ("--comment", asked.comment)):
        if value is not None and not asked.data:
            yield f"{name} needs --data FILE: it is of tables"


def _of_files(asked: SweepOptions) -> Iterator[str]:
    """Say which file would be written that is read, or is written twice."""
    read = [
        *((name, "--data") for name in asked.data), (asked.lines, "--lines"),
        (asked.batch, "--batch"), (asked.prolog, "--prolog"), (asked.epilog, "--epilog"),
    ]  # fmt: skip
    written = [
        (asked.log, "--log"), (asked.joblog, "--joblog"), (asked.results, "--results"),
        (None if asked.reduce is None else asked.reduce[1], "--reduce"),
    ]  # fmt: skip
    there = {os.path.realpath(name): option for name, option in read if name}
    for name, option in written:
        if not name or name.startswith("/dev/"):
            continue
        other = there.setdefault(os.path.realpath(name), option)
        if other != option:
            yield f"{option} {name}: that is the file of {other} already; give another name"


def _of_command(asked: SweepOptions) -> Iterator[str]:
    if asked.batch is not None and asked.words:
        yield f"--batch {asked.batch} or {asked.words[0]}: which is to be run for each item?"
    if asked.batch is None and not asked.words:
        yield "which command? For example: ./simulate -t '$temperature', or --batch SCRIPT"
    if asked.words and not asked.words[0].strip():
        yield "the command is empty"
    place = None if asked.lines is None else other_programs.place_of_line(asked.words)
    if place is not None:
        yield f"{place} in the command: the line is '$ITEM' here, or its last word by itself"
    if asked.substitute and asked.batch is None:
        yield "--substitute needs --batch FILE: it is of scripts"
