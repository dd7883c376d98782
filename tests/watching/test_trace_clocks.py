"""Clocks of hosts: brought to rank 0's within the way of a message, and never out of order."""

from __future__ import annotations

import itertools
import random

import pytest

from scoopmpi.watching.trace.clocks import HostClock


def test_a_clock_that_agrees_is_left_alone() -> None:
    clock = HostClock()
    for number in range(100):
        clock.learn(number + 0.1, number + 0.5, number, number + 0.6)
    assert clock.error == 0 and clock.here(7.3) == 7.3


@pytest.mark.parametrize("error", [-7200.0, -0.3, 0.02, 86400.0])
def test_another_clock_is_met_within_the_way_of_a_message(error: float) -> None:
    clock, chance, now = HostClock(), random.Random(1), 1000.0
    for _ in range(200):
        assigned, began = now, now + 0.0005 + chance.expovariate(1000)
        ended = began + chance.random()
        now = ended + 0.0005 + chance.expovariate(1000)
        clock.learn(began - error, ended - error, assigned, now)
        assert began - 0.02 < clock.here(began - error) < ended + 0.02
    assert abs(clock.error - error) < 0.001


@pytest.mark.parametrize("seed", range(50))
def test_times_in_order_stay_in_order(seed: int) -> None:
    """Whatever clocks do, and in whatever order workers of the host are heard."""
    clock, chance = HostClock(), random.Random(seed)
    drift, error, now = 1 + chance.uniform(-0.01, 0.01), chance.uniform(-5, 5), 100.0
    given: list[tuple[float, float]] = []
    for _ in range(300):
        assigned = now - chance.uniform(0, 2)
        began = now - chance.uniform(0, 1)
        now += chance.expovariate(10)
        theirs = (began * drift + error, max(began, now - chance.random()) * drift + error)
        clock.learn(*theirs, assigned, now)
        given += [(time, clock.here(time)) for time in theirs]
    given.sort()
    assert all(a[1] <= b[1] + 1e-9 for a, b in itertools.pairwise(given))
