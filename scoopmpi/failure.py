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
    where = f"{task} on rank {rank} ({socket.gethostname()})"
    return payload.pack((_travelling(error), f"Failed in {where}:\n{_traceback(error)}"))


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
    """The exception of a failed task, with the remote traceback as its cause."""
    try:
        revive, text = payload.unpack(frame)
        error: BaseException = revive()
    except BaseException as problem:
        return TaskError(f"a task failed, and its exception cannot be unpickled here: {problem!r}")
    error.__cause__ = RemoteTraceback(text)
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

    def __init__(self, text: str) -> None:
        self.text = text

    def __call__(self) -> BaseException:
        return TaskError(self.text)


def _travelling(error: BaseException) -> Callable[[], BaseException]:
    """The first way of carrying the exception over that works when it is tried here."""
    kind = type(error)
    try:
        frame = payload.pack(error)
        if type(payload.unpack(frame)) is kind:
            return _Pickled(frame)
    except BaseException:
        pass  # its __init__ wants other arguments than args, or it holds what cannot be pickled
    way = _Group if issubclass(kind, _GROUPS) else _Rebuilt
    try:
        rebuilt = way(error)
        if type(payload.unpack(payload.pack(rebuilt))()) is kind:
            return rebuilt
    except BaseException:
        pass
    return _Described(f"{reason(error)} (this exception cannot be pickled)")


def reason(error: BaseException) -> str:
    """An exception's type and text, whatever its own `__str__` does."""
    try:
        text = str(error)
    except BaseException as problem:
        text = f"<its __str__ raises {type(problem).__name__}>"
    return f"{type(error).__qualname__}: {text}"


def raisable(error: BaseException) -> BaseException:
    """StopIteration would end the caller's loop as if all were done (as in PEP 479)."""
    if not isinstance(error, StopIteration):
        return error
    problem = TaskError("a task raised StopIteration")
    problem.__cause__ = error.__cause__ or error
    return problem


def call_unpicklable(error: Exception, function: Any) -> Exception:
    """What the future of a call raises that cannot be sent."""
    problem = pickle.PicklingError(
        f"the call of {describe(function)} cannot be pickled and sent: {reason(error)}"
    )
    problem.__cause__ = error
    return problem


class Unpicklable:
    """Stands for arguments that cannot be pickled; opening it raises why, at the task itself."""

    def __init__(self, text: str) -> None:
        self.text = text

    def raise_it(self) -> None:
        raise pickle.PicklingError(self.text)
