"""How a task's exception travels: from the rank where it was raised to the caller that gets it.

Packed on the worker, raised on rank 0. The exception keeps its type; where and how it happened
becomes its cause. What cannot travel, be it an exception or a call, is replaced by an error that
says so in the user's words. Which exceptions are a farm's own is in `errors`.
"""

from __future__ import annotations

import builtins
import contextlib
import pickle
import socket
import sys
import traceback
from collections.abc import Callable
from typing import Any

from ..process import identity
from . import payload
from .errors import RemoteTraceback, TaskError, TaskTimeout, WorkerLost
from .payload import Frame

MOST_NOTES = 10
"""On one exception: one object that many tasks raise, or that goes through many, says no more."""
_GROUPS: Any = getattr(builtins, "BaseExceptionGroup", ())  # from Python 3.11 on

# Words for objects and exceptions.


def describe(function: Any) -> str:
    """Return the name by which a user knows a function, method, partial or callable object."""
    inner = getattr(function, "func", None)  # functools.partial
    if inner is not None and not hasattr(function, "__qualname__"):
        return f"partial({describe(inner)})"
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    module = getattr(function, "__module__", None)
    return name if module in (None, "__main__", "SCOOP_WORKER", "builtins") else f"{module}.{name}"


def note(error: BaseException, text: str) -> None:
    """Add a line to what a traceback shows of an exception, whatever kind of object that is."""
    try:
        notes = getattr(error, "__notes__", [])
        if text not in notes and len(notes) < MOST_NOTES:
            if sys.version_info >= (3, 11):
                error.add_note(text)
            else:
                error.__notes__ = [*notes, text]
    except BaseException:  # its class may do anything
        pass


def reason(error: BaseException) -> str:
    """Return an exception's type and text, whatever its own `__str__` does."""
    try:
        text = str(error)
    except BaseException as problem:
        text = f"<its __str__ raises {type(problem).__name__}>"
    return f"{type(error).__qualname__}: {text}"


def advice(error: BaseException, place: str = "a module") -> str:
    """Return a sentence that helps against an error of unpickling; empty where none does.

    place: where things must be defined for other ranks to find them.
    """
    if not isinstance(error, AttributeError | ImportError):
        return ""
    return f" What it uses must be defined at the top level of {place}."


# From the task to the caller.


def pack(error: BaseException, rank: int, task: str) -> Frame:
    """Return an exception with its traceback as a frame.

    rank: of the worker, as the user shall see it.
    task: as of `errors.words`, for the first line of the traceback and a note on the exception.
    """
    if identity.this.rank:
        _say_what_is_missing(error)
    text = f"Failed in {task} on rank {rank} ({socket.gethostname()}):\n{_traceback(error)}"
    original = _original(error)
    if original is None:
        return payload.pack((_travelling(error), text))
    return payload.pack((_travelling(error), text, _travelling(original)))


def _say_what_is_missing(error: BaseException) -> None:
    """Add a note on a global that workers lack, if the failing function reads one."""
    from ..program import below_guard  # late: nothing may fail

    with contextlib.suppress(Exception):  # the user's objects may do anything
        if text := below_guard.missing(error):
            note(error, text)


def pack_lost(error: WorkerLost | TaskTimeout) -> Frame:
    """Return the outcome of a task that no worker survives as a frame; it has no traceback."""
    return payload.pack((_travelling(error), f"Lost with worker {error.rank} on {error.host}"))


def unpack(frame: Frame) -> BaseException:
    """Return the exception of a failed task, with the remote traceback as its cause.

    Where it says that something cannot be pickled, its cause is the original error, whose cause is
    the traceback.
    """
    trace: RemoteTraceback | None = None
    try:
        revive, text, *original = payload.unpack(frame)
        trace = RemoteTraceback(text)
        error: BaseException = revive()
        note(error, text.partition(":\n")[0])
        # It may have brought the same cause with it: dask has exceptions pickled with theirs.
        causes = [each() for each in original] or [error.__cause__]
    except BaseException as problem:
        error = TaskError(f"a task failed, and its exception cannot be unpickled here: {problem!r}")
        causes = [problem]
    last = error
    for cause in causes:
        if cause is not None:
            last.__cause__ = last = cause
    last.__cause__ = trace
    return error


def raisable(error: BaseException) -> BaseException:
    """Return the exception to raise for one that a task has raised: not StopIteration.

    That would end the caller's loop as if all were done (as in PEP 479). It is the context of what
    is raised instead, and the cause where it comes from this process.
    """
    if not isinstance(error, StopIteration):
        return error
    problem = TaskError(f"a task raised {reason(error)}")
    problem.__cause__, problem.__context__ = error.__cause__ or error, error
    return problem


def _original(error: BaseException) -> BaseException | None:
    """Return the error of pickling or unpickling that an error of ours was made to explain."""
    kind = type(error)
    if kind not in (TaskError, pickle.PicklingError) and not getattr(kind, "has_original", False):
        return None
    cause = error.__cause__
    return None if isinstance(cause, RemoteTraceback) else cause


def _traceback(error: BaseException) -> str:
    try:
        lines = traceback.format_exception(type(error), error, error.__traceback__)
        if sys.version_info < (3, 11):
            lines += [f"{line}\n" for line in getattr(error, "__notes__", ())]
        return "".join(lines)
    except BaseException as problem:  # its __str__ or __getattr__ may do anything
        trace = BaseException.__dict__["__traceback__"].__get__(error)
        place = "".join(traceback.format_tb(trace))
        return f"{place}{type(error).__qualname__} (showing it raises {type(problem).__name__})\n"


# Ways of carrying an exception over: each is pickled here and called there.


class _Pickled:
    """Revives an exception whose own pickling works."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    def __call__(self) -> BaseException:
        error: BaseException = payload.unpack(self.frame)
        return error


class _Rebuilt:
    """Revives an exception without calling `__init__`, whose parameters pickle does not know."""

    def __init__(self, error: BaseException) -> None:
        self.kind, self.args, self.state = type(error), error.args, dict(error.__dict__)

    def __call__(self) -> BaseException:
        error = self.kind.__new__(self.kind, *self.args)
        error.args = self.args
        error.__dict__.update(self.state)
        return error


class _Group:
    """Revives an exception group of members that travel each in its own way."""

    def __init__(self, error: Any) -> None:
        self.kind, self.text = type(error), error.message
        self.members = [_travelling(member) for member in error.exceptions]

    def __call__(self) -> BaseException:
        group: BaseException = self.kind(self.text, [member() for member in self.members])
        return group


class _Described:
    """Revives an exception that cannot be pickled at all: as a TaskError with its description."""

    problem: Callable[[], BaseException] | None = None
    """Revives what pickling it has raised."""

    def __init__(self, text: str, problem: BaseException | None) -> None:
        self.text = text
        if problem is not None:
            self.problem = _travelling(problem)

    def __call__(self) -> BaseException:
        error = TaskError(self.text)
        error.__cause__ = None if self.problem is None else self.problem()
        return error


def _travelling(error: BaseException) -> Callable[[], BaseException]:
    """Return the first way of carrying the exception over that works when it is tried here."""
    kind, problem = type(error), None
    try:
        frame = payload.pack(error)
        if type(payload.unpack(frame)) is kind:
            return _Pickled(frame)
    except BaseException as caught:
        # Its __init__ wants other arguments than args, or it holds what cannot be pickled.
        problem = None if caught is error or type(caught) is kind else caught
    way = _Group if issubclass(kind, _GROUPS) else _Rebuilt
    try:
        rebuilt = way(error)
        if type(payload.unpack(payload.pack(rebuilt))()) is kind:
            return rebuilt
    except BaseException:
        pass
    return _Described(f"{reason(error)} (this exception cannot be pickled)", problem)


# From the caller to the task: what cannot be sent.


class Unpicklable:
    """Stands for arguments that cannot be pickled; opening it raises why, at the task itself."""

    original: Callable[[], BaseException] | None = None

    def __init__(self, text: str, error: BaseException) -> None:
        self.text = text
        self.original = _travelling(error)

    def raise_it(self) -> None:
        """Raise PicklingError, with what pickling has raised as its cause."""
        raise pickle.PicklingError(self.text) from (self.original and self.original())


def call_unpicklable(error: BaseException, function: Any) -> pickle.PicklingError:
    """Return what the future of a call raises that cannot be sent."""
    wrapper = _part_of_wrapper(function)
    what = f"the call of {describe(function)}" if wrapper is None else wrapper
    problem = pickle.PicklingError(f"{what} cannot be pickled and sent: {reason(error)}")
    problem.__cause__ = error
    return problem


def function_unpicklable(error: BaseException, function: Any) -> pickle.PicklingError:
    """Return what a map raises whose function cannot be sent."""
    what = _part_of_wrapper(function) or f"the function {describe(function)}"
    problem = pickle.PicklingError(
        f"{what} cannot be pickled and sent to workers: {reason(error)}. "
        "Open files, locks, sockets and generators cannot travel: make them inside the task."
    )
    problem.__cause__ = error
    return problem


def _part_of_wrapper(function: Any) -> str | None:
    """Return the words for what a wrapper of ours adds to the function, if that cannot be sent."""
    if not type(function).__module__.startswith("scoopmpi."):
        return None
    for what, part in getattr(function, "beside_function", {}).items():
        try:
            payload.pack(part)
        except BaseException:
            return str(what)
    return None
