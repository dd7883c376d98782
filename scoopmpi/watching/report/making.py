"""From the trace in a file to the report in another: at the end of a run, or by `myscoop report`.

Rank 0 makes it when all is over, also where the program has failed; a signal leaves no time for it,
so then the trace stays, and its user is told how to make the report. Whatever happens here changes
nothing of how the run ends. What is needed for pages is loaded only then.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from contextlib import suppress

from ...process import named_files
from ..observer import Observer

_LIBRARY = "plotly"
_MARK, _HEAD = '<meta name="generator" content="scoopmpi">', 2000
"""What is in a report, within so many characters, as `page` writes it."""
INSTALL = "python -m pip install 'scoopmpi[report]'"


class ReportError(ValueError):
    """A report cannot be made; the message says why, and what to do."""


def check_library() -> None:
    """Raise ReportError where the library is missing that draws curves."""
    if importlib.util.find_spec(_LIBRARY) is None:
        raise ReportError(f"a report needs {_LIBRARY}, which is not installed: {INSTALL}")


def make(trace: str, target: str) -> None:
    """Make a report of a trace.

    trace, target: names of files; what was in `target` is replaced once the report is whole.
    Raises ReportError where the trace is none, or damaged; OSError where a file cannot be read or
    written.
    """
    check_library()
    from plotly.offline import get_plotlyjs  # late, as all this is, and the libraries behind it

    from ..trace.reading import Trace
    from .facts import facts
    from .page import page
    from .run import run_of

    try:
        file = Trace(trace)
        run = run_of(file.other, file.events())
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        if type(problem) in (TypeError, KeyError, AttributeError):
            raise ReportError(f"{trace} is damaged: an event is not as others are") from problem
        raise ReportError(str(problem)) from None
    _write(target, page(facts(run), get_plotlyjs()).encode("utf-8", "backslashreplace"))


def _write(target: str, text: bytes) -> None:
    """Write a file, whole or not at all; into a device or a pipe as it is."""
    if os.path.exists(target) and not os.path.isfile(target):
        with open(target, "wb") as file:
            file.write(text)
        return
    part = f"{target}.{os.getpid()}.part"
    try:
        with open(part, "wb") as file:
            file.write(text)
        os.replace(part, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(part)
        raise


class Reporter(Observer):
    """Makes the report of one farm when all is over; the trace is closed before.

    option: that asks for it. path: of the report. trace: path of the trace that is there anyway;
    None for one that the report needs, and that goes with it.
    """

    def __init__(self, option: str, path: str, trace: str | None) -> None:
        self._option, self._path = option, path
        self._own = trace is None
        self._trace = f"{path}.trace.json" if trace is None else trace

    @property
    def trace_name(self) -> str:
        """Return the name of the trace that it is made of, as options name files."""
        return self._trace.replace("{", "{{").replace("}", "}}")

    def farm_closed(self, status: int) -> None:
        if status > 128:
            self._tell("not made, as the job was to end at once")
            return
        try:
            former = named_files.put_aside(self._path)
            if former is not None:
                text = named_files.moved(self._option, self._path, former)
                print(f"scoopmpi: {text}", file=sys.stderr, flush=True)
            make(self._trace, self._path)
        except KeyboardInterrupt:
            self._tell("not made: interrupted")
        except Exception as problem:
            said = str(problem) or type(problem).__name__
            if isinstance(problem, OSError) and problem.strerror:
                said = f"{problem.filename or self._path}: {problem.strerror}"
            self._tell(f"cannot be made: {said}")
        else:
            if self._own:
                with suppress(OSError):
                    os.unlink(self._trace)

    def _tell(self, what: str) -> None:
        text = f"scoopmpi: {self._option} {self._path}: {what}"
        if os.path.exists(self._trace):
            text += f"; myscoop report {self._trace} -o {self._path} makes it"
        with suppress(OSError, ValueError):  # the terminal may be closed
            print(text, file=sys.stderr, flush=True)


def begun(option: str, name: str, trace: str | None) -> Reporter:
    """Return what makes the report that an option, or an argument, names.

    option: `--report`, `report`, or as it is called. trace: the name of the trace that the user
    wants anyway, if one. Raises NameProblem where the report could not be made or written at the
    end.
    """
    path = named_files.named(option, name)
    try:
        check_library()
    except ReportError as problem:
        raise named_files.NameProblem(f"{option} {path}: {problem}") from None
    reason = named_files.refusal(path)
    if reason is None and os.path.exists(path) and not os.path.isfile(path):
        reason = "it is no plain file"  # the end would wait for whoever reads a pipe
    if reason:
        raise named_files.NameProblem(f"{option} {path} cannot be written: {reason}")
    if not _may_go(path):
        raise named_files.NameProblem(f"{option} {path} cannot be written: it holds something else")
    if trace is not None:
        trace = named_files.named(option.replace("report", "trace"), trace)
    return Reporter(option, path, trace)


def _may_go(path: str) -> bool:
    """True where nothing is lost with a file: there is none, or it is a report."""
    if not os.path.isfile(path) or not os.path.getsize(path):
        return True
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return _MARK in file.read(_HEAD)
    except OSError:
        return True
