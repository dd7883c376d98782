"""The files that a run is told of in: their readers, opened in the order in which they are to hear.

The options of a job and the arguments of an executor both come here. What a reader writes is its
own business, and it is loaded only where it is asked for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..process import named_files
from ..watching.observer import Observer

if TYPE_CHECKING:
    from ..process.job_end import JobEndWatch


class Files(NamedTuple):
    """The names of files that are wanted, as users write them."""

    status: str | None = None
    trace: str | None = None
    report: str | None = None


class WatchedRun(NamedTuple):
    """Tells readers what they do not hear.

    words: the program and its arguments. library: says which MPI library it is.
    ends: gives what knows when the batch job ends; stops: whether the run stops before that.
    checkpoint: the file of outcomes.
    """

    words: Sequence[str]
    library: Callable[[], str]
    ends: Callable[[], JobEndWatch]
    stops: bool = False
    checkpoint: str | None = None


def opened(files: Files, run: WatchedRun, called: str = "{}") -> Iterator[Observer]:
    """Yield the readers that write these files, one after the other.

    called: how the name of one is written, to be told: with dashes for an option.
    Raises NameProblem, a ValueError, where a file cannot be written, or is named twice.
    """
    _look_at(files, called)
    if files.status is not None:
        yield from _status(files.status, run, called)
    trace, option = files.trace, called.format("trace")
    reporter = None
    if files.report is not None:
        from ..watching.report import making

        reporter = making.begun(called.format("report"), files.report, trace)
        if trace is None:
            trace, option = reporter.trace_name, called.format("report")
    if trace is not None:
        from ..watching.trace import writing
        from ..watching.trace.about import about

        ends = run.ends()
        yield writing.begun(option, trace, about(run.words, run.library()), lambda: ends.at)
    if reporter is not None:  # it hears of the end behind the trace, which is closed then
        yield reporter


def _look_at(files: Files, called: str) -> None:
    seen: dict[str, str] = {}
    for name, text in files._asdict().items():
        if text is not None:
            option = called.format(name)
            path = named_files.named(option, text)
            if (other := seen.setdefault(os.path.realpath(path), option)) != option:
                raise named_files.NameProblem(f"{other} and {option} are the same file: {path}")


def _status(name: str, run: WatchedRun, called: str) -> Iterator[Observer]:
    from ..watching.status import reader
    from ..watching.tally import Tally

    tally = Tally()
    yield tally  # it is told before who reads in it
    command, ends = " ".join(run.words), run.ends()
    option = called.format("status")
    yield reader.begun(option, name, tally, command, run.checkpoint, ends, run.stops)
