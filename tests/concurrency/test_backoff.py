"""How long a rank sleeps where it waits: never long, and exactly where it knows until when."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from scoopmpi.concurrency import backoff
from scoopmpi.concurrency.backoff import (
    _PR_SET_TIMERSLACK,
    EARLY_SECONDS,
    LONGEST,
    SHORTEST,
    YIELD_SECONDS,
    pause,
    poll,
    seconds,
    sleep_exactly,
    sleep_until,
)

linux = pytest.mark.skipif(sys.platform != "linux", reason="the timer slack is Linux's")


class Sleeps:
    """What was slept and how often a core was offered, on a clock that stands still meanwhile."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.offered = 0
        self.now = 100.0

    def offer(self) -> None:
        self.offered += 1


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> Sleeps:
    found = Sleeps()
    monkeypatch.setattr(backoff.time, "sleep", found.slept.append)
    monkeypatch.setattr(backoff.time, "monotonic", lambda: found.now)
    monkeypatch.setattr(backoff.os, "sched_yield", found.offer)
    return found


# How long.


def test_a_wait_grows_by_a_twentieth_within_its_bounds() -> None:
    assert seconds(0.0) == SHORTEST
    assert seconds(0.02) == 0.001
    assert seconds(1e9) == LONGEST


def test_only_a_core_that_is_free_is_held(sleeps: Sleeps) -> None:
    pause(YIELD_SECONDS / 2, YIELD_SECONDS)
    assert (sleeps.offered, sleeps.slept) == (1, [])
    pause(YIELD_SECONDS / 2)
    pause(YIELD_SECONDS, YIELD_SECONDS)
    assert (sleeps.offered, sleeps.slept) == (1, [SHORTEST, SHORTEST])


@pytest.mark.parametrize(
    ("until", "slept"),
    [(None, 0.001), (100.5, 0.001), (100.0005, 0.0005), (100.0, 0.0), (99.0, 0.0)],
)
def test_a_pause_ends_where_something_is_expected(
    sleeps: Sleeps, until: float | None, slept: float
) -> None:
    pause(0.02, until=until)
    assert sleeps.slept == [pytest.approx(slept)]


@pytest.mark.parametrize(
    ("due", "slept"),
    [(100.001, 0.001), (100.0, 0.0), (0.0, 0.0), (101.0, LONGEST), (float("inf"), LONGEST)],
)
def test_nobody_sleeps_longer_than_the_longest(sleeps: Sleeps, due: float, slept: float) -> None:
    # A message that nobody expected is found within this, as is Ctrl-C elsewhere.
    sleep_until(due, idle=1.0)
    assert sleeps.slept == [pytest.approx(slept)]


def test_who_was_told_of_dearer_tasks_looks_before_they_are_due(sleeps: Sleeps) -> None:
    # An answer that comes early is found when half as much again as it took has passed.
    begun, looks = sleeps.now, 0
    while sleeps.now < begun + 0.01:
        before = sleeps.now - begun
        sleep_until(begun + 0.01, idle=before)
        sleeps.now += sleeps.slept[-1]
        looks += 1
        assert sleeps.now - begun <= before + max(before / 2, EARLY_SECONDS) + 1e-9
    assert sleeps.now == pytest.approx(begun + 0.01)
    assert looks < 15


def test_a_poll_sees_what_another_thread_brings_about() -> None:
    done = threading.Event()
    threading.Timer(0.01, done.set).start()
    assert poll(done.is_set, timeout=20)
    assert not poll(lambda: False, timeout=0.01)


# Exactly.


def own_slack() -> int:
    """Return the timer slack of this thread in nanoseconds."""
    return int(Path(f"/proc/{threading.get_native_id()}/timerslack_ns").read_text())


def in_a_thread(function: object) -> object:
    """Return what a function returns in a thread of its own: its slack ends with it."""
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(function()))  # type: ignore[operator]
    thread.start()
    thread.join(20)
    return found[0]


@linux
def test_exact_sleeps_are_for_the_thread_that_asks() -> None:
    before = own_slack()

    def exactly() -> int:
        sleep_exactly()
        return own_slack()

    assert in_a_thread(exactly) == 1000
    assert own_slack() == before


@linux
def test_threads_and_processes_that_it_starts_sleep_as_exactly() -> None:
    # As Linux has it; said where it is asked for. Nobody is worse off but by a timely wake-up.
    def exactly() -> tuple[object, str]:
        sleep_exactly()
        cat = subprocess.run(
            ["cat", "/proc/self/timerslack_ns"], capture_output=True, text=True, timeout=20
        )
        return in_a_thread(own_slack), cat.stdout.strip()

    assert in_a_thread(exactly) == (1000, "1000")
    assert "inherit" in (sleep_exactly.__doc__ or "")


@linux
@pytest.mark.alone
def test_a_sleep_that_is_exact_is_shorter() -> None:
    def shortest() -> float:
        lengths = []
        for _ in range(50):
            begun = time.perf_counter()
            time.sleep(1e-6)
            lengths.append(time.perf_counter() - begun)
        return min(lengths)

    def compared() -> bool:
        # By Linux' default first: this process may have had a farm, and sleep exactly by now.
        ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 50_000, 0, 0, 0)
        before = shortest()
        sleep_exactly()
        return shortest() < before

    # Others whose sleeps end meanwhile make some of ours shorter: most of the times, not each.
    assert in_a_thread(lambda: sum(compared() for _ in range(20))) > 10


def test_elsewhere_nothing_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff.sys, "platform", "darwin")
    monkeypatch.setitem(sys.modules, "ctypes", None)  # to import it would fail
    sleep_exactly()


@pytest.mark.parametrize(
    ("idle", "slept"),
    [(0.0, EARLY_SECONDS), (0.004, 0.002), (60.0, LONGEST)],  # 0: a batch has just gone out
)
def test_what_is_expected_late_may_come_early(sleeps: Sleeps, idle: float, slept: float) -> None:
    sleep_until(sleeps.now + 1.0, idle)
    assert sleeps.slept == [pytest.approx(slept)]
