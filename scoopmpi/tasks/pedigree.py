"""Who a task is: its place in its map, and how that map came to be, back to the program.

A pedigree (Leiserson, Schardl and Sukha, PPoPP 2012) depends on what a program does and on nothing
else: not on workers, batches, retries or time. Random numbers are drawn from it (`scoopmpi.task`).

Nothing is kept for a task that does not ask: tasks of one job that run one after the other on one
stack share a `Strand`, and how far it has come says which one runs. Who runs tasks has the strand
at hand, or names it `strand` in a function that `runs_strand` declares, for those who look for it.

An `Origin` says of a job the program's seed; who has made it, a `Maker` or its key, 0 for the
program; its number among that one's maps, 0 for a submitted call; the index of its first task, for
a call its number; the group (`groups`) of the program's work that it belongs to, or None. The seed
is None where nobody can say the place: of jobs of a task's threads.
"""

from __future__ import annotations

import itertools
import logging
import os
import sys
import threading
from collections.abc import Callable, Sized
from types import CodeType, FrameType, MethodType
from typing import Any, Protocol, TypeAlias, TypeVar

from ..process import identity
from ..wire.messages import Origin, Run

UNPLACED: Origin = (None, 0, 0, 0, None)
"""Of what nobody can place."""
_STEP = 0x243F6A8885A308D313198A2E03707345
"""Odd, and without a pattern: the first 128 bits of pi behind the point, and 1."""
_KEYS = (1 << 128) - 1
Maker: TypeAlias = list[Any]
"""A task that makes jobs: the origin of its own job, how far it stands behind the first task in
that, and its key once that was asked for. To work out keys takes as long as to make a job does."""
OPTION = "the option --seed"
_log = logging.getLogger("scoopmpi")
_NOBODY: Maker = [None, 0]
_RUNNERS: set[int] = set()
"""The code that `runs_strand` has declared, by its id, as to compare code takes long."""
_Function = TypeVar("_Function", bound=Callable[..., Any])
_Strand = TypeVar("_Strand", bound="Strand")


def runs_strand(function: _Function) -> _Function:
    """Declare a function that runs tasks of the strand in its variable `strand`."""
    _RUNNERS.add(id(function.__code__))
    return function


def is_runner(code: CodeType) -> bool:
    """Return True for code that `runs_strand` has declared."""
    return id(code) in _RUNNERS


def strand_below() -> Strand | None:
    """Return the strand of the innermost task that the caller's caller is part of, if any."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if id(frame.f_code) in _RUNNERS:
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
    begun: 1, and 1 more for each time that they were begun before.
    inner: of tasks that the running one runs itself, as parts of a reduction.
    """

    # Of the class, as one is made for each few nested tasks, and told only what differs.
    origin: Origin = UNPLACED
    function: Any = None
    start = 0
    values: Sized = ()
    begun = 1
    inner: Strand | None = None
    _task: Maker = _NOBODY  # of which all that follows is
    _maps = _calls = _tries = 0
    _kept: dict[str, Any] | None = None

    @classmethod
    def of(
        cls: type[_Strand], origin: Origin, function: Any, start: int = 0, values: Sized = (),
        begun: int = 1,
    ) -> _Strand:  # fmt: skip
        """Return a strand of which all is known."""
        made = cls()
        made.origin, made.function, made.start, made.values = origin, function, start, values
        made.begun = begun
        return made

    @property
    def index(self) -> int:
        """The index of the task that runs."""
        return self.origin[3] + self.start + len(self.values)

    @property
    def attempt(self) -> int:
        """The attempt at the task that runs, from 1."""
        return self.begun + (self._tries if self._known() else 0)

    def again(self) -> None:
        """Begin the running task once more: with the same numbers, and the same places below it."""
        tries = self._tries if self._known() else 0
        self._begin()
        self._tries = tries + 1

    def new_map(self) -> Origin:
        """Return the origin of the next map that the running task makes."""
        task, origin, position = self._task, self.origin, self.start + len(self.values)
        if task[0] is origin and task[1] == position:
            self._maps += 1
        else:  # as `_begin`, without a call: tasks make mostly one map
            self._task = task = [origin, position]
            self._maps, self._calls, self._tries, self._kept = 1, 0, 0, None
        return origin[0], task, self._maps, 0, origin[4]

    def new_call(self, function: Any) -> Origin:
        """Return the origin of the next call that the running task submits."""
        if is_map(function):
            return self.new_map()
        if not self._known():
            self._begin()
        self._calls += 1
        return self.origin[0], self._task, 0, self._calls - 1, self.origin[4]

    def own(self) -> dict[str, Any]:
        """Return what the running task alone has: it is empty when it is first asked for."""
        if not self._known():
            self._begin()
        if self._kept is None:
            self._kept = {}
        return self._kept

    def _known(self) -> bool:
        """True where what is kept is of the task that runs."""
        task = self._task
        return task[0] is self.origin and bool(task[1] == self.start + len(self.values))

    def _begin(self) -> None:
        """Begin anew, as another task runs than the last time."""
        self._task = [self.origin, self.start + len(self.values)]
        self._maps, self._calls, self._tries, self._kept = 0, 0, 0, None


def key_of(maker: Maker | int) -> int:
    """Return the key of who has made a job: a number that no other task has, 0 for the program.

    Several threads may ask for the same: who runs a task and who gives a part of it to others.
    """
    unknown = []
    while not isinstance(maker, int) and len(maker) == 2:
        unknown.append(maker)
        maker = maker[0][1]
    key: int = maker if isinstance(maker, int) else maker[2]
    for task in reversed(unknown):  # no recursion, as tasks may be nested ten thousands deep
        (_, _, number, first, _), position = task[:2]  # it may have got its key meanwhile
        # Of one maker no two have the same, as an odd factor loses nothing.
        key = (key * _STEP + (number << 64 | first + position + 1)) & _KEYS
        task[2:] = [key]
    return key


def sent(origin: Origin, start: int = 0) -> Origin:
    """Return an origin as it travels: with its maker's key, and from the task `start` on."""
    seed, maker, number, first, group = origin
    return seed, key_of(maker), number, first + start, group


def is_map(function: Any) -> bool:
    """True for a call that is to be counted as a map, as that is what the user has asked for."""
    return type(function) is MethodType and getattr(function.__self__, "counts_as_map", False)


def strand_of(run: Run, function: Any, values: list[Any]) -> Strand:
    """Return the strand of a batch.

    function, values: what its tasks call; the list that their values come to.
    """
    if run.origin is None:  # each call brings its own
        return Strand.of(UNPLACED, None, begun=run.attempt)
    return Strand.of(run.origin, function, run.start, values, run.attempt)


def _no_group() -> int | None:
    return None


class Facts(Protocol):
    """A checkpoint, as far as it keeps the seed."""

    def fact(self, name: str, /) -> str | None:
        """Return what an earlier run has told under a name, None where none has."""

    def tell(self, **facts: str) -> None:
        """Keep facts for the next run."""


class Program:
    """The seed of a program, and its maps and calls, counted; methods are for any thread."""

    inner: Strand | None = None
    origin = UNPLACED
    attempt = 1

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seed: int | None = None
        self._whence = ""
        self.group: Callable[[], int | None] = _no_group
        """Returns the group of what is made now, in the thread that asks."""
        self._restart()

    def _restart(self) -> None:
        self._maps, self._calls = itertools.count(1), itertools.count()

    @property
    def seed(self) -> int | None:
        """The seed; where nobody has given one, 128 bits of the system's. None on a worker."""
        if self._seed is None and not (identity.this.started and identity.this.rank):
            with self._lock:
                if self._seed is None:
                    self._take(int.from_bytes(os.urandom(16), "little"), "the system")
        return self._seed

    def again(self) -> None:
        """Do nothing: a program is not tried again."""

    def begin(self, seed: int, whence: str) -> None:
        """Take a seed, and count maps and calls from the start.

        whence: who has given it, for messages.
        """
        with self._lock:
            if self._whence == OPTION and seed != self._seed:
                _log.warning("--seed %d has no effect: %s gives %d", self._seed, whence, seed)
            self._take(seed, whence)
            self._restart()

    def keep_in(self, checkpoint: Facts) -> None:
        """Have a checkpoint keep the seed; where none is fixed yet, take the one it has."""
        kept = checkpoint.fact("seed")
        if self._seed is None and kept is not None and kept.isdecimal():
            self.begin(int(kept), "its checkpoint")
        checkpoint.tell(seed=str(self.seed))

    def _take(self, seed: int, whence: str) -> None:
        self._seed, self._whence = seed, whence
        _log.debug("the seed is %d, from %s; --seed %d repeats this run", seed, whence, seed)

    def new_map(self) -> Origin:
        """Return the origin of the program's next map."""
        return self.seed, 0, next(self._maps), 0, self.group()

    def new_call(self, function: Any) -> Origin:
        """Return the origin of the program's next submitted call."""
        if is_map(function):
            return self.new_map()
        return self.seed, 0, 0, next(self._calls), self.group()


program = Program()
"""Of this process. On a worker it counts what nobody can place."""
