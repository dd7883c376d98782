"""What a checkpoint holds, as a text for a person at a terminal."""

from __future__ import annotations

import os
import reprlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from . import arguments, database, file_checks, reading
from .contents import Contents, Failure, Task, Version
from .selection import named
from .tables import Tables

_WORDS = {
    database.ENDED: "came to its end",
    database.BROKEN_OFF: "was told to end before its time",
    database.RUNNING: "is still going on, or was killed",
}
RANGES = 12
"""So many ranges are shown at most."""
FAILED = 100
"""So many failed tasks of a job are shown at most."""
WIDTH = 100
"""Letters of a task's arguments, and of its value, that are shown at most."""

_SHOWN = reprlib.Repr()
_SHOWN.maxstring = _SHOWN.maxother = _SHOWN.maxlong = 60


class Wanted(NamedTuple):
    """What is to be shown beside the table: tasks that failed, so many values of each job."""

    failed: bool = False
    values: int = 0


def described(path: str | os.PathLike[str], wanted: Wanted = Wanted()) -> str:
    """Return program, times, and a table of the jobs, as text.

    path: the file.
    Raises CheckpointError where the file is none, is damaged, or is not the user's alone.
    """
    shown = os.fspath(path)
    real, _ = file_checks.admitted(shown, create=False)
    if not os.path.getsize(real):
        return f"{shown}: an empty file, in which nothing was saved yet"
    return reading.read(path, lambda tables: _text(shown, os.path.getsize(real), tables, wanted))


def _text(path: str, size: int, tables: Tables, wanted: Wanted) -> str:
    found = Contents(tables)
    facts, versions = found.facts, found.versions
    lines = [
        f"checkpoint    {path} (format {file_checks.VERSION}, {_bytes(size)})",
        f"program       {line(facts.get('program', '')) or '(one executor)'}",
        f"made          {line(facts.get('made', '?'))}",
        f"last run      from {line(facts.get('opened', '?'))}, it "
        + _WORDS.get(facts.get("run", ""), "says nothing of its end"),
        f"last written  {line(facts.get('written', '?'))}",
        "",
        *_table(versions),
        "",
        _sum(versions),
    ]
    for version in versions:
        if wanted.failed:
            lines += _failed(found, version)
        if wanted.values > 0:
            lines += _values(found, version, wanted.values)
    return "\n".join(lines)


def _sum(versions: Sequence[Version]) -> str:
    tasks, jobs = sum(one.tasks for one in versions), len({one.job for one in versions})
    counted = f"{_count(tasks, 'task')} of {_count(jobs, 'job')}"
    words = f"{counted}, {_bytes(sum(one.size for one in versions))}"
    if failed := sum(len(one.failed) for one in versions if one.latest):
        words += f"; {failed} failed, they are tried again in the next run (--failed shows them)"
    if earlier := sum(one.tasks for one in versions if not one.latest):
        words += f"; {earlier} are of earlier versions"
    return words


def _table(versions: Sequence[Version]) -> list[str]:
    if not versions:
        return ["no tasks are saved"]
    rows = [("map", "function", "tasks", "size", "which", "failed")]
    rows += [
        (named(one.job), _name(one), _progress(one), _bytes(one.size), ranges(one.spans) or "-",
         ranges((task, task + 1) for task in one.failed) or "-")
        for one in versions
    ]  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def _name(version: Version) -> str:
    name = line(version.function.name)
    return name if version.latest else f"{name} (earlier version)"


def _progress(version: Version) -> str:
    """Return how many tasks are done, of how many where that is known."""
    done = sum(stop - start for start, stop in version.spans)
    if version.total is None or done != version.tasks:  # some have several, by their arguments
        return str(version.tasks)
    return f"{done} of {version.total}"


def _failed(found: Contents, version: Version) -> Iterator[str]:
    """Return the failed tasks of a job, each with its arguments and what it raised."""
    if not version.failed:
        return
    yield f"\n{_heading(version)}: failed"
    for task in islice(found.tasks(version, failed=True), FAILED):
        yield f"  {task.number}: {_call(version, task)} {_outcome(task)}"
    if len(version.failed) > FAILED:
        yield f"  and {len(version.failed) - FAILED} more (myscoop checkpoint export has all)"


def _values(found: Contents, version: Version, count: int) -> Iterator[str]:
    yield f"\n{_heading(version)}: values"
    for task in islice(found.tasks(version), count):
        yield f"  {task.number}: {_call(version, task)} {_outcome(task)}"


def _heading(version: Version) -> str:
    where = f"map {version.job}" if version.job else "submitted calls"
    return f"{where} ({_name(version)})"


def _call(version: Version, task: Task) -> str:
    name = line(version.function.name).rpartition(".")[2]
    return f"{name}({call(task.arguments)})"


def call(given: arguments.Call | None) -> str:
    """Return a task's arguments as a program writes them, shortened; dots where nobody knows."""
    if given is None:
        return "…"
    args, kwargs = given
    words = [_short(arg) for arg in args]
    words += [f"{name}={_short(value)}" for name, value in kwargs.items()]
    return _cut(", ".join(words))


def _outcome(task: Task) -> str:
    if isinstance(task.outcome, Failure):
        return f"raised {_cut(line(task.outcome.reason.splitlines()[0]))}"
    return f"= {_cut(_short(task.outcome))}"


def _short(value: object) -> str:
    try:
        return line(_SHOWN.repr(value).replace("\n", " "))
    except BaseException as problem:  # its __repr__ may do anything
        return f"<{type(value).__qualname__}, its repr raises {type(problem).__name__}>"


def _cut(text: str) -> str:
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"


def ranges(spans: Iterable[tuple[int, int]]) -> str:
    """Return spans in order as first and last numbers: `0-999, 1200`."""
    joined: list[list[int]] = []
    for start, stop in spans:
        if joined and joined[-1][1] == start:
            joined[-1][1] = stop
        else:
            joined.append([start, stop])
    words = [f"{a}" if b == a + 1 else f"{a}-{b - 1}" for a, b in joined]
    if len(words) > RANGES:
        words = [*words[: RANGES - 1], f"… {words[-1]} ({len(words)} ranges)"]
    return ", ".join(words)


def line(text: str) -> str:
    """Return text from the file, without what would move a terminal's cursor."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _bytes(size: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            break
        size, unit = size / 1024, "TiB"
    return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
