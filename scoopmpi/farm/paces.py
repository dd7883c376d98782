"""What the latest map of each function has shown, for the next one: how long tasks take and weigh.

Programs map one function again and again over few tasks; without a memory each map would begin
with single tasks, to learn what the last one knew. Kept by the place of the function's code, as
lambdas, partials and methods are made anew for each map, and nothing of the user's is kept alive.
Numbers come from the scheduler and go back to it; what they are good for is decided there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, NamedTuple

from ..scheduling.batching import Pace
from ..scheduling.scheduler import Scheduler
from ..tasks.wrapped import Wrapped
from .jobs import Jobs

MOST = 256
"""Functions that are remembered: a program that makes code as it goes must not grow by it."""
QUICK = 1e-5
"""Seconds of a task. Above it the round more that handing out fewer tasks costs at first is below
1 % of a map, and outcomes may become large: 1200 arrays of 1 MB lay at rank 0 after a map of
numbers, not 100."""
DEEPEST = 16
"""Functions in one another that are looked through: one may be around itself."""


class Known(NamedTuple):
    """What is known of a function.

    code: the place of its code. pace, weight: of its tasks, in seconds and bytes.
    light: whether these take no time, and their outcomes weigh next to nothing.
    """

    code: tuple[str, object]
    pace: Pace | None = None
    light: bool = False
    weight: float = 0.0


class Paces:
    """The functions that one farm has mapped; called with its lock held."""

    def __init__(self, scheduler: Scheduler, jobs: Jobs) -> None:
        self._scheduler, self._jobs = scheduler, jobs
        self._kept: dict[object, Known] = {}
        self._latest: dict[object, int] = {}  # open maps, whose pace the scheduler knows
        self._code_of: dict[int, tuple[str, object]] = {}

    def known(self, target: Callable[..., Any]) -> Known:
        """Return what is known of a function."""
        code = code_of(target)
        latest = self._latest.get(code)
        if latest is not None:
            self._keep(code, latest)
        return self._kept.get(code) or Known(code)

    def begun(self, number: int, known: Known) -> None:
        """Note that the map of this number has begun."""
        self._latest[known.code], self._code_of[number] = number, known.code

    def code_of(self, number: int) -> object:
        """Return the place of the code of an open map's function; None of all else."""
        return self._code_of.get(number)

    def closed(self, number: int) -> None:
        """Keep what a map has shown, which is about to be forgotten."""
        code = self._code_of.pop(number, None)
        if code is not None and self._latest.get(code) == number:
            del self._latest[code]
            self._keep(code, number)

    def _keep(self, code: tuple[str, object], number: int) -> None:
        job = self._jobs.maps.get(number)
        if job is None or not self._scheduler.measured(number):
            return  # what was known stays
        pace = self._scheduler.remembered(number)
        light = job.light and pace is not None and pace.seconds <= QUICK
        self._kept.pop(code, None)
        self._kept[code] = Known(code, pace, light, self._scheduler.weight(number))
        if len(self._kept) > MOST:
            del self._kept[next(iter(self._kept))]


def code_of(target: Any) -> tuple[str, object]:
    """Return where the code is that a function, method, partial or callable object runs.

    Runs nothing of the user's but what pretends to be an attribute; what it raises is no matter.
    """
    for _ in range(DEEPEST):
        kind = type(target)
        if kind is MethodType:
            target = target.__func__
        elif kind is partial:
            target = target.func
        elif issubclass(kind, Wrapped):
            target = target.wrapped
        elif (inner := _decorated(target)) is not None:
            target = inner
        else:
            break
    kind = type(target)
    if kind is FunctionType:
        return target.__code__.co_filename, target.__code__.co_firstlineno
    named = target if issubclass(kind, type | BuiltinFunctionType) else kind
    try:
        module, name = named.__module__, named.__qualname__
    except Exception:
        return "", ""
    return module if type(module) is str else "", name if type(name) is str else ""


def _decorated(target: Any) -> Any:
    """Return what a decorator has put a function or object around, None where none has.

    The place of a decorator's code is that of all functions that it decorates.
    """
    try:
        return object.__getattribute__(target, "__dict__").get("__wrapped__")
    except Exception:  # it has no names of its own, or hides them
        return None
