"""A function whose tasks cost something else from one map to the next: what a wrong memory costs.

In virtual time each map of changed tasks is run twice: with the pace that the maps before it have
left, and with none. Where tasks have changed all that a memory can spoil is the first batch of each
worker: so there are bounds, and each has its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scoopmpi.scheduling.batching import Pace, Policy
from scoopmpi.scheduling.scheduler import Assignment, Scheduler
from scoopmpi.scheduling.simulator import Costs, simulate

COSTS = Costs(latency=20e-6)
POLICY = Policy()
FARMS = (2, 16)
SHARES = (2, 4, 16, 64)  # tasks a worker
BACK = 0.005
"""Seconds after which a batch that was made by a memory may come back, however short it should be:
a worker's progress thread looks as often."""
FACTORS = (100.0, 10.0, 3.0, 1.0, 0.1, 0.01)


def even(count: int, seconds: float, chance: Random) -> list[float]:
    """Tasks that all take the same."""
    return [seconds] * count


def spread(count: int, seconds: float, chance: Random) -> list[float]:
    """Tasks of anything between nothing and twice as much."""
    return [seconds * chance.uniform(0, 2) for _ in range(count)]


def exponential(count: int, seconds: float, chance: Random) -> list[float]:
    """Many short ones and few long ones."""
    return [seconds * chance.expovariate(1) for _ in range(count)]


def two_kinds(count: int, seconds: float, chance: Random) -> list[float]:
    """One in seven takes seventeen times as long as the others."""
    return [seconds * (5.0 if chance.random() < 0.15 else 0.3) for _ in range(count)]


Shape = Callable[[int, float, Random], list[float]]
SHAPES: tuple[Shape, ...] = (even, spread, exponential, two_kinds)


class Memory:
    """Begins maps with what the one before it has shown, as the farm does; or with nothing."""

    def __init__(self, remembers: bool) -> None:
        self._remembers = remembers
        self._pace: Pace | None = None

    def submits(self, scheduler: Scheduler, job: int, tasks: int) -> list[Assignment]:
        if scheduler.measured(job - 1) and self._remembers:
            self._pace = scheduler.remembered(job - 1)
        return scheduler.submitted(job, tasks, pace=self._pace)


def pace_after(durations: Sequence[float], workers: int) -> Pace | None:
    """Return what is remembered after three maps of such tasks: nothing of a few that differ."""
    found: list[Pace | None] = []
    memory = Memory(remembers=True)

    def submits(scheduler: Scheduler, job: int, tasks: int) -> list[Assignment]:
        found.append(scheduler.remembered(job - 1))
        return memory.submits(scheduler, job, tasks)

    simulate(durations, workers, costs=COSTS, generations=4, submits=submits)
    return found[-1]


def seconds_of(durations: Sequence[float], workers: int, pace: Pace | None) -> float:
    """Return the makespan of one map that begins with a pace."""

    def submits(scheduler: Scheduler, job: int, tasks: int) -> list[Assignment]:
        return scheduler.submitted(job, tasks, pace=pace)

    return simulate(durations, workers, costs=COSTS, submits=submits).makespan


# Even tasks.


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("workers", FARMS)
def test_even_tasks_of_another_cost_take_no_longer_than_without_a_memory(
    workers: int, factor: float
) -> None:
    for share in SHARES:
        for seconds in (1e-5, 1e-4, 1e-3, 1e-2):
            pace = pace_after([seconds] * (workers * share), workers)
            tasks = [seconds * factor] * (workers * share)
            without = seconds_of(tasks, workers, None)
            # Dearer: even shares are even shares, and what comes back of them is learnt. Cheaper: a
            # second small batch for each worker is on its way before the first has taught anything,
            # and what is left then is little.
            most = 1.03 * without if factor >= 1 else 1.2 * without + 2 * workers * POLICY.message
            assert seconds_of(tasks, workers, pace) <= most, (share, seconds)


# Tasks that differ within a map.


class Changed(NamedTuple):
    """The seconds of a changed map by what is remembered of its function, and without a memory, and
    those after which a first batch comes back that was made by it."""

    remembered: float
    without: float
    back: float


def changed(workers: int, factor: float, before: Shape, after: Shape) -> Iterator[Changed]:
    """Yield maps of several lengths; each the mean of some draws, as the order of few tasks is
    luck."""
    for share in (2, 4, 16):
        for seconds in (1e-5, 1e-4, 1e-3, 1e-2):
            count, sums = workers * share, [0.0, 0.0]
            for seed in range(4):
                chance = Random(seed)
                pace = pace_after(before(count, seconds, chance), workers)
                tasks = after(count, seconds * factor, chance)
                sums[0] += seconds_of(tasks, workers, pace) / 4
                sums[1] += seconds_of(tasks, workers, None) / 4
            expected = min(share * seconds, POLICY.target)
            yield Changed(*sums, max(2 * expected, BACK))


@pytest.mark.parametrize("before", (even, spread))
@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("workers", FARMS)
def test_changed_maps_take_about_as_long_as_without_a_memory(
    workers: int, factor: float, before: Shape
) -> None:
    found = [each for after in SHAPES[1:] for each in changed(workers, factor, before, after)]
    # What is lost where a memory is wrong is won where it is right.
    total = sum(each.remembered for each in found) / sum(each.without for each in found)
    assert total <= 1.1
    for each in found:
        assert each.remembered <= 1.15 * each.without + each.back


durations = st.lists(st.sampled_from([1e-6, 1e-4, 1e-3, 0.01, 0.1, 1.0]), min_size=1, max_size=60)
remembered = st.builds(
    Pace,
    st.sampled_from([1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1.0]),
    st.sampled_from([0.001, 0.01, 0.1, 1.0]),
    st.just(True),
)


@settings(max_examples=300, deadline=None)
@given(durations=durations, workers=st.integers(1, 8), pace=remembered)
@example([1e-3, 1e-3, 0.019, 0.019], 2, Pace(1e-4, 0.01, True))
def test_the_worst_memory_of_the_worst_map_costs_its_first_batches(
    durations: list[float], workers: int, pace: Pace
) -> None:
    without, with_ = (seconds_of(durations, workers, each) for each in (None, pace))
    # Each first batch is back when it has outlived its budget and the task that runs then has
    # ended; whoever has got a second one as long hands it back with the first. The rest goes as
    # any map whose order is not known goes: within a longest task of the best.
    expected = max(POLICY.target, pace.seconds)
    assert with_ <= 1.15 * without + 2 * expected + 2 * max(durations)
