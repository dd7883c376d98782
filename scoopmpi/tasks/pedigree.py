"""Who a task is: its place in its map, and how that map came to be, back to the program.

A pedigree (Leiserson, Schardl and Sukha, PPoPP 2012) depends on what a program does and on nothing
else: not on workers, batches, retries or time. Random numbers are drawn from it (`scoopmpi.task`).

Nothing is kept for a task that does not ask: tasks of one job that run one after the other on one
stack share a `Strand`, and how far it has come says which one runs. Who runs tasks has the strand
at hand, or names it `strand` in a function that `runs_strand` declares, for those who look for it.

An `Origin` says of a job the program's seed; the key of the task that has made it, 0 for the
program; its number among that one's maps, 0 for a submitted call; the index of its first task, for
a call its number. The seed is None where nobody can say the place: of jobs of a task's threads.
"""

from __future__ import annotations

import itertools
import os
import sys
import threading
from collections.abc import Callable, Sized
from types import CodeType, FrameType
from typing import Any, TypeVar

from ..process import identity
from ..wire.messages import Origin, Run

UNPLACED: Origin = (None, 0, 0, 0)
"""Of what nobody can place."""
_STEP = 0x243F6A8885A308D313198A2E03707345
"""Odd, and without a pattern: the first 128 bits of pi behind the point, and 1."""
_KEYS = (1 << 128) - 1
_RUNNERS: set[CodeType] = set()
"""The code that `runs_strand` has declared; it grows only while modules are imported."""
_Function = TypeVar("_Function", bound=Callable[..., Any])


def runs_strand(function: _Function) -> _Function:
    """Declare a function that runs tasks of the strand in its variable `strand`."""
    _RUNNERS.add(function.__code__)
    return function


def strand_below() -> Strand | None:
    """Return the strand of the innermost task on the caller's stack, if it is one of a task."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code in _RUNNERS:
            strand: Strand | None = frame.f_locals.get("strand")
            if strand is not None:  # else it is about to begin
                return strand.inner or strand
        frame = frame.f_back
    return None


class Strand:
    """Tasks of one job that run one after the other on one stack.

    origin: of the job. function: what they call; None where each brings its own.
    start: the first of them, counted from the index in `origin`.
    values: grows by one with each task that has ended.
    attempt: 1 at first, 1 more for each time that they were begun before.
    """

    __slots__ = ("_calls", "_key", "_maps", "_of", "attempt", "function", "inner", "kept", "origin",
                 "start", "values")  # fmt: skip

    def __init__(
        self, origin: Origin, function: Any, start: int = 0, values: Sized = (), attempt: int = 1
    ) -> None:
        self.origin, self.function = origin, function
        self.start, self.values, self.attempt = start, values, attempt
        self.inner: Strand | None = None
        """Of tasks that the running one runs itself, as parts of a reduction."""
        self._of: Any = None  # the task that what follows is of
        self._key = self._maps = self._calls = 0
        self.kept: dict[str, Any] = {}

    @property
    def index(self) -> int:
        """The index of the task that runs."""
        return self.origin[3] + self.start + len(self.values)

    def new_map(self) -> Origin:
        """Return the origin of the next map that the running task makes."""
        self._look()
        self._maps += 1
        return self.origin[0], self._key, self._maps, 0

    def new_call(self) -> Origin:
        """Return the origin of the next call that the running task submits."""
        self._look()
        self._calls += 1
        return self.origin[0], self._key, 0, self._calls - 1

    def own(self) -> dict[str, Any]:
        """Return what the running task alone has: it is empty when it is first asked for."""
        self._look()
        return self.kept

    def _look(self) -> None:
        """Begin anew where another task runs than the last time."""
        origin, index = self.origin, self.origin[3] + self.start + len(self.values)
        if self._of != (origin, index):
            self._of = origin, index
            # For one parent all keys differ, as an odd factor loses nothing.
            self._key = (origin[1] * _STEP + (origin[2] << 64) + index + 1) & _KEYS
            self._maps = self._calls = 0
            self.kept = {}


def strand_of(run: Run, function: Any, values: list[Any]) -> Strand:
    """Return the strand of a batch.

    function, values: what its tasks call; the list that their values come to.
    """
    if run.origin is None:  # each call brings its own
        return Strand(UNPLACED, None, attempt=run.attempt)
    return Strand(run.origin, function, run.start, values, run.attempt)


class Program:
    """The seed of a program, and its maps and calls, counted; methods are for any thread."""

    inner: Strand | None = None
    attempt = 1

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seed: int | None = None
        self.chosen = False
        """True where the user has chosen the seed, now or in a run before."""
        self._restart()

    def _restart(self) -> None:
        self._maps, self._calls = itertools.count(1), itertools.count()

    @property
    def seed(self) -> int | None:
        """The seed; where nobody has given one, 128 bits of the system's. None on a worker."""
        if self._seed is None and not (identity.this.started and identity.this.rank):
            with self._lock:
                if self._seed is None:
                    self._seed = int.from_bytes(os.urandom(16), "little")
        return self._seed

    def begin(self, seed: int) -> None:
        """Take a seed, and count maps and calls from the start."""
        with self._lock:
            self._seed, self.chosen = seed, True
            self._restart()

    def new_map(self) -> Origin:
        """Return the origin of the program's next map."""
        return self.seed, 0, next(self._maps), 0

    def new_call(self) -> Origin:
        """Return the origin of the program's next submitted call."""
        return self.seed, 0, 0, next(self._calls)


program = Program()
"""Of this process. On a worker it counts what nobody can place."""
