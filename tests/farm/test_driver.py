"""How a caller that waits for results waits: on a clock that only sleeps move."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from scoopmpi.concurrency import backoff
from scoopmpi.concurrency.signal_lock import SignalLock
from scoopmpi.farm import driver as driver_module
from scoopmpi.farm.driver import Driver
from scoopmpi.farm.due import Due
from scoopmpi.scheduling.ranges import Batch
from scoopmpi.scheduling.scheduler import Assignment


class Waiting:
    """A driver whose messages come at given times, and what it did meanwhile."""

    def __init__(self, idle: bool) -> None:
        self.now = 100.0
        self.sleeps: list[float] = []
        self.due = Due()
        self.arrives: list[float] = []
        self.found: list[float] = []
        scheduler: Any = SimpleNamespace(idle=idle)
        self.driver = Driver(self._step, SignalLock(), scheduler, self.due, lambda: True, False)

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds + 1e-6

    def offer(self) -> None:
        self.now += 1e-6

    def expects(self, seconds: float, worker: int = 1) -> None:
        """Give a worker a batch that takes so long for sure."""
        given = Assignment(worker, Batch(1, 0, 1), 1.0, seconds, seconds)
        self.due.given(given, self.now)

    def _step(self) -> bool:
        came = [time for time in self.arrives if time <= self.now]
        self.arrives = [time for time in self.arrives if time > self.now]
        self.found += [self.now - time for time in came]
        return bool(came)

    def late(self, *after: float) -> list[float]:
        """Wait for messages that come so many seconds later; return how late each is found."""
        self.arrives = [self.now + seconds for seconds in after]
        assert self.driver.wait_until(lambda: len(self.found) == len(after), 60.0)
        return self.found


def waiting(monkeypatch: pytest.MonkeyPatch, idle: bool) -> Waiting:
    found = Waiting(idle)
    clock = SimpleNamespace(monotonic=lambda: found.now, sleep=found.sleep)
    monkeypatch.setattr(backoff, "time", clock)
    monkeypatch.setattr(driver_module, "time", clock)
    monkeypatch.setattr(backoff.os, "sched_yield", found.offer)
    return found


@pytest.mark.parametrize("seconds", [0.001, 0.01, 0.1, 1.0])
def test_an_answer_is_found_when_it_is_due(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    farm = waiting(monkeypatch, idle=False)
    farm.expects(seconds)
    (late,) = farm.late(seconds + 1e-5)
    assert late < 0.0001
    # And rank 0 has hardly run: a few looks at first, then 200 a second, then those at the end.
    assert len(farm.sleeps) < 20 + 200 * seconds


def test_what_running_tasks_hand_in_is_found_soon_where_somebody_is_idle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Offers of nested tasks, every three milliseconds, while the outer task is due in a second.
    farm = waiting(monkeypatch, idle=True)
    farm.expects(1.0)
    assert max(farm.late(*(0.003 * place for place in range(1, 40)))) < 0.0002


def test_who_expects_nothing_waits_by_a_twentieth(monkeypatch: pytest.MonkeyPatch) -> None:
    farm = waiting(monkeypatch, idle=False)
    (late,) = farm.late(0.05)
    assert late < 0.05 / 19
    assert len(farm.sleeps) < 200


def test_an_answer_that_is_late_is_looked_for_as_if_nothing_had_been_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    farm = waiting(monkeypatch, idle=False)
    farm.expects(0.1)
    (late,) = farm.late(0.102)
    assert late < 0.002 / 19  # a twentieth of what it is late by, not of all


def test_who_begins_to_wait_lets_others_on_his_core_go_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    farm = waiting(monkeypatch, idle=False)
    farm.expects(1.0)
    happened: list[str] = []
    monkeypatch.setattr(backoff.os, "sched_yield", lambda: happened.append("offered"))
    farm.driver._step = lambda: bool(happened.append("looked"))
    assert farm.driver.wait_until(lambda: "looked" in happened, 60.0)
    assert happened == ["offered", "looked"]
    assert farm.driver.wait_until(lambda: True)  # who need not wait offers nothing
    assert happened == ["offered", "looked"]


def test_a_timeout_ends_a_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    farm = waiting(monkeypatch, idle=False)
    farm.expects(1.0)
    begun = farm.now
    assert not farm.driver.wait_until(lambda: False, 0.0123)
    assert farm.now - begun == pytest.approx(0.0123, abs=1e-4)
