"""Which items run for longer than a moment: so that the log says it while they do.

A reader of the farm's events. It hears of batches; the first item of what a worker has is the one
that runs, as far as anybody can know. A batch of short items is answered before it is looked at.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ...tasks.stretch import Stretch
from ...watching.observer import Observer

MOMENT = 1.0
"""Seconds after which an item has lasted: the log needs no line for its beginning before."""


class Runs(NamedTuple):
    """An item that runs: its place in the map, its worker, since when (seconds since 1970)."""

    place: int
    worker: int
    since: float


class _Held:
    """The tasks of a map that a worker has in a row; since: when the first of them began."""

    __slots__ = ("job", "since", "start", "stop", "told")

    def __init__(self, job: int, start: int, stop: int) -> None:
        self.job, self.start, self.stop = job, start, stop
        self.since = 0.0
        self.told = False


class Begun(Observer):
    """Knows what each worker has of the latest map. clock: seconds since 1970, for tests."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._held: dict[int, list[_Held]] = {}
        self._job = 0

    def lasting(self) -> list[Runs]:
        """Return the items that have begun to last since this was asked before."""
        late, found = self._clock() - MOMENT, []
        with self._guard:
            for worker, held in self._held.items():
                first = held[0] if held else None
                if first is None or first.told or first.since > late or first.job != self._job:
                    continue
                first.told = True
                found.append(Runs(first.start, worker, first.since))
        return found

    # Events.

    def tasks_assigned(self, job: int, worker: int, start: int, tasks: int, attempt: int) -> None:
        with self._guard:
            self._job = max(self._job, job)
            held = self._held.setdefault(worker, [])
            held.append(_Held(job, start, start + tasks))
            if len(held) == 1:
                held[0].since = self._clock()

    def tasks_ran(
        self, job: int, worker: int, start: int, tasks: int, log: Sequence[Stretch]
    ) -> None:
        with self._guard:
            self._change(worker, job, start, start + tasks, None)

    def tasks_handed_back(self, job: int, worker: int, start: int, tasks: int) -> None:
        with self._guard:
            for each in self._held.get(worker, ()):
                if each.job == job and each.start <= start < each.stop:
                    self._change(worker, job, each.start, each.start, start)
                    return

    def tasks_lost(
        self, job: int, worker: int, start: int, tasks: int, attempt: int, late: bool
    ) -> None:
        with self._guard:
            self._held.pop(worker, None)

    def worker_lost(self, worker: int, host: str) -> None:
        with self._guard:
            self._held.pop(worker, None)

    def _change(self, worker: int, job: int, start: int, begin: int, end: int | None) -> None:
        """Note that what a worker has from a task on begins and ends elsewhere now."""
        held = self._held.get(worker, [])
        first = held[0] if held else None
        for each in held:
            if each.job == job and each.start == start:
                if begin != each.start:
                    each.start, each.since, each.told = begin, self._clock(), False
                each.stop = each.stop if end is None else end
                if each.start >= each.stop:
                    held.remove(each)
                break
        if held and held[0] is not first:
            held[0].since = self._clock()
