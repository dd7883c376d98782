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


class Known(NamedTuple):
    """What is known of a function whose map begins.

    pace: of its tasks. light: whether their outcomes weigh next to nothing.
    """

    pace: Pace | None = None
    light: bool = False


NOTHING = Known()


class Paces:
    """The functions that one farm has mapped; called with its lock held."""

    def __init__(self, scheduler: Scheduler, jobs: Jobs) -> None:
        self._scheduler, self._jobs = scheduler, jobs
        self._kept: dict[Any, Known] = {}
        self._latest: dict[Any, int] = {}  # open maps, whose pace the scheduler knows
        self._keys: dict[int, Any] = {}

    def begun(self, number: int, target: Callable[..., Any]) -> Known:
        """Return what is known of a function, of which the map of this number begins."""
        key = _code(target)
        before = self._latest.get(key)
        if before is not None:
            self._keep(key, before)
        self._latest[key], self._keys[number] = number, key
        return self._kept.get(key, NOTHING)

    def closed(self, number: int) -> None:
        """Keep what a map has shown, which is about to be forgotten."""
        key = self._keys.pop(number, None)
        if key is not None and self._latest.get(key) == number:
            del self._latest[key]
            self._keep(key, number)

    def _keep(self, key: Any, number: int) -> None:
        pace, job = self._scheduler.pace(number), self._jobs.maps.get(number)
        if job is None or pace is None or pace.remembered:
            return  # nothing was measured: what was known stays
        self._kept.pop(key, None)
        self._kept[key] = Known(pace._replace(remembered=True), job.light)
        if len(self._kept) > MOST:
            del self._kept[next(iter(self._kept))]


def _code(target: Any) -> tuple[str, object]:
    """Return where the code is that a function, method, partial or callable object runs."""
    while True:
        if isinstance(target, Wrapped):
            target = target.wrapped
        elif type(target) is partial:
            target = target.func
        elif type(target) is MethodType:
            target = target.__func__
        else:
            break
    if type(target) is FunctionType:
        return target.__code__.co_filename, target.__code__.co_firstlineno
    kind = target if isinstance(target, type | BuiltinFunctionType) else type(target)
    return kind.__module__ or "", kind.__qualname__
