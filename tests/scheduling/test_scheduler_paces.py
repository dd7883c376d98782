"""The scheduler by examples: the tail of a job, and paces that are remembered."""

from __future__ import annotations

from collections import deque

import pytest

from scoopmpi.scheduling.batching import Pace
from scoopmpi.scheduling.ranges import Batch
from scoopmpi.scheduling.scheduler import Scheduler
from tests.scheduling.test_scheduler import MILLISECOND, farm, handed, paced

__all__ = ["farm"]


# The tail.


def test_nothing_is_doubled_at_the_tail(farm: Scheduler) -> None:
    paced(farm, tasks=5, pace=0.01)  # worker 1 runs one, one waits behind it, two are queued
    assert farm.held(1) == (Batch(1, 1, 3), Batch(1, 3, 4))
    assert handed(farm.joined(2)) == [(2, Batch(1, 4, 5))]
    farm.submitted(1, 2)
    # A task for each of the two workers: it waits for whoever is free first.
    assert farm.open is True
    assert handed(farm.finished(2, Batch(1, 4, 5), 0.01)) == [(2, Batch(1, 5, 6))]
    assert handed(farm.finished(2, Batch(1, 5, 6), 0.01)) == [(2, Batch(1, 6, 7))]
    assert farm.held(1) == (Batch(1, 1, 3), Batch(1, 3, 4))


def test_four_tasks_of_ten_milliseconds_take_two_rounds(farm: Scheduler) -> None:
    farm.joined(1)
    farm.joined(2)
    pace = Pace(0.01, remembered=True)
    assert handed(farm.submitted(1, 4, pace=pace)) == [(2, Batch(1, 0, 1)), (1, Batch(1, 1, 2))]
    assert handed(farm.finished(2, Batch(1, 0, 1), 0.01)) == [(2, Batch(1, 2, 3))]
    assert handed(farm.finished(1, Batch(1, 1, 2), 0.01)) == [(1, Batch(1, 3, 4))]


def test_where_another_job_follows_there_is_no_tail(farm: Scheduler) -> None:
    paced(farm, tasks=3)
    assert farm.held(1) == (Batch(1, 1, 2),)
    # Who would be kept free for the last task of job 1 would get one of job 2.
    assert handed(farm.submitted(2, 5)) == [(1, Batch(1, 2, 3))]


def test_short_tasks_have_a_longer_tail(farm: Scheduler) -> None:
    # 200 us of them are worth a message: 20 tasks for each of two workers.
    farm.joined(1)
    farm.joined(2)
    under_way = deque(farm.submitted(1, 10_000, pace=Pace(1e-5)))
    queued, held = 10_000, {1: 0, 2: 0}
    news = list(under_way)
    while under_way:
        for each in news:
            assert not held[each.worker] or queued > 40
            queued -= each.batch.tasks
            held[each.worker] += 1
        done = under_way.popleft()
        held[done.worker] -= 1
        news = farm.finished(done.worker, done.batch, 1e-5 * done.batch.tasks)
        under_way += news
    assert queued == 0


# Remembered paces.


def two_workers(farm: Scheduler) -> None:
    farm.joined(1)
    farm.joined(2)


@pytest.mark.parametrize("task_seconds", [1e-6, 1e-5, 1e-4, 1e-3])
def test_a_small_map_of_a_known_pace_is_shared_out_at_once(
    farm: Scheduler, task_seconds: float
) -> None:
    two_workers(farm)
    pace = Pace(task_seconds, spread=0.01, remembered=True)
    given = farm.submitted(1, 32, pace=pace)
    assert handed(given) == [(2, Batch(1, 0, 16)), (1, Batch(1, 16, 32))]
    assert [each.expected for each in given] == [pytest.approx(16 * task_seconds)] * 2
    assert [each.surely for each in given] == [pytest.approx(15.92 * task_seconds)] * 2
    assert [each.budget for each in given] == [pytest.approx(max(0.005, 32 * task_seconds))] * 2


def test_a_map_that_is_handed_in_step_by_step_keeps_its_pace(farm: Scheduler) -> None:
    two_workers(farm)
    pace = Pace(MILLISECOND, spread=0.01, remembered=True)
    assert farm.submitted(1, 0, pace=pace) == []
    assert handed(farm.submitted(1, 8)) == [(2, Batch(1, 0, 4)), (1, Batch(1, 4, 8))]


def test_only_a_new_job_takes_what_is_remembered(farm: Scheduler) -> None:
    farm.submitted(1, 0)
    farm.submitted(1, 8, pace=Pace(MILLISECOND, remembered=True))
    assert farm.pace(1) is None


def test_the_first_measurement_replaces_what_was_remembered(farm: Scheduler) -> None:
    farm.joined(1)
    farm.submitted(1, 1000, pace=Pace(MILLISECOND, spread=0.01, remembered=True))
    first = farm.held(1)[0]
    assert first == Batch(1, 0, 30)
    farm.finished(1, first, 30.0)
    pace = farm.pace(1)
    assert pace is not None
    assert (pace.seconds, pace.remembered) == (pytest.approx(1.0), False)
    assert pace.spread > 0.5


def test_a_wrong_memory_is_found_out_within_milliseconds(farm: Scheduler) -> None:
    two_workers(farm)
    given = farm.submitted(1, 32, pace=Pace(1e-4, spread=0.01, remembered=True))
    assert {each.budget for each in given} == {0.005}
    # Its tasks take 0.1 s each now: the worker answers for none and keeps the one that runs.
    farm.finished(2, Batch(1, 0, 0), -1.0, Batch(1, 1, 16))
    assert farm.held(2) == (Batch(1, 0, 1),)
    # What has come back goes to others, who may not have it for long either.
    assert {each.budget for each in farm.joined(3)} == {0.005}


def test_nobody_knows_the_pace_of_a_job_that_is_over(farm: Scheduler) -> None:
    assert farm.pace(1) is None
    farm.submitted(1, 3, pace=Pace(MILLISECOND))
    assert farm.pace(1) == Pace(MILLISECOND)
    farm.cancelled(1)
    assert farm.pace(1) is None


def test_what_the_next_job_may_count_on_is_the_mean(farm: Scheduler) -> None:
    farm.joined(1)
    farm.submitted(1, 100, pace=Pace(MILLISECOND, remembered=True))
    assert farm.remembered(1) is None and not farm.measured(1)
    (first,) = farm.held(1)[:1]
    farm.finished(1, first, 0.002 * first.tasks)
    pace = farm.remembered(1)
    assert pace is not None and pace.remembered
    assert pace.seconds == pytest.approx(0.002)


def test_tasks_that_change_on_the_way_are_learnt_anew(farm: Scheduler) -> None:
    # The first ones of the next map are not like the last ones of this.
    farm.joined(1)
    farm.submitted(1, 1000)
    farm.finished(1, Batch(1, 0, 1), 0.5)
    while farm.held(1):
        first = farm.held(1)[0]
        farm.finished(1, first, 1e-5 * first.tasks)
    assert farm.measured(1)
    assert farm.remembered(1) is None
