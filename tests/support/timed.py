"""Ranks in one process with a clock of their own: a task takes the seconds that it says, not ours.

Each worker has a greenlet: while its task runs, all others go on, and its progress thread has its
turns. A seed decides whose turn it is, and how long a message is on its way.
"""

from __future__ import annotations

from typing import Any

import pytest
from greenlet import getcurrent, greenlet

from scoopmpi.farm.farm import Farm
from scoopmpi.farm.stop_before import StopBefore
from scoopmpi.scheduling.batching import Policy
from scoopmpi.tasks import current_executor
from scoopmpi.worker.worker import Worker
from tests.support.link import Ranks

STEPS = (0.0001, 0.0005, 0.001)
"""Seconds for which one thing lasts."""


class Clock:
    """The time, one for all."""

    def __init__(self) -> None:
        self.now = 1e6

    def time(self) -> float:
        return self.now


class Lane:
    """The own thread of a worker: what it is at, and until when."""

    def __init__(self, worker: Worker, main: Any) -> None:
        self.worker = worker
        self.until = 0.0
        self._main = main
        self._at = greenlet(self._run)

    def _run(self) -> None:
        while True:
            self._main.switch(self.worker.step())

    def go_on(self) -> bool:
        """Do something until its task computes again, or nothing is left to do."""
        return bool(self._at.switch())

    def compute(self, until: float) -> None:
        """The task that calls this computes until then."""
        self.until = until
        before, self._at = self._at, getcurrent()
        self._main.switch(True)
        self._at, self.until = before, 0.0


class TimedRanks(Ranks):
    """A farm and its workers, and the time."""

    def __init__(
        self, clock: Clock, workers: int, seed: int, stop_before: StopBefore | None = None
    ) -> None:
        self.clock = clock
        self.lanes: dict[int, Lane] = {}
        super().__init__(workers, seed, Policy(), stop_before=stop_before)

    def spend(self, seconds: float) -> None:
        """The task, or the program, that calls this computes for so long."""
        until = self.clock.now + seconds
        if self.acting is not None:
            self.lanes[self.acting.rank].compute(until)
        while self.clock.now < until:
            self.turn()

    def turn(self) -> None:
        """One step of somebody; time goes on."""
        self.clock.now += self.link.chance.choice(STEPS)
        super().turn()

    def step(self, actor: Farm | Worker) -> bool:
        if isinstance(actor, Farm):
            return super().step(actor)
        if actor.rank not in self.lanes:
            self.lanes[actor.rank] = Lane(actor, getcurrent())
        lane = self.lanes[actor.rank]
        outer, before = current_executor.current(), self.acting
        current_executor.install(actor.nested)
        self.acting = actor
        try:
            if self.clock.now < lane.until:
                actor.overdue.turn()
                return False
            return lane.go_on()
        finally:
            self.acting = before
            current_executor.install(outer)

    def wait_until(self, done: Any, timeout: float | None = None) -> bool:
        driver = self.farm._driver
        assert driver._main is not None
        driver._callers.add(driver._main)
        driver._waits += 1
        try:
            return super().wait_until(done, timeout)
        finally:
            driver._callers.discard(driver._main)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("time.time", made.time)
    monkeypatch.setattr("time.monotonic", made.time)
    return made
