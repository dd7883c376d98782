"""What a checkpoint holds, as a file for other programs: a table, arrays, or Python's objects.

The latest version of each job, or all of them. The new file takes the place of an older one only
when it is whole.
"""

from __future__ import annotations

import csv
import io
import os
import pickle
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import IO, Any, NamedTuple

from . import reading
from .contents import Contents, Failure, Task, Version
from .selection import named
from .tables import Tables

COLUMNS = ("map", "function", "task", "arguments", "outcome", "value")


class Exported(NamedTuple):
    """What an export has written, and what has no place in such a file."""

    tasks: int
    left_out: tuple[str, ...]


Writer = Callable[["Found", IO[bytes]], Exported]


class Found(NamedTuple):
    """The jobs that are exported."""

    contents: Contents
    versions: list[Version]

    def tasks(self) -> Iterator[tuple[Version, Task]]:
        """Return all tasks, job by job."""
        for version in self.versions:
            for task in self.contents.tasks(version):
                yield version, task


def export(path: str | os.PathLike[str], target: str, earlier: bool = False) -> Exported:
    """Write what is in a checkpoint into another file; its suffix says how: .csv, .npz or .pkl.

    path: the checkpoint. target: the new file. earlier: earlier versions of functions, too.

    Raises CheckpointError where the checkpoint cannot be read, ValueError for another suffix and
    where numpy is missing, OSError where the new file cannot be written.
    """
    writer = WRITERS.get(os.path.splitext(target)[1].lower())
    if writer is None:
        raise ValueError(f"{target}: the file must end in {', '.join(WRITERS)}")

    def look(tables: Tables) -> Exported:
        contents = Contents(tables)
        versions = [one for one in contents.versions if (one.latest or earlier) and one.places]
        return _written(target, Found(contents, versions), writer)

    return reading.read(path, look)


def _written(target: str, found: Found, writer: Writer) -> Exported:
    real = os.path.realpath(target)
    try:
        handle, new = tempfile.mkstemp(dir=os.path.dirname(real), prefix=".export-")
    except OSError as problem:  # it names a file that the user has not asked for
        reason = problem.strerror or str(problem)
        raise OSError(f"{target} cannot be written, its directory says: {reason}") from None
    try:
        with os.fdopen(handle, "wb") as file:
            exported = writer(found, file)
            mask = os.umask(0o077)  # there is no other way to ask for it
            os.umask(mask)
            os.fchmod(file.fileno(), 0o666 & ~mask)  # as any file that a command writes
        os.replace(new, real)
    except BaseException:
        with suppress(OSError):
            os.unlink(new)
        raise
    return exported


def to_csv(found: Found, file: IO[bytes]) -> Exported:
    """Write a line for each task, with arguments and value as Python writes them."""
    text = io.TextIOWrapper(file, "utf-8", newline="", errors="backslashreplace")
    table = csv.writer(text)
    table.writerow(COLUMNS)
    count = 0
    for version, task in found.tasks():
        count += 1
        raised = isinstance(task.outcome, Failure)
        outcome = "raised" if raised else "failed" if task.failed else "value"
        value = task.outcome.reason if isinstance(task.outcome, Failure) else _word(task.outcome)
        where = named(version.job), version.function.name, task.number
        table.writerow((*where, _arguments(task), outcome, value))
    text.detach()
    return Exported(count, ())


def _arguments(task: Task) -> str:
    if task.arguments is None:
        return ""
    args, kwargs = task.arguments
    return ", ".join([*map(_word, args), *(f"{name}={_word(kwargs[name])}" for name in kwargs)])


def _word(value: Any) -> str:
    try:
        return value if type(value) is str else repr(value)
    except BaseException as problem:  # the user's __repr__
        return f"<{type(value).__qualname__}, its repr raises {type(problem).__name__}>"


def to_pickle(found: Found, file: IO[bytes]) -> Exported:
    """Write a dictionary of the jobs.

    Of each a list of dictionaries, one for each task: task, arguments, keywords, value or error.
    """
    jobs: dict[str, list[dict[str, Any]]] = {}
    count = 0
    for version, task in found.tasks():
        count += 1
        args, kwargs = task.arguments or (None, {})
        row = {"function": version.function.name, "task": task.number, "arguments": args}
        if kwargs:
            row["keywords"] = dict(kwargs)
        if isinstance(task.outcome, Failure):
            row |= {"error": task.outcome.reason, "traceback": task.outcome.trace}
        else:
            row["value"] = task.outcome
        jobs.setdefault(_key(version), []).append(row)
    pickle.dump(jobs, file)
    return Exported(count, ())


def to_arrays(found: Found, file: IO[bytes]) -> Exported:
    """Write an array of the values of each job, and one of the numbers of its tasks.

    Of jobs whose values are numbers or arrays of one shape; tasks that failed are left out.
    """
    try:
        import numpy
    except ImportError:
        raise ValueError(f"an .npz file needs numpy, which {sys.executable} has not got") from None
    arrays: dict[str, Any] = {}
    left_out, count = [], 0
    for version in found.versions:
        tasks = [task for task in found.contents.tasks(version) if not task.failed]
        try:
            values = numpy.array([task.outcome for task in tasks])
        except ValueError:  # of several shapes
            values = numpy.array(None)
        key = _key(version)
        if values.dtype.kind not in "biufc" or not tasks:
            left_out.append(key)
            continue
        count += len(tasks)
        arrays[key] = values
        arrays[f"{key}_tasks"] = numpy.array([task.number for task in tasks])
    numpy.savez(file, **arrays)
    return Exported(count, tuple(left_out))


def _key(version: Version) -> str:
    """Return the name of a job: map_1, calls_square, and of earlier versions map_1_version_2."""
    name = version.function.name.rpartition(".")[2]
    key = f"map_{version.job}" if version.job else f"calls_{name}"
    return key if version.latest else f"{key}_version_{version.function.number}"


WRITERS: dict[str, Writer] = {".csv": to_csv, ".npz": to_arrays, ".pkl": to_pickle}
