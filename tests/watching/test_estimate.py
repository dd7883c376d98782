"""When the work ends, against the end that it had: played with a clock of its own."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterator

import pytest

from scoopmpi.tasks.seen import Seen
from scoopmpi.watching.estimate import Estimate, Estimator
from scoopmpi.watching.tally import Tally


class Played:
    """A farm in which each worker takes the next task when it is free, told to a tally."""

    def __init__(self, workers: int) -> None:
        self.now = 0.0
        self.tally = Tally(clock=lambda: self.now)
        self.estimator = Estimator()
        self.workers = workers
        for worker in range(1, workers + 1):
            self.tally.worker_joined(worker, f"n{worker % 4}", 1000 + worker)
        self.maps = 0

    def map(
        self, tasks: int, seconds: Callable[[int], float], name: str = "f", kind: str = "map",
        size: int | None = None, cost: float = 0.0, workers: int | None = None,
    ) -> Iterator[tuple[float, Estimate]]:  # fmt: skip
        """Run a map; yields when it is, and what is estimated then, once a second."""
        self.maps += 1
        job, tally = self.maps, self.tally
        tally.job_begun(job, kind, name, size, None)
        if size is None:
            tally.job_grew(job, tasks)
        free = [(self.now, worker) for worker in range(1, (workers or self.workers) + 1)]
        runs: list[tuple[float, int, int, float]] = []
        nexts = iter(range(tasks))
        look = self.now + 1
        while True:
            while free and (task := next(nexts, None)) is not None:
                self.now, worker = max(self.now, free[0][0]), heapq.heappop(free)[1]
                tally.tasks_assigned(job, worker, task, 1, 1)
                heapq.heappush(runs, (self.now + seconds(task), worker, task, seconds(task)))
                self.now += cost  # rank 0's
            if not runs:
                break
            end, worker, task, took = heapq.heappop(runs)
            while look < end:
                self.now = max(self.now, look)
                yield self.now, self.estimator.look(tally, self.now)
                look = max(look, self.now) + 1
            self.now = max(self.now, end)
            tally.tasks_finished(job, worker, task, 1, 0, took, None)
            heapq.heappush(free, (self.now, worker))
        tally.job_ended(job)


def within(share: float, played: list[tuple[float, Estimate]], end: float, after: float) -> None:
    """All estimates after a moment are right, but for a share of what is left, and a second."""
    for now, estimate in played:
        if now >= after:
            assert estimate.seconds is not None, now
            left = end - now
            assert abs(estimate.seconds - left) <= share * left + 1.5, (now, left, estimate)


def test_equal_long_tasks_take_whole_rounds() -> None:
    """100 tasks of 60 s on 30 workers are four rounds, and the last one is not full."""
    farm = Played(30)
    played = list(farm.map(100, lambda task: 60.0, size=100))
    assert farm.now == pytest.approx(240)
    assert all(estimate.seconds is None for now, estimate in played if now < 60)
    within(0.02, played, 240.0, after=61)


@pytest.mark.parametrize("workers", [1, 7, 200])
def test_tasks_that_differ(workers: int) -> None:
    chance = random.Random(workers)
    seconds = [chance.uniform(5, 15) for _ in range(60 * workers)]
    farm = Played(workers)
    played = list(farm.map(len(seconds), seconds.__getitem__, size=len(seconds)))
    last = farm.now - 15
    within(0.2, [each for each in played if each[0] < last], farm.now, after=0.3 * farm.now)


def test_heavy_tails_are_not_all_over_at_once() -> None:
    chance = random.Random(1)
    seconds = [chance.expovariate(0.1) for _ in range(600)]
    farm = Played(20)
    played = list(farm.map(len(seconds), seconds.__getitem__, size=len(seconds)))
    within(0.25, [(now, each) for now, each in played if now < 0.9 * farm.now], farm.now, after=60)


def test_short_tasks_have_the_pace_that_rank_0_has() -> None:
    """Tasks of a millisecond, and two for rank 0 to hand each of them out."""
    farm = Played(10)
    played = list(farm.map(20000, lambda task: 0.001, size=20000, cost=0.002))
    within(0.05, played, farm.now, after=5)
    rates = [estimate.rate for _, estimate in played[5:]]
    assert min(rates) > 400 and max(rates) < 600


def test_tasks_that_grow_longer_are_followed() -> None:
    farm = Played(4)
    played = list(farm.map(4000, lambda task: 0.1 if task < 2000 else 0.4, size=4000))
    change = 50
    within(0.15, played, farm.now, after=change + 65)  # a minute later it is known


def test_long_tasks_that_grow_longer_are_followed_too() -> None:
    """Half of them take 10 s, half 40: 200 s for the first, 800 s for the others."""
    farm = Played(10)
    played = list(farm.map(400, lambda task: 10.0 if task < 200 else 40.0, size=400))
    assert farm.now == pytest.approx(1000)
    within(0.35, played, farm.now, after=600)
    within(0.2, played, farm.now, after=800)


def test_a_second_map_of_the_same_function_has_an_end_at_once() -> None:
    farm = Played(5)
    list(farm.map(50, lambda task: 20.0, size=50))
    begun = farm.now
    played = list(farm.map(20, lambda task: 20.0, size=20))
    within(0.05, played, begun + 80, after=begun + 1)


def test_generators_have_no_end_and_calls_at_least_one() -> None:
    farm = Played(2)
    endless = list(farm.map(100, lambda task: 0.9))
    assert all(estimate.seconds is None and estimate.more for _, estimate in endless)
    assert endless[30][1].rate == pytest.approx(2 / 0.9, rel=0.1)
    calls = list(farm.map(100, lambda task: 0.9, name="g", kind="calls"))
    assert all(estimate.more for _, estimate in calls)
    assert calls[30][1].seconds == pytest.approx(14, abs=2)


def test_calls_whose_functions_only_workers_know_have_an_end_too() -> None:
    now = 0.0
    tally, estimator = Tally(clock=lambda: now), Estimator()
    tally.worker_joined(1, "n1", 1)
    tally.job_begun(0, "calls", "a submitted call", None, None)
    tally.job_grew(0, 20)
    for task in range(10):
        tally.tasks_assigned(0, 1, task, 1, 1)
        now += 2
        tally.tasks_finished(0, 1, task, 1, 0, 2.0, Seen((), function="simulate"))
    tally.tasks_assigned(0, 1, 10, 1, 1)
    now += 1
    assert estimator.look(tally, now).seconds == pytest.approx(19)


def test_two_jobs_share_the_workers() -> None:
    """A map and calls in turn: both are over when the workers have done both."""
    now = 0.0
    tally, estimator = Tally(clock=lambda: now), Estimator()
    for worker in range(1, 5):
        tally.worker_joined(worker, "n1", worker)
    tally.job_begun(1, "map", "f", 100, None)
    tally.job_begun(2, "map", "g", 100, None)
    for step in range(10):  # a round of three seconds: two tasks of f, two of g with 3 s each
        for worker in range(1, 5):
            job, task = (1, 2 * step + worker % 2) if worker <= 2 else (2, 2 * step + worker % 2)
            tally.tasks_assigned(job, worker, task, 1, 1)
        now += 3
        for worker in range(1, 5):
            job, task = (1, 2 * step + worker % 2) if worker <= 2 else (2, 2 * step + worker % 2)
            tally.tasks_finished(job, worker, task, 1, 0, 3.0, None)
        estimate = estimator.look(tally, now)
    assert estimate.seconds == pytest.approx(160 * 3 / 4, rel=0.05)
    one = estimator.of(1)
    assert one is not None and one.seconds == pytest.approx(120, rel=0.05)


def test_recalled_tasks_are_done_and_say_nothing_of_the_pace() -> None:
    now = 0.0
    tally, estimator = Tally(clock=lambda: now), Estimator()
    tally.worker_joined(1, "n1", 1)
    tally.job_begun(1, "map", "f", 1000, None)
    tally.tasks_recalled(1, 0, 900)
    for task in range(900, 910):
        tally.tasks_assigned(1, 1, task, 1, 1)
        now += 2
        tally.tasks_finished(1, 1, task, 1, 0, 2.0, None)
        estimate = estimator.look(tally, now)
    assert estimate.seconds == pytest.approx(180, rel=0.05)
    assert estimate.rate == pytest.approx(0.5)


def test_nothing_to_do_is_over_and_nobody_to_do_it_never() -> None:
    tally, estimator = Tally(clock=lambda: 0.0), Estimator()
    assert estimator.look(tally, 1.0) == Estimate(0.0, 0.0, False)
    tally.job_begun(1, "map", "f", 10, None)
    assert estimator.look(tally, 2.0).seconds is None
    tally.worker_joined(1, "n1", 1)
    assert estimator.look(tally, 3.0).seconds is None, "no task has ended yet"
    assert estimator.of(7) is None


def test_a_task_that_outlives_all_others_is_not_over_now() -> None:
    now = 0.0
    tally, estimator = Tally(clock=lambda: now), Estimator()
    for worker in (1, 2):
        tally.worker_joined(worker, "n1", worker)
    tally.job_begun(1, "map", "f", 11, None)
    tally.tasks_assigned(1, 2, 10, 1, 1)
    for task in range(10):
        tally.tasks_assigned(1, 1, task, 1, 1)
        now += 1
        tally.tasks_finished(1, 1, task, 1, 0, 1.0, None)
    now = 100.0
    estimate = estimator.look(tally, now)
    assert estimate.seconds is not None and 50 <= estimate.seconds <= 150


def test_a_map_has_its_own_end_beside_one_that_nobody_knows() -> None:
    farm = Played(workers=2)
    farm.tally.job_begun(7, "map", "g", 60, None)  # begins when the other is through
    for now, _ in farm.map(100, lambda task: 1.0, size=100):
        each = farm.estimator.of(1)
        if 5 < now < 49:
            assert each is not None and each.seconds is not None
            assert each.seconds == pytest.approx(50 - now, abs=3)
