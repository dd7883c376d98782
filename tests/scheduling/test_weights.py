"""Heavy tasks: batches bounded in bytes, and tasks that are held back behind a gate."""

from __future__ import annotations

import pytest

from scoopmpi.scheduling.batching import Pace, Policy, Remaining, size
from scoopmpi.scheduling.ranges import Batch
from scoopmpi.scheduling.scheduler import Assignment, Scheduler
from scoopmpi.scheduling.weights import Weight

MIB = 1 << 20
QUICK = Pace(1e-5, 0.1, True)


def scheduler(workers: int) -> Scheduler:
    made = Scheduler()
    for worker in range(1, workers + 1):
        made.joined(worker)
    return made


def batches(assignments: list[Assignment]) -> list[tuple[int, int, int]]:
    return [(each.worker, each.batch.start, each.batch.stop) for each in assignments]


def test_batches_have_so_many_bytes_or_one_task() -> None:
    left = Remaining(queued=1000, unfinished=1000, all=1000)
    assert size(Policy(), left, 2, QUICK) == 500
    assert size(Policy(), left, 2, QUICK, weight=MIB) == 8
    assert size(Policy(), left, 2, QUICK, weight=5 * MIB) == 1
    assert size(Policy(), left, 2, QUICK, weight=100 * MIB) == 1
    assert size(Policy(), left, 2, QUICK, weight=100) == 500


def test_what_is_learned_of_arguments_and_of_results_bounds_the_next_batches() -> None:
    farm = scheduler(1)
    ((_, batch, *_),) = farm.submitted(1, 1000)
    farm.weighed(1, arguments=2.0 * MIB)
    farm.weighed(1, result=10.0)
    waiting = farm.finished(1, batch, 1e-5)
    assert {each.batch.tasks for each in waiting} == {4}
    assert len(waiting) == 2, "one runs, one waits behind it"


def test_what_an_earlier_job_has_shown_bounds_the_first_batch() -> None:
    farm = scheduler(1)
    found = farm.submitted(1, 1000, pace=QUICK, weight=2.0 * MIB)
    assert {each.batch.tasks for each in found} == {4}
    farm.weighed(1, result=10.0)  # another size now
    (more,) = farm.finished(1, found[0].batch, 1e-5)
    assert more.batch.tasks > 100


def test_a_weight_is_forgotten_slowly() -> None:
    weight = Weight()
    for _ in range(3):
        weight.came(100.0)
        weight.came(1e8)
        for _ in range(20):
            weight.came(100.0)
            weight.sent(10.0)
        assert weight.larger == pytest.approx(1e8 * 0.9**20)


def test_tasks_behind_the_gate_wait_until_it_moves() -> None:
    farm = scheduler(2)
    assert batches(farm.submitted(1, 0)) == []
    farm.allowed(1, 3)
    first = farm.submitted(1, 10)
    assert batches(first) == [(2, 0, 1), (1, 1, 2)]
    assert batches(farm.finished(2, Batch(1, 0, 1), 1.0)) == [(2, 2, 3)]
    assert farm.finished(1, Batch(1, 1, 2), 1.0) == []
    assert farm.idle and not farm.finished(2, Batch(1, 2, 3), 1.0)
    assert not farm.busy, "nothing can be done before the consumer takes something"
    assert batches(farm.allowed(1, 4)) == [(2, 3, 4)]
    assert batches(farm.allowed(1, None)) == [(1, 4, 5)]
    farm.check()


def test_what_comes_back_from_beyond_the_gate_waits_too() -> None:
    farm = scheduler(1)
    ((_, batch, *_),) = farm.submitted(1, 100, pace=QUICK)[:1]
    assert batch.stop > 8
    farm.allowed(1, 8)
    front = batch._replace(stop=2)
    assert farm.finished(1, front, -1.0, batch._replace(start=3)) == []
    assert farm.submitted(1, 5) == []
    while held := farm.held(1):
        found = farm.finished(1, held[0], 1e-5)
        assert all(each.batch.stop <= 8 for each in found)
    assert farm.finished_of(1) < 100 and not farm.busy
    farm.check()


def test_a_job_behind_its_gate_holds_up_no_other() -> None:
    farm = scheduler(1)
    farm.submitted(1, 0)
    farm.allowed(1, 0)
    assert farm.submitted(1, 10) == []
    assert batches(farm.submitted(2, 1)) == [(1, 0, 1)]
    farm.cancelled(1)
    farm.check()


def test_at_a_gate_there_is_no_tail() -> None:
    """Two tasks are open, and more will follow: one may wait behind each that runs."""
    farm = scheduler(2)
    farm.submitted(1, 0, pace=Pace(0.01, 0.1, True), weight=100.0 * MIB)
    farm.allowed(1, 4)
    assert batches(farm.submitted(1, 100)) == [(2, 0, 1), (1, 1, 2), (2, 2, 3), (1, 3, 4)]


@pytest.mark.parametrize("gate", [-1, None])
def test_a_gate_of_no_job_is_refused(gate: int | None) -> None:
    farm = scheduler(1)
    with pytest.raises(ValueError, match="job 7"):
        farm.allowed(7, gate)
    farm.submitted(1, 1)
    with pytest.raises(ValueError, match="job 1"):
        farm.allowed(1, -1)
    farm.weighed(7, result=1.0)  # its job may be over when it comes


def test_who_tells_of_weights_knows_which_jobs_must_hear_of_light_tasks_too() -> None:
    farm = scheduler(1)
    farm.submitted(1, 1)
    farm.submitted(2, 10, weight=2.0 * MIB)
    assert farm.heavy == {2}
    farm.weighed(1, arguments=2000.0)
    assert farm.heavy == {1, 2}
    while 1 in farm.heavy:
        farm.weighed(1, arguments=1.0)
    farm.cancelled(2)
    assert farm.heavy == set()
