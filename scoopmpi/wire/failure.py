"""How a task's exception travels: from the rank where it was raised to the caller that gets it.

Made on the worker, raised on rank 0. The exception keeps its type; where and how it happened
becomes its cause. What cannot travel is replaced by a `TaskError` that says so.
"""

from __future__ import annotations

import builtins
import pickle
import socket
import traceback
from collections.abc import Callable
from typing import Any

from . import payload
from .messages import Frame

_GROUPS: Any = getattr(builtins, "BaseExceptionGroup", ())  # from Python 3.11 on


NOT_TAKEN = "nobody took the values of this map before the program, or the block of its farm, ended"


class TaskError(RuntimeError):
    """A task failed in a way that has no exception of its own: the message says what and why."""


class FarmError(RuntimeError):
    """The farm itself cannot go on; the message says why and what to do."""


class WorkerLost(FarmError):
    """A task died with its worker, again and again; no worker is left, or a host cannot be reached.

    rank, host: of the worker that was lost last. function, index: of the task. None: not known.
    """

    rank: int | None = None
    host: str | None = None
    function: str | None = None
    index: int | None = None


class TaskTimeout(TimeoutError):
    """A task took longer than its `task_timeout`: raised inside it, or by the end of its worker.

    function, index: of the task. rank, host: of its worker. seconds: its limit. None: not known.
    """

    function: str | None = None
    index: int | None = None
    rank: int | None = None
    host: str | None = None
    seconds: float | None = None


class RemoteTraceback(Exception):
    """The traceback on the rank where the task ran; the cause of the exception that you caught."""

    def __str__(self) -> str:
        return f"\n\n{self.args[0]}"


def describe(function: Any) -> str:
    """The name by which a user knows a function, a method, a partial or a callable object."""
    inner = getattr(function, "func", None)  # functools.partial
    if inner is not None and not hasattr(function, "__qualname__"):
        return f"partial({describe(inner)})"
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    module = getattr(function, "__module__", None)
    return name if module in (None, "__main__", "SCOOP_WORKER", "builtins") else f"{module}.{name}"


def pack(error: BaseException, rank: int, task: str) -> Frame:
    """An exception with its traceback, ready to travel.

    task: the function's name and what is known of the task, for the first line of the traceback.
    """
    text = f"Failed in {task} on rank {rank} ({socket.gethostname()}):\n{_traceback(error)}"
    original = _original(error)
    if original is None:
        return payload.pack((_travelling(error), text))
    return payload.pack((_travelling(error), text, _travelling(original)))


def _original(error: BaseException) -> BaseException | None:
    """What pickling or unpickling has raised, where the error was made here to say what it hit."""
    kind = type(error)
    if kind not in (TaskError, pickle.PicklingError) and not getattr(kind, "has_original", False):
        return None
    cause = error.__cause__
    return None if isinstance(cause, RemoteTraceback) else cause


def timed_out(
    function: str, seconds: float, rank: int, host: str, index: int | None = None, end: str = ""
) -> TaskTimeout:
    """What a task raises that takes too long; `end` is what became of its worker."""
    task = function if index is None else f"task {index} of {function}"
    place = f" on worker {rank} ({host})" if rank else ""
    error = TaskTimeout(f"{task} took longer than its task_timeout of {seconds:g} s{place}{end}")
    error.function, error.index, error.seconds = function, index, seconds
    error.rank, error.host = rank, host
    return error


def placed(error: BaseException, index: int) -> BaseException:
    """The same, with the index of its task where it is a TaskTimeout that does not say it."""
    if not issubclass(type(error), TaskTimeout):  # isinstance would ask the user's own code
        return error
    assert isinstance(error, TaskTimeout)
    if error.index is None and error.function is not None:
        error.index = index
        error.args = (f"task {index} of {error.args[0]}",)
    return error


def pack_lost(error: WorkerLost | TaskTimeout) -> Frame:
    """The outcome of a task that no worker survives; there is no traceback of it."""
    return payload.pack((_travelling(error), f"Lost with worker {error.rank} on {error.host}"))


def _traceback(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(type(error), error, error.__traceback__))
    except BaseException as problem:  # its __str__ or __getattr__ may do anything
        trace = BaseException.__dict__["__traceback__"].__get__(error)
        place = "".join(traceback.format_tb(trace))
        return f"{place}{type(error).__qualname__} (showing it raises {type(problem).__name__})\n"


def unpack(frame: Frame) -> BaseException:
    """The exception of a failed task, with the remote traceback as its cause.

    Where it says that something cannot be pickled, with the original error as its cause, whose
    cause is the traceback.
    """
    trace: RemoteTraceback | None = None
    try:
        revive, text, *original = payload.unpack(frame)
        trace = RemoteTraceback(text)
        error: BaseException = revive()
        causes = [error.__cause__, *(each() for each in original)]
    except BaseException as problem:
        error = TaskError(f"a task failed, and its exception cannot be unpickled here: {problem!r}")
        causes = [problem]
    last = error
    for cause in causes:
        if cause is not None:
            last.__cause__ = last = cause
    last.__cause__ = trace
    return error


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
    """What pickling it raises."""

    def __init__(self, text: str, problem: BaseException | None) -> None:
        self.text = text
        if problem is not None:
            self.problem = _travelling(problem)

    def __call__(self) -> BaseException:
        error = TaskError(self.text)
        error.__cause__ = None if self.problem is None else self.problem()
        return error


def _travelling(error: BaseException) -> Callable[[], BaseException]:
    """The first way of carrying the exception over that works when it is tried here."""
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


def reason(error: BaseException) -> str:
    """An exception's type and text, whatever its own `__str__` does."""
    try:
        text = str(error)
    except BaseException as problem:
        text = f"<its __str__ raises {type(problem).__name__}>"
    return f"{type(error).__qualname__}: {text}"


def raisable(error: BaseException) -> BaseException:
    """StopIteration would end the caller's loop as if all were done (as in PEP 479).

    It is the context of what is raised instead, and the cause where it comes from this process.
    """
    if not isinstance(error, StopIteration):
        return error
    problem = TaskError(f"a task raised {reason(error)}")
    problem.__cause__, problem.__context__ = error.__cause__ or error, error
    return problem


def call_unpicklable(error: BaseException, function: Any) -> pickle.PicklingError:
    """What the future of a call raises that cannot be sent."""
    wrapper = _of_wrapper(function)
    what = f"the call of {describe(function)}" if wrapper is None else wrapper
    problem = pickle.PicklingError(f"{what} cannot be pickled and sent: {reason(error)}")
    problem.__cause__ = error
    return problem


def function_unpicklable(error: BaseException, function: Any) -> pickle.PicklingError:
    """What a map raises whose function cannot be sent."""
    what = _of_wrapper(function) or f"the function {describe(function)}"
    problem = pickle.PicklingError(
        f"{what} cannot be pickled and sent to workers: {reason(error)}. "
        "Open files, locks, sockets and generators cannot travel: make them inside the task."
    )
    problem.__cause__ = error
    return problem


def _of_wrapper(function: Any) -> str | None:
    """What a wrapper of ours has beside the user's function, where that is what cannot be sent."""
    if not type(function).__module__.startswith("scoopmpi."):
        return None
    for what, part in getattr(function, "beside_function", {}).items():
        try:
            payload.pack(part)
        except BaseException:
            return str(what)
    return None


def advice(error: BaseException, place: str = "a module") -> str:
    """What helps against an error of unpickling; nothing where it is the object's own."""
    if not isinstance(error, AttributeError | ImportError):
        return ""
    return f" What it uses must be defined at the top level of {place}."


class Unpicklable:
    """Stands for arguments that cannot be pickled; opening it raises why, at the task itself."""

    original: Callable[[], BaseException] | None = None

    def __init__(self, text: str, error: BaseException) -> None:
        self.text = text
        self.original = _travelling(error)

    def raise_it(self) -> None:
        raise pickle.PicklingError(self.text) from (self.original and self.original())
