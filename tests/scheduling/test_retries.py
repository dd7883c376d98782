"""Which tasks are tried again after a death, and which are given up."""

from __future__ import annotations

import pytest

from scoopmpi.scheduling.ranges import Batch
from scoopmpi.scheduling.retries import again, blamed, given_up, put_off
from scoopmpi.scheduling.scheduler import Scheduler

FIRST, SECOND, MANY = Batch(1, 4, 5), Batch(1, 5, 6), Batch(1, 4, 9)


def test_what_was_to_run_is_blamed_and_what_waits_only_where_nothing_was() -> None:
    assert blamed([FIRST], [SECOND]) == [FIRST]
    assert blamed([], [SECOND]) == [SECOND]
    assert blamed([], []) == []


def test_what_is_blamed_is_suspect_when_it_comes_again() -> None:
    assert not FIRST.suspect and again(FIRST).suspect
    assert again(again(FIRST)) == Batch(1, 4, 5, attempts=2)


@pytest.mark.parametrize("retries", range(4))
def test_a_task_is_given_up_after_so_many_retries(retries: int) -> None:
    task, deaths = FIRST, 0
    while not given_up([task], retries):
        task, deaths = again(task), deaths + 1
    assert deaths == retries


def test_what_was_only_to_come_is_not_given_up_with_what_ran() -> None:
    """Both are single tasks that one worker held when it died."""
    assert given_up([FIRST, SECOND], 0) == []
    assert given_up([again(FIRST), SECOND], 0) == [again(FIRST)]


def test_several_tasks_are_never_given_up_at_once() -> None:
    assert given_up([MANY], 0) == []


def test_a_task_that_has_outlived_its_limit_is_not_tried_again() -> None:
    assert given_up([FIRST], 9, expired=FIRST) == [FIRST]
    assert given_up([FIRST, SECOND], 9, expired=SECOND) == [SECOND]


def test_what_raises_is_tried_again_so_often_whatever_has_died_with_it() -> None:
    task, times = again(FIRST), 0
    while found := put_off(task, [4], lambda _: 3):
        (task,), times = found, times + 1
    assert times == 3 and task == Batch(1, 4, 5, attempts=1, raised=3) and task.attempt == 5


def test_neighbours_are_tried_again_together() -> None:
    assert put_off(MANY, [4, 5, 7, 8], lambda _: 1) == [
        Batch(1, 4, 6, raised=1), Batch(1, 7, 9, raised=1)
    ]  # fmt: skip
    assert put_off(MANY, [4, 5, 6], lambda task: int(task != 5)) == [
        Batch(1, 4, 5, raised=1), Batch(1, 6, 7, raised=1)
    ]  # fmt: skip


def test_another_worker_gets_what_has_raised_where_one_is_idle() -> None:
    farm = Scheduler()
    for worker in (1, 2):
        farm.joined(worker)
    assert [each.worker for each in farm.submitted(1, 2)] == [2, 1]
    for task, worker in enumerate((2, 1)):
        batch = Batch.single(1, task)
        (again,) = put_off(farm.as_held(worker, batch), [task], lambda _: 1)
        assert again.avoids == worker
        farm.finished(worker, batch, 1.0, None, [again])
    assert [each.worker for each in farm.due(again)] == [2]  # worker 1 became idle last
    assert [each.worker for each in farm.lost(2)] == [1]  # nobody else is there
    farm.check()
