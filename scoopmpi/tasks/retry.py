"""How tasks that raise are tried again: what callers ask for, and the functions that do it.

Two ways. On a farm a task's function says that it is to be tried again (`Again`), and rank 0 queues
it once more, so that another worker may take it (`scheduling.retries`). Inside tasks, and where
there is no farm, it is called again in place. Workers that die have a count of their own
(--retries). Loaded where somebody asks for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor
from operator import index
from typing import Any, NamedTuple

from ..concurrency.timeouts import seconds
from ..wire import failure
from ..wire.errors import TaskTimeout
from . import current_executor
from .wrapped import Again, Wrapped, only_calls

NAMES = ("retries", "retry_delay", "retry_on")


class RetryPolicy(NamedTuple):
    """How tasks are tried again.

    retries: how often, at most, after the first time. delay: seconds before each.
    on: the exceptions after which they are.
    """

    retries: int
    delay: float
    on: tuple[type[Exception], ...]

    def in_place(self, fn: Callable[..., Any], deadline: float | None) -> TriedInPlace:
        """Return the function with its retries around each call.

        deadline: when the last value has to be there, as `time.monotonic` counts; None: whenever.
        """
        return TriedInPlace(fn, self, deadline)

    def elsewhere(self, fn: Callable[..., Any]) -> Tried:
        """Return the function for workers of a farm, whose rank 0 has it called again."""
        return Tried(fn, self)


def asked(retries: int | None, retry_delay: float | None, retry_on: Any) -> RetryPolicy | None:
    """Check what a caller asks for, None for what is not said; return None for no retries.

    Raises TypeError for what is no number or no type of exceptions, ValueError for numbers below 0
    and for a delay or types without retries.
    """
    if retries is None:
        given = "retry_delay" if retry_delay is not None else "retry_on"
        raise ValueError(f"{given} changes nothing without retries=, the number of further tries")
    try:
        retries = index(retries)
    except TypeError:
        raise TypeError(f"retries is {retries!r}, it must be a whole number") from None
    if retries < 0:
        raise ValueError(f"retries is {retries}, it must be 0 or more")
    delay = 0.0 if retry_delay is None else seconds(retry_delay, "retry_delay")
    if delay is None or delay < 0:
        raise ValueError(f"retry_delay is {retry_delay!r}, it must be 0 or more seconds")
    on = _types(Exception if retry_on is None else retry_on)
    return RetryPolicy(retries, delay, on) if retries else None


def _types(retry_on: Any) -> tuple[type[Exception], ...]:
    found = tuple(retry_on) if isinstance(retry_on, tuple | list | set | frozenset) else (retry_on,)
    if not found:
        raise ValueError("retry_on is empty, so nothing would be tried again")
    for kind in found:
        if not (isinstance(kind, type) and issubclass(kind, Exception)):
            raise TypeError(
                f"retry_on has {kind!r}, it must be a type of exceptions, as OSError, or several: "
                "(OSError, ValueError)"
            )
    return found


def of_call(
    fn: Callable[..., Any], kwargs: dict[str, Any], *given: Any
) -> tuple[RetryPolicy | None, dict[str, Any]]:
    """Return the retries of a submitted call, and the keywords for its function.

    A function that has a parameter of such a name itself gets them all: it was written so.
    given: retries, retry_delay, retry_on; None for what is not said.
    """
    said = {name: value for name, value in zip(NAMES, given, strict=True) if value is not None}
    if said.keys() & _parameters(fn):
        return None, kwargs | said
    return asked(*given), kwargs


def _parameters(fn: Callable[..., Any]) -> frozenset[str]:
    from inspect import Parameter, signature  # late: workers come by here for `Tried`

    try:
        found = signature(fn).parameters.values()
    except (TypeError, ValueError):  # written in C, or a hostile object
        return frozenset()
    by_name = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    return frozenset(each.name for each in found if each.kind in by_name)


class _Retrying(Wrapped):
    """A function that is called again where it raises.

    fn: the user's, or one of ours around it.
    """

    def __init__(self, fn: Callable[..., Any], retry: RetryPolicy) -> None:
        super().__init__(fn)
        self._retry = retry
        # A limit would only be outlived again, unless somebody thinks otherwise and says so.
        named = any(issubclass(kind, TimeoutError) for kind in retry.on)
        self._never = (BrokenExecutor,) if named else (BrokenExecutor, TaskTimeout)


class Tried(_Retrying):
    """A function on a worker of a farm: what is to be tried again is raised as `Again`."""

    def __init__(self, fn: Callable[..., Any], retry: RetryPolicy) -> None:
        super().__init__(fn, retry)
        self.retry = retry

    @only_calls
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return self._fn(*args, **kwargs)
        except self._never:
            raise
        except self._retry.on as error:
            raise Again(error) from None


class TriedInPlace(_Retrying):
    """A function that is called again here, where it was; other tasks run during the delay.

    deadline: a retry that would begin after it is not waited for; None: there is none.
    """

    def __init__(self, fn: Callable[..., Any], retry: RetryPolicy, deadline: float | None) -> None:
        super().__init__(fn, retry)
        self._deadline = deadline

    def __getstate__(self) -> Any:
        """With the seconds that are left: another host has another clock."""
        left = None if self._deadline is None else self._deadline - time.monotonic()
        return self.__dict__, left

    def __setstate__(self, state: Any) -> None:
        attributes, left = state
        self.__dict__.update(attributes)
        self._deadline = None if left is None else time.monotonic() + left

    @only_calls
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        for tried in range(1, self._retry.retries + 2):
            try:
                return self._fn(*args, **kwargs)
            except self._never:
                raise
            except self._retry.on as error:
                if tried > self._retry.retries or self._too_late():
                    if tried > 1:
                        failure.note(error, f"Tried {tried} times")
                    raise
            self._wait()
            current_executor.current().strand.again()

    def _too_late(self) -> bool:
        late = time.monotonic() + self._retry.delay
        return self._deadline is not None and late > self._deadline

    def _wait(self) -> None:
        if self._retry.delay:
            current_executor.current().wait_until(_never, self._retry.delay)


def _never() -> bool:
    return False
