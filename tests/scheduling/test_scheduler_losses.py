"""The scheduler when workers die and jobs are cancelled: facts in, assignments out."""

from __future__ import annotations

from scoopmpi.scheduling.ranges import Batch
from scoopmpi.scheduling.scheduler import Scheduler
from tests.scheduling.test_scheduler import MILLISECOND, farm, handed, paced

__all__ = ["farm"]


# Lost workers.


def test_what_a_lost_worker_held_is_queued_again(farm: Scheduler) -> None:
    paced(farm, tasks=46)
    running, waiting = farm.held(1)
    assert farm.lost(1) == []
    assert (farm.workers, farm.busy) == (0, True)
    farm.joined(2)
    got = []
    while farm.held(2):
        got.append(farm.held(2)[0])
        farm.finished(2, got[-1], got[-1].tasks * MILLISECOND)
    # Both batches are suspect, as the worker may have put the first aside: task by task, alone.
    suspects = range(running.start, waiting.stop)
    assert got[: len(suspects)] == [Batch(1, task, task + 1, attempts=1) for task in suspects]
    assert got[-1].stop == 46
    assert {batch.attempts for batch in got[len(suspects) :]} == {0}


def test_attempts_are_counted(farm: Scheduler) -> None:
    farm.submitted(1, 1)
    for attempts in range(4):
        assert handed(farm.joined(1)) == [(1, Batch(1, 0, 1, attempts))]
        assert farm.lost(1) == []


def test_suspects_do_not_mix_with_new_tasks(farm: Scheduler) -> None:
    farm.joined(1)
    farm.submitted(1, 1)
    farm.lost(1)
    farm.submitted(1, 1)
    assert handed(farm.joined(1)) == [(1, Batch(1, 0, 1, attempts=1))]
    assert handed(farm.finished(1, Batch(1, 0, 1), MILLISECOND)) == [(1, Batch(1, 1, 2))]


def test_an_idle_worker_is_lost(farm: Scheduler) -> None:
    farm.joined(1)
    assert farm.lost(1) == []
    assert (farm.workers, farm.idle, farm.submitted(1, 1)) == (0, False, [])


def test_the_others_take_over_at_once(farm: Scheduler) -> None:
    farm.joined(1)
    farm.joined(2)
    farm.submitted(1, 1)
    assert handed(farm.lost(2)) == [(1, Batch(1, 0, 1, attempts=1))]


def test_a_worker_with_room_for_a_second_batch_is_lost(farm: Scheduler) -> None:
    paced(farm, tasks=2)
    assert farm.open is True
    assert farm.lost(1) == []
    assert (farm.open, farm.submitted(1, 1)) == (False, [])


def test_a_lost_worker_may_return(farm: Scheduler) -> None:
    farm.joined(1)
    farm.lost(1)
    farm.joined(1)
    assert (farm.workers, farm.held(1)) == (1, ())


# Cancelled jobs.


def test_a_cancelled_job_is_not_handed_out(farm: Scheduler) -> None:
    farm.joined(1)
    farm.submitted(1, 10)
    farm.submitted(2, 1)
    assert farm.cancelled(1) == []
    assert handed(farm.finished(1, Batch(1, 0, 1), MILLISECOND)) == [(1, Batch(2, 0, 1))]


def test_what_comes_back_of_a_cancelled_job_is_forgotten(farm: Scheduler) -> None:
    first = paced(farm)
    waiting = farm.held(1)[1]
    farm.cancelled(1)
    farm.finished(1, Batch(1, 1, 3), -1.0, first._replace(start=4))
    farm.finished(1, waiting._replace(stop=waiting.start), -1.0, waiting)
    farm.finished(1, Batch(1, 3, 4), 1.0)
    assert (farm.busy, farm.joined(2)) == (False, [])


def test_a_cancelled_job_dies_with_its_worker(farm: Scheduler) -> None:
    farm.joined(1)
    farm.submitted(1, 2)
    farm.cancelled(1)
    farm.lost(1)
    assert (farm.busy, farm.joined(2)) == (False, [])


def test_a_cancelled_job_leaves_no_trace(farm: Scheduler) -> None:
    farm.joined(1)
    farm.submitted(1, 1)
    farm.cancelled(1)
    farm.finished(1, Batch(1, 0, 1), MILLISECOND)
    # Its number is that of a new job again, whose pace nobody knows.
    assert handed(farm.submitted(1, 100)) == [(1, Batch(1, 0, 1))]
