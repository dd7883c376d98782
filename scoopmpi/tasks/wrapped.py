"""Functions of ours in the place of the user's: they name themselves as the user's does.

Workers come by here when they unpickle one, so nothing but `failure` is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import CodeType
from typing import Any, Protocol, TypeVar

from ..wire import failure

PASSING: set[CodeType] = set()
"""The code that `passes_on` has declared; it grows only while modules are imported."""
CALLING: set[CodeType] = set()
"""The same of `only_calls`."""
_Function = TypeVar("_Function", bound=Callable[..., Any])


def passes_on(function: _Function) -> _Function:
    """Declare a function of ours that calls the user's and lets out all that it raises.

    A task that runs too long is stopped below it, see `limit`; below other code of ours it is not.
    """
    PASSING.add(function.__code__)
    return function


def only_calls(function: _Function) -> _Function:
    """Declare one that keeps nothing straight around that call: it may be left at any point.

    So a task is given up too that is a function in C, which has no frame of its own.
    """
    CALLING.add(function.__code__)
    return function


class Retry(Protocol):
    """How tasks that raise are tried again; made and checked by `retry`."""

    @property
    def retries(self) -> int:
        """How often, at most, after the first time."""

    @property
    def delay(self) -> float:
        """Seconds before each further try."""

    def in_place(self, fn: Callable[..., Any], deadline: float | None) -> Callable[..., Any]:
        """Return the function with its retries around each call, none beyond the deadline."""

    def elsewhere(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function for workers of a farm, whose rank 0 has it called again."""


class Wrapped:
    """A function around the user's.

    fn: the user's, or another one around it.
    """

    retry: Retry | None = None
    """How its tasks are tried again by rank 0, where they are."""

    def __init__(self, fn: Callable[..., Any]) -> None:
        self._fn = fn
        # For failure.describe: messages name what the user knows.
        self.__qualname__, self.__module__ = failure.describe(fn), "__main__"

    @property
    def wrapped(self) -> Callable[..., Any]:
        """The function that it stands for."""
        return self._fn

    @property
    def task_limit(self) -> float | None:
        """Seconds that each call may take; None where there is no limit."""
        return self._fn.task_limit if isinstance(self._fn, Wrapped) else None

    def as_written(self, args: Sequence[Any]) -> Sequence[Any]:
        """Return a call's arguments as the user's function gets them, for messages."""
        return self._fn.as_written(args) if isinstance(self._fn, Wrapped) else args

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the user's function, in the way of the subclass."""
        raise NotImplementedError


class Starred(Wrapped):
    """A function whose arguments come as one sequence, as `starmap` has it."""

    def as_written(self, args: Sequence[Any]) -> Sequence[Any]:
        """Return a call's arguments as the user's function gets them, for messages."""
        return args[0] if len(args) == 1 and type(args[0]) in (tuple, list) else args

    @only_calls
    def __call__(self, arguments: Sequence[Any]) -> Any:
        return self._fn(*arguments)


class Again(BaseException):
    """Carries what a task has raised that is to be tried again, from its function to its batch."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error
