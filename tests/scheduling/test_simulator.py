"""What the scheduler achieves, in virtual time: bounds of the makespan, and large farms.

All durations are the same in every run: the random ones come from a seed.
"""

from __future__ import annotations

from heapq import heapreplace
from random import Random

import pytest

from scoopmpi.scheduling.batching import Policy
from scoopmpi.scheduling.floors import simulate_floors
from scoopmpi.scheduling.pollers import Pauses
from scoopmpi.scheduling.scheduler import Assignment, Scheduler
from scoopmpi.scheduling.simulator import Costs, Report, simulate

FREE = Costs(message=0.0, latency=0.0)
FARMS = (2, 8, 64)
ROUNDING = 1 + 1e-9


def pareto(tasks: int, shape: float, seed: int = 1) -> list[float]:
    """Skewed durations, a millisecond at least, in no order."""
    random = Random(seed)
    durations = [0.001 * random.paretovariate(shape) for _ in range(tasks)]
    random.shuffle(durations)
    return durations


def workload(name: str, workers: int) -> list[float]:
    """Durations of a job that keeps each worker busy for some seconds."""
    return {
        "1 ms each": lambda: [0.001] * (2000 * workers),
        "70 ms each": lambda: [0.07] * (60 * workers),
        "pareto": lambda: pareto(4000 * workers, shape=2.0),
        "rising": lambda: [0.02 * task / (200 * workers) for task in range(400 * workers)],
        "3000 short, 8 long": lambda: [0.001] * 3000 + [2.0] * 8,
        "8 long, 3000 short": lambda: [2.0] * 8 + [0.001] * 3000,
    }[name]()


def lower_bound(durations: list[float], workers: int) -> float:
    """No schedule is shorter."""
    return max(max(durations), sum(durations) / workers)


def one_by_one(durations: list[float], workers: int) -> float:
    """The makespan where a free worker always gets the next single task, for nothing."""
    ends = [0.0] * workers
    for duration in durations:
        heapreplace(ends, ends[0] + duration)
    return max(ends)


# Makespan.


@pytest.mark.parametrize("workers", FARMS)
@pytest.mark.parametrize(
    "name",
    ["1 ms each", "70 ms each", "pareto", "rising", "3000 short, 8 long", "8 long, 3000 short"],
)
def test_makespan_is_near_the_lower_bound(name: str, workers: int) -> None:
    durations = workload(name, workers)
    bound = lower_bound(durations, workers)
    assert bound <= simulate(durations, workers).makespan <= 1.10 * bound


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("workers", FARMS)
def test_batches_of_very_skewed_tasks_cost_little(workers: int, seed: int) -> None:
    # The lower bound is out of reach when a task of seconds comes last. Single tasks for nothing
    # are the best that can be done in the given order, without knowledge of what comes.
    durations = pareto(3000 * workers, shape=1.3, seed=seed)
    assert simulate(durations, workers).makespan <= 1.05 * one_by_one(durations, workers)


def test_one_worker_runs_one_task_after_the_other() -> None:
    report = simulate([0.5, 0.25, 1.0], 1, costs=FREE)
    assert report == Report(makespan=1.75, messages=6, busy=0.0, utilisation=1.0)


def test_no_tasks_take_no_time() -> None:
    assert simulate([], 3) == Report(0.0, 0, 0.0, 0.0)


# What a message costs.


def test_a_round_trip_is_two_latencies_and_one_message() -> None:
    report = simulate([1.0], 1, costs=Costs(message=0.5, latency=0.125))
    assert report == Report(makespan=1.75, messages=2, busy=0.5, utilisation=1 / 1.75)


def test_rank_0_becomes_the_bottleneck() -> None:
    # 100 workers whose single tasks take less time than 100 messages.
    alone = Policy(target=1e-9, shortest=1e-9, message=0.0)
    report = simulate([0.001] * 5000, 100, alone, costs=Costs(100e-6))
    assert report.makespan == pytest.approx(report.messages * 50e-6, rel=0.02)
    assert report.makespan >= 0.499 > 2 * sum([0.001] * 5000) / 100


@pytest.mark.parametrize("workers", FARMS)
def test_rank_0_is_not_busy_for_longer_than_there_is_time(workers: int) -> None:
    for message_seconds in (30e-6, 0.01):
        report = simulate([0.001] * 2000, workers, costs=Costs(message_seconds))
        assert 0 < report.busy <= report.makespan * ROUNDING
        assert report.busy == pytest.approx(report.messages * message_seconds / 2)


@pytest.mark.parametrize("workers", [2, 8])
def test_long_tasks_among_short_ones_cost_few_messages(workers: int) -> None:
    # 20 ms tasks go out one by one and are doubled. A batch that comes back from an overdue
    # worker must not be sent there again and again until its task of a second has ended.
    durations = [1.0 if task % 100 == 50 else 0.02 for task in range(2000)]
    report = simulate(durations, workers)
    assert report.messages <= 2.2 * len(durations)


# How ranks wait.


def every(seconds: float, looks: int = 1) -> Pauses:
    """All ranks look for messages at intervals that do not grow."""
    return Pauses(lambda idle: seconds, lambda scheduler, idle, now: seconds, looks=looks)


def test_a_message_is_found_at_the_next_look() -> None:
    # Looked for each second. The first task begins at 1 and ends at 3.25, rank 0 looks at 4; the
    # worker, idle since 3.25, looks at 4.25, its task ends at 6.5, and rank 0 looks at 7.
    report = simulate([2.25, 2.25], 1, costs=Costs(0.0, latency=0.25), pauses=every(1.0))
    assert report.makespan == 7.0


def test_a_message_may_need_a_second_look() -> None:
    one, two = (simulate([1.5], 1, costs=FREE, pauses=every(1.0, looks)) for looks in (1, 2))
    assert (one.makespan, two.makespan) == (2.0, 4.0)


def test_a_worker_answers_before_it_begins_another_batch() -> None:
    # Twenty batches of one task, each 0.1 s of the worker's own time beside; the first one's answer
    # goes out and the second comes before there is a batch that waits.
    report = simulate([0.02] * 20, 1, costs=Costs(0.0, latency=0.05, worker=0.1))
    assert report.messages == 40
    assert report.makespan >= 20 * 0.12 + 4 * 0.05


def test_a_waiting_batch_is_not_looked_for() -> None:
    # Batches of 10 tasks and of 20 ms, doubled: pauses of 10 ms are felt at the ends alone.
    report = simulate([0.002] * 10_000, 4, pauses=every(0.01))
    assert report.utilisation > 0.97


def test_what_a_batch_costs_its_worker_is_paid_before_and_behind_it() -> None:
    report = simulate([1.0, 1.0], 1, costs=Costs(0.0, worker=0.5, latency=0.0))
    assert report.makespan == 3.0


def test_rank_0_waits_by_what_its_scheduler_and_the_assignments_tell_it() -> None:
    given, answered = [], []
    asked: list[tuple[bool, float, float]] = []

    def rank0(scheduler: Scheduler, idle: float, now: float) -> float:
        asked.append((scheduler.idle, idle, now))
        return 0.75

    pauses = Pauses(
        lambda idle: 0.125,
        rank0,
        lambda assignment, now: given.append((assignment.worker, now)),
        lambda worker, now: answered.append((worker, now)),
    )
    assert simulate([1.0, 1.0], 2, costs=Costs(0.25, latency=0.0), pauses=pauses).makespan == 2.0
    assert given == [(2, 0.0), (1, 0.125)]
    assert answered == [(2, 1.875), (1, 2.0)]
    assert asked == [(False, 0.0, 0.25), (False, 0.75, 1.0)]


# Generations.


def test_a_generation_begins_when_the_last_value_is_there() -> None:
    costs = Costs(message=0.25, latency=0.0, map=0.5)
    one, three = (simulate([1.0], 1, costs=costs, generations=count) for count in (1, 3))
    assert one.makespan == 1.25
    assert three.makespan == 3 * 1.25 + 2 * 0.5
    assert (three.messages, three.utilisation) == (6, 3 / 4.75)


def test_each_generation_is_begun_as_the_farm_begins_a_map() -> None:
    begun = []

    def submits(scheduler: Scheduler, job: int, tasks: int) -> list[Assignment]:
        begun.append((job, tasks, scheduler.finished_of(job - 1)))
        return scheduler.submitted(job, tasks)

    simulate([0.001] * 30, 2, generations=2, submits=submits)
    assert begun == [(1, 30, 0), (2, 30, 30)]


# Determinism.


def test_the_same_input_gives_the_same_report() -> None:
    def report() -> Report:
        losses = {0.5: 3, 0.7: 1}
        return simulate(pareto(5000, shape=1.5), 8, losses=losses)

    assert report() == report()


# Large farms.


@pytest.mark.parametrize("name", ["1 ms each", "pareto", "rising"])
def test_results_that_leave_one_by_one_cost_their_messages_and_no_more(name: str) -> None:
    durations = workload(name, 2)
    whole, parts = simulate(durations, 2), simulate(durations, 2, leaves=1)
    assert parts.messages > len(durations)
    assert parts.makespan <= whole.makespan * 1.02
    assert simulate(durations, 2, leaves=len(durations)) == whole


def test_ten_thousand_workers_are_kept_busy() -> None:
    # 20 tasks of a second each: rank 0 needs 0.12 s to feed all for the first time.
    report = simulate([1.0] * 200_000, 10_000)
    assert report.utilisation > 0.985


def test_ten_thousand_workers_with_short_tasks_are_not_limited_by_rank_0() -> None:
    # 40 tasks of 0.1 s: one by one rank 0 would need 10 s for what workers can do in 4.
    report = simulate([0.1] * 400_000, 10_000)
    assert report.utilisation > 0.95
    assert report.busy < 0.6 * report.makespan


def test_rank_0_has_room_where_a_batch_costs_more_than_the_policy_says() -> None:
    report = simulate([0.1] * 400_000, 10_000, costs=Costs(message=1.2 * Policy().message))
    assert report.utilisation > 0.92


def test_batches_of_large_farms_follow_tasks_that_differ() -> None:
    random = Random(3)
    durations = [0.05 + random.expovariate(20) for _ in range(40_000)]
    report = simulate(durations, 1000)
    assert report.makespan <= 1.05 * one_by_one(durations, 1000)


# Floors.


def test_foremen_do_as_well_as_one_rank_0_where_it_is_at_leisure() -> None:
    durations = [0.1] * 40_000
    one = simulate(durations, 1000)
    two = simulate_floors(durations, foremen=10, workers=100)
    assert two.utilisation > 0.99
    assert two.messages < one.messages / 50


def test_foremen_feed_more_workers_than_rank_0_can() -> None:
    # As 100,000 workers, but in a second: each message costs a hundred times as much.
    message = 100 * Policy().message
    durations, policy, costs = [1.0] * 10_000, Policy(message=message), Costs(message)
    one = simulate(durations, 1000, policy, costs=costs)
    two = simulate_floors(durations, 10, 100, policy, costs=costs)
    assert one.utilisation < 0.75
    assert two.utilisation > 0.93


def test_the_last_bundle_may_be_smaller_than_the_others() -> None:
    report = simulate_floors([1.0] * 25, foremen=2, workers=10, costs=FREE)
    assert report == Report(makespan=2.0, messages=6, busy=0.0, utilisation=25 / 40)


# Losses.


@pytest.mark.parametrize("workers", FARMS)
def test_what_the_dead_held_runs_elsewhere(workers: int) -> None:
    durations = pareto(1000 * workers, shape=2.0)
    dying = range(1, workers // 2 + 1)
    report = simulate(durations, workers, losses={0.1 + 0.01 * each: each for each in dying})
    survivors = workers - len(dying)
    # `simulate` returns only when every task has been answered by a worker that lived.
    assert sum(durations) / workers < report.makespan
    assert report.makespan <= 1.10 * (max(durations) + sum(durations) / survivors)
    assert report.busy <= report.makespan * ROUNDING


def test_a_task_of_a_dead_worker_starts_again() -> None:
    # Both run one of two tasks; worker 2 dies half way, and worker 1 takes its task too.
    report = simulate([1.0, 1.0], 2, costs=FREE, losses={0.5: 2})
    assert report == Report(makespan=2.0, messages=6, busy=0.0, utilisation=0.5)


def test_a_death_after_the_end_changes_nothing() -> None:
    durations = [0.01] * 100
    assert simulate(durations, 2, losses={1e6: 1}) == simulate(durations, 2)


# Illegal input.


def test_what_cannot_be_simulated_is_refused() -> None:
    with pytest.raises(ValueError, match="0 workers"):
        simulate([1.0], 0)
    with pytest.raises(ValueError, match="negative duration"):
        simulate([1.0, -1.0], 2)
    with pytest.raises(ValueError, match="losses"):
        simulate([1.0], 2, losses={0.0: 3})
    with pytest.raises(ValueError, match="losses"):
        simulate([1.0], 2, losses={0.0: 1, 1.0: 2})
