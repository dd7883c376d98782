"""A bar for maps whose tasks run in this process, one after the other (`progress=True`).

There is no farm that tells of events: what a map reads of its arguments says how far it is. Tasks
that map in place have no bar, as those on workers have none.
"""

from __future__ import annotations

import atexit
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

from ..tasks import arguments
from ..tasks.executor import Executor
from ..tasks.pedigree import program
from ..tasks.serial import SerialExecutor
from ..wire.failure import describe

if TYPE_CHECKING:  # workers come by here
    from ..watching.observer import Observer

APART = 0.1
"""Seconds between two times at which it is told how many tasks have run."""
WORKER = 1
_numbers = count(1)


def shown(
    executor: Executor, fn: Callable[..., Any], iterables: Sequence[Iterable[Any]],
    progress: bool | str | None,
) -> tuple[Iterable[Any], ...]:  # fmt: skip
    """Return the iterables of a map, of which it is shown how far they are read.

    They are the same where that is not asked for, or is the business of a farm or a task.
    """
    if not progress or not isinstance(executor, SerialExecutor) or executor.strand is not program:
        return tuple(iterables)
    readers = _readers()
    if not readers:
        return tuple(iterables)
    size = arguments.counted(iterables)
    first, *others = iterables
    told = _Told(readers, describe(fn), size, progress)
    return _Counted(first, told), *others


def _readers() -> Sequence[Observer]:
    """Return who shows this program's maps.

    On a terminal its prints pass through us from now on, so that a bar is not in their way.
    """
    import socket

    from ..output import console
    from ..watching.progress.choice import Choice

    choice = Choice(None, os.environ)
    readers = choice.readers_for_some()
    on_terminal = sys.stderr is not None and sys.stderr.isatty()
    if readers and on_terminal and console.outlet(2) is None and sys.stderr is sys.__stderr__:
        console.install(lambda *_: None)
    for reader in readers:
        reader.worker_joined(WORKER, socket.gethostname(), os.getpid())
        atexit.register(reader.farm_closed, 0)
    return readers


class _Told:
    """Tells readers of one map."""

    def __init__(
        self, readers: Sequence[Observer], name: str, size: int | None, progress: bool | str
    ) -> None:
        self._readers, self._job = readers, next(_numbers)
        self._begun, self._done, self._size = 0, 0, size
        self._at = time.monotonic()
        for reader in readers:
            reader.job_begun(self._job, "map", name, size, progress)

    def begins(self) -> None:
        """Note that one more task begins, and all before have ended."""
        self._begun += 1
        if self._begun == 1 or time.monotonic() - self._at >= APART:
            self._tell(self._begun - 1)
            for reader in self._readers:
                reader.tasks_assigned(self._job, WORKER, self._done, 1, 1)

    def ends(self) -> None:
        """Tell that all tasks have run that were begun."""
        self._tell(self._begun if self._size is None else min(self._begun, self._size))
        for reader in self._readers:
            reader.job_sized(self._job, self._done)
            reader.job_ended(self._job)

    def _tell(self, done: int) -> None:
        now, start, job = time.monotonic(), self._done, self._job
        tasks, seconds = done - start, now - self._at
        self._at = now
        for reader in self._readers if tasks else ():
            reader.tasks_finished(job, WORKER, start, tasks, 0, seconds, None)
        self._done = done


class _Counted:
    """The first of a map's iterables, which tells how far it is read."""

    def __init__(self, iterable: Iterable[Any], told: _Told) -> None:
        self._iterable, self._told = iterable, told

    def __len__(self) -> int:
        return len(self._iterable)  # type: ignore[arg-type] # TypeError as of an iterable without

    def __iter__(self) -> Iterator[Any]:
        try:
            for argument in self._iterable:
                self._told.begins()
                yield argument
        finally:  # or nobody reads any further
            self._told.ends()
