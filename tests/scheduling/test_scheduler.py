"""The scheduler by examples: what happened, the assignments that follow, the state after.

Its invariants are checked after every example, and illegal input must leave no trace.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from scoopmpi.scheduling.batching import Policy
from scoopmpi.scheduling.ranges import Batch
from scoopmpi.scheduling.scheduler import Assignment, Scheduler

POLICY = Policy()
MILLISECOND = 0.001


@pytest.fixture
def farm() -> Iterator[Scheduler]:
    """A scheduler without workers."""
    scheduler = Scheduler(POLICY)
    yield scheduler
    scheduler.check()


def handed(assignments: list[Assignment]) -> list[tuple[int, Batch]]:
    """Who gets what, without the seconds."""
    return [(each.worker, each.batch) for each in assignments]


def paced(farm: Scheduler, job: int = 1, tasks: int = 1000, pace: float = MILLISECOND) -> Batch:
    """Worker 1 alone has measured the first task of a job; the batch that it runs next."""
    farm.joined(1)
    farm.submitted(job, tasks)
    farm.finished(1, Batch(job, 0, 1), pace)
    return farm.held(1)[0]


# Handing out.


def test_nothing_happens_without_tasks(farm: Scheduler) -> None:
    assert farm.joined(1) == []
    assert (farm.workers, farm.idle, farm.open, farm.busy) == (1, True, True, False)


def test_tasks_wait_for_a_worker(farm: Scheduler) -> None:
    assert farm.submitted(1, 3) == []
    assert (farm.workers, farm.idle, farm.open, farm.busy) == (0, False, False, True)
    assert handed(farm.joined(7)) == [(7, Batch(1, 0, 1))]
    assert farm.held(7) == (Batch(1, 0, 1),)


def test_unknown_tasks_go_out_one_by_one_with_a_budget(farm: Scheduler) -> None:
    farm.joined(1)
    farm.joined(2)
    assert farm.submitted(1, 10) == [
        Assignment(2, Batch(1, 0, 1), 0.06),
        Assignment(1, Batch(1, 1, 2), 0.06),
    ]
    assert (farm.idle, farm.open, farm.busy) == (False, False, True)


def test_a_measured_pace_makes_larger_batches(farm: Scheduler) -> None:
    farm.joined(1)
    farm.submitted(1, 1000)
    given = farm.finished(1, Batch(1, 0, 1), MILLISECOND)[0]
    assert (given.worker, given.batch) == (1, Batch(1, 1, 31))
    assert given.budget == pytest.approx(0.06)
    assert given.expected == pytest.approx(0.03)
    # One measurement says nothing of how much tasks differ: less two roots of 30.
    assert given.surely == pytest.approx(0.03 - 2 * 30**0.5 * MILLISECOND)


def test_all_has_been_answered(farm: Scheduler) -> None:
    farm.joined(1)
    farm.submitted(1, 1)
    assert farm.finished(1, Batch(1, 0, 1), MILLISECOND) == []
    assert (farm.idle, farm.busy, farm.held(1)) == (True, False, ())


def test_a_job_grows(farm: Scheduler) -> None:
    farm.submitted(1, 2)
    farm.submitted(1, 0)
    farm.submitted(1, 3)
    farm.joined(1)
    farm.finished(1, Batch(1, 0, 1), 0.01)
    # What was submitted at different times is one range: here in two batches of two, not split.
    assert farm.held(1) == (Batch(1, 1, 3), Batch(1, 3, 4))


def test_the_latest_idle_worker_is_taken_first(farm: Scheduler) -> None:
    farm.joined(1)
    farm.joined(2)
    farm.submitted(1, 2)
    farm.finished(2, Batch(1, 0, 1), 1.0)
    farm.finished(1, Batch(1, 1, 2), 1.0)
    assert handed(farm.submitted(1, 1)) == [(1, Batch(1, 2, 3))]


# The order of jobs.


def test_the_oldest_job_goes_first(farm: Scheduler) -> None:
    farm.submitted(5, 2)
    farm.submitted(3, 2)
    order = []
    for worker in range(4):
        order += [batch.job for _, batch in handed(farm.joined(worker))]
    assert order == [5, 5, 3, 3]


def test_what_comes_back_goes_before_younger_jobs(farm: Scheduler) -> None:
    paced(farm, tasks=3)
    farm.submitted(2, 5)
    waiting = farm.held(1)[1]
    assert waiting == Batch(1, 2, 3)  # the last of job 1
    farm.finished(1, Batch(1, 2, 2), -1.0, waiting)
    assert handed(farm.joined(2))[0] == (2, waiting)


def test_what_a_dead_worker_held_goes_before_younger_jobs(farm: Scheduler) -> None:
    farm.joined(1)
    farm.submitted(1, 1)
    farm.submitted(2, 5)
    farm.lost(1)
    assert handed(farm.joined(2)) == [(2, Batch(1, 0, 1, attempts=1))]


# Prefetch.


def test_a_second_batch_waits_behind_a_short_one(farm: Scheduler) -> None:
    farm.joined(1)
    farm.submitted(1, 1000)
    first, second = farm.finished(1, Batch(1, 0, 1), MILLISECOND)
    assert farm.held(1) == (first.batch, second.batch) == (Batch(1, 1, 31), Batch(1, 31, 61))
    assert farm.open is False
    # Never a third one.
    assert farm.submitted(1, 1000) == []


def test_nothing_waits_behind_a_long_batch(farm: Scheduler) -> None:
    farm.joined(1)
    farm.submitted(1, 1000)
    assert handed(farm.finished(1, Batch(1, 0, 1), 0.51)) == [(1, Batch(1, 1, 2))]
    assert farm.open is False


def test_nothing_waits_behind_tasks_of_unknown_length(farm: Scheduler) -> None:
    farm.joined(1)
    assert handed(farm.submitted(1, 1000)) == [(1, Batch(1, 0, 1))]


def test_tasks_of_half_a_second_are_doubled(farm: Scheduler) -> None:
    farm.joined(1)
    farm.submitted(1, 1000)
    assert handed(farm.finished(1, Batch(1, 0, 1), 0.3)) == [
        (1, Batch(1, 1, 2)),
        (1, Batch(1, 2, 3)),
    ]


def test_idle_workers_are_fed_before_batches_are_doubled(farm: Scheduler) -> None:
    paced(farm, tasks=2)
    assert farm.held(1) == (Batch(1, 1, 2),)
    farm.joined(2)
    assert handed(farm.submitted(1, 4)) == [(2, Batch(1, 2, 3)), (1, Batch(1, 3, 4))]


# Overdue workers.


def test_an_overdue_worker_keeps_only_its_running_task(farm: Scheduler) -> None:
    paced(farm)
    waiting = farm.held(1)[1]
    assert farm.finished(1, Batch(1, 1, 5), -1.0, Batch(1, 6, 31)) == []
    assert farm.held(1) == (Batch(1, 5, 6), waiting)
    assert farm.finished(1, waiting._replace(stop=waiting.start), -1.0, waiting) == []
    assert farm.held(1) == (Batch(1, 5, 6),)


def test_a_worker_whose_results_leave_one_by_one_keeps_its_time(farm: Scheduler) -> None:
    running = paced(farm)
    waiting = farm.held(1)[1]
    assert farm.finished(1, Batch(1, 1, 5), 4 * MILLISECOND, goes_on=True) == []
    assert farm.held(1) == (running._replace(start=5), waiting)
    answers = handed(farm.finished(1, Batch(1, 5, 31), 26 * MILLISECOND))
    assert answers, "a second batch waits again behind the one that runs"
    farm.cancelled(1)
    farm.finished(1, farm.held(1)[1], 26 * MILLISECOND)
    running = farm.held(1)[0]
    farm.finished(1, running._replace(stop=running.start + 1), MILLISECOND, goes_on=True)
    assert [worker for worker, _ in handed(farm.submitted(2, 10))] == [1]


def test_what_leaves_early_teaches_how_long_tasks_take(farm: Scheduler) -> None:
    paced(farm)
    farm.finished(1, Batch(1, 1, 5), 16 * MILLISECOND, goes_on=True)
    pace = farm.pace(1)
    assert pace is not None and pace.seconds == pytest.approx(2 * MILLISECOND)


def test_what_was_not_started_runs_elsewhere(farm: Scheduler) -> None:
    paced(farm, tasks=61)
    farm.finished(1, Batch(1, 1, 5), -1.0, Batch(1, 6, farm.held(1)[0].stop))
    front = farm.held(1)[0]
    assert front == Batch(1, 5, 6)
    assert handed(farm.joined(2))[0][1].start == 6


def test_an_overdue_worker_gets_nothing_until_its_task_is_done(farm: Scheduler) -> None:
    first = paced(farm, tasks=61)
    waiting = farm.held(1)[1]
    farm.finished(1, Batch(1, 1, 1), -1.0, first._replace(start=2))
    farm.finished(1, waiting._replace(stop=waiting.start), -1.0, waiting)
    assert (farm.open, farm.idle, farm.submitted(1, 100)) == (False, False, [])
    answers = handed(farm.finished(1, Batch(1, 1, 2), MILLISECOND))
    assert [worker for worker, _ in answers] == [1, 1]


def test_a_batch_handed_back_does_not_return_to_the_overdue_worker(farm: Scheduler) -> None:
    # The running batch is a single task: there is nothing to say of it, only of what waits.
    paced(farm, pace=0.02, tasks=10)
    running, waiting = farm.held(1)
    assert running.tasks == 1
    assert farm.finished(1, waiting._replace(stop=waiting.start), -1.0, waiting) == []
    assert (farm.held(1), farm.open) == ((running,), False)
    assert handed(farm.joined(2))[0] == (2, waiting)


def test_a_batch_handed_back_behind_a_finished_one_is_nobodys_fault(farm: Scheduler) -> None:
    # It was handed back while the batch before it ended; a new one is on its way meanwhile.
    first = paced(farm)
    waiting = farm.held(1)[1]
    farm.finished(1, first, -1.0)
    newest = farm.held(1)[1]
    assert farm.finished(1, waiting._replace(stop=waiting.start), -1.0, waiting)
    assert farm.held(1)[0] == newest
    assert len(farm.held(1)) == 2


def test_an_unmeasured_front_teaches_nothing(farm: Scheduler) -> None:
    farm.joined(1)
    farm.submitted(1, 1000)
    assert handed(farm.finished(1, Batch(1, 0, 1), -1.0)) == [(1, Batch(1, 1, 2))]


# Illegal input.


def picture(thing: Any) -> Any:
    """All that an object consists of, as plain values in their order."""
    if isinstance(thing, dict):
        return [(key, picture(value)) for key, value in thing.items()]
    if isinstance(thing, list | deque):
        return [picture(value) for value in thing]
    if hasattr(thing, "__slots__") and not isinstance(thing, tuple):
        return [(name, picture(getattr(thing, name))) for name in thing.__slots__]
    return picture(vars(thing)) if hasattr(thing, "__dict__") else thing


ILLEGAL: dict[str, Callable[[Scheduler], object]] = {
    "fewer than no tasks": lambda farm: farm.submitted(1, -1),
    "fewer than no tasks of a new job": lambda farm: farm.submitted(9, -1),
    "tasks of a cancelled job": lambda farm: farm.submitted(2, 1),
    "joined twice": lambda farm: farm.joined(1),
    "an unknown worker is lost": lambda farm: farm.lost(9),
    "an unknown job is cancelled": lambda farm: farm.cancelled(9),
    "held by an unknown worker": lambda farm: farm.held(9),
    "an unknown worker answers": lambda farm: farm.finished(9, Batch(1, 1, 31), 1.0),
    "a batch of an unknown job": lambda farm: farm.finished(1, Batch(9, 1, 31), 1.0),
    "a batch that another holds": lambda farm: farm.finished(2, Batch(1, 1, 31), 1.0),
    "a batch answered before": lambda farm: farm.finished(1, Batch(1, 0, 1), 1.0),
    "a batch never handed out": lambda farm: farm.finished(1, Batch(1, 500, 501), 1.0),
    "not the front part": lambda farm: farm.finished(1, Batch(1, 2, 31), 1.0),
    "more than it holds": lambda farm: farm.finished(1, Batch(1, 1, 32), 1.0),
    "less than nothing": lambda farm: farm.finished(1, Batch(1, 1, 0), 1.0),
    "the rest of another job": lambda farm: farm.finished(1, Batch(1, 1, 5), -1.0, Batch(2, 6, 31)),
    "a rest that was run": lambda farm: farm.finished(1, Batch(1, 1, 5), -1.0, Batch(1, 4, 31)),
    "a rest that ends early": lambda farm: farm.finished(1, Batch(1, 1, 5), -1.0, Batch(1, 6, 30)),
    "a rest that ends late": lambda farm: farm.finished(1, Batch(1, 1, 5), -1.0, Batch(1, 6, 32)),
    "a whole batch that goes on": lambda farm: farm.finished(1, Batch(1, 1, 31), 1.0, goes_on=True),
    "a rest that is handed back and goes on": lambda farm: farm.finished(
        1, Batch(1, 1, 5), 1.0, Batch(1, 6, 31), goes_on=True
    ),
    "a rest that ends before it begins": lambda farm: farm.finished(
        1, Batch(1, 1, 5), -1.0, Batch(1, 32, 31)
    ),
}


@pytest.mark.parametrize("happens", ILLEGAL.values(), ids=ILLEGAL.keys())
def test_illegal_input_changes_nothing(
    farm: Scheduler, happens: Callable[[Scheduler], object]
) -> None:
    farm.submitted(2, 1)
    farm.joined(2)  # runs the only task of job 2, which is cancelled, so it is still known
    farm.cancelled(2)
    paced(farm)
    assert farm.held(1)[0] == Batch(1, 1, 31)
    before = picture(farm)
    with pytest.raises(ValueError, match=r"\d"):
        happens(farm)
    assert picture(farm) == before


def test_the_picture_sees_a_change(farm: Scheduler) -> None:
    paced(farm)
    before = picture(farm)
    farm.finished(1, Batch(1, 1, 1), -1.0)  # nothing new but that it is overdue
    assert picture(farm) != before


def test_what_running_tasks_wait_for_goes_ahead() -> None:
    farm = Scheduler(Policy(prefetch=0))
    farm.joined(1)
    (first,) = farm.submitted(1, 5)
    assert farm.submitted(2, 3) == farm.submitted(3, 1, ahead=True) == []
    jobs = []
    assignments = [first]
    while assignments:
        (given,) = assignments
        jobs.append(given.batch.job)
        assignments = farm.finished(given.worker, given.batch, -1.0)
    assert jobs == [1, 3, 1, 1, 1, 1, 2, 2, 2]
