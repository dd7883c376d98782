"""A tally of batches of which some tasks are tried again, and of calls that workers name."""

from __future__ import annotations

from scoopmpi.tasks.seen import Seen
from scoopmpi.watching.estimate import Estimator
from scoopmpi.watching.tally import Tally


def begun(kind: str, size: int | None) -> Tally:
    tally = Tally()
    tally.worker_joined(1, "node", 7)
    tally.job_begun(1, kind, "a submitted call" if kind == "calls" else "f", size, None)
    return tally


def test_tasks_of_a_batch_count_of_which_others_are_tried_again() -> None:
    tally = begun("map", 5)
    tally.tasks_assigned(1, 1, 0, 5, 1)
    tally.tasks_put_off(1, 1, 0, 2, -1.0, None)
    tally.tasks_finished(1, 1, 0, 3, 1, 0.5, None)
    total = tally.total
    assert (total.finished, total.failed, total.retried, total.running) == (3, 1, 2, 0)
    assert not tally.workers[1].held
    tally.tasks_assigned(1, 1, 1, 2, 2)
    tally.tasks_put_off(1, 1, 1, 1, -1.0, None)
    tally.tasks_finished(1, 1, 1, 1, 0, 0.25, None)
    assert (total.finished, total.retried, total.running, total.left) == (4, 3, 0, 1)
    assert total.seconds == 0.75 and tally.functions["f"].durations.tasks == 4


def test_a_batch_may_be_cut_behind_tasks_that_are_tried_again() -> None:
    tally = begun("map", 5)
    tally.tasks_assigned(1, 1, 0, 5, 1)
    tally.tasks_put_off(1, 1, 0, 2, -1.0, None)
    tally.tasks_handed_back(1, 1, 2, 3)
    assert tally.total.running == 0 and not tally.workers[1].held


def test_calls_count_for_their_functions() -> None:
    tally = begun("calls", None)
    tally.job_grew(1, 3)
    tally.tasks_assigned(1, 1, 0, 3, 1)
    named = Seen(((0.0, 1.0),), peak=9, resident=5, errors=((1, "E"),), function="g")
    tally.tasks_finished(1, 1, 0, 2, 1, 0.5, named)
    tally.tasks_finished(1, 1, 2, 1, 0, 0.5, named._replace(function="h"))
    counts = {name: each.counts for name, each in tally.functions.items()}
    assert (counts["g"].finished, counts["g"].failed, counts["g"].seconds) == (2, 1, 0.5)
    assert (counts["h"].finished, counts["h"].batches) == (1, 1)
    rest = counts["a submitted call"]
    assert (rest.finished, rest.running, rest.known, rest.batches) == (0, 0, 0, 0)
    assert tally.functions["g"].peak == 9 and tally.functions["g"].errors["E"] == 1
    assert tally.jobs[1].counts.finished == tally.total.finished == 3


def test_calls_that_run_have_the_name_of_their_function() -> None:
    tally = begun("calls", None)
    tally.job_grew(1, 3)
    tally.tasks_assigned(1, 1, 0, 1, 1)
    assert tally.workers[1].held[0].function.name == "a submitted call"
    tally.tasks_named(1, 1, 0, "g")
    assert tally.workers[1].held[0].function is tally.functions["g"]
    assert tally.jobs[1].name == "g"
    tally.tasks_finished(1, 1, 0, 1, 0, 0.5, None)  # where workers are not asked
    assert tally.functions["g"].counts.finished == 1
    tally.tasks_assigned(1, 1, 1, 1, 1)
    tally.tasks_named(1, 1, 1, "h")
    assert tally.jobs[1].name == "a submitted call"
    tally.tasks_finished(1, 1, 1, 1, 0, 1.5, None)
    known = tally.jobs[1].known
    assert (known.tasks, known.seconds) == (2, 2.0)
    assert tally.functions["a submitted call"].counts.left == 1


def test_the_end_of_calls_is_known_whose_workers_name_them() -> None:
    now = [0.0]
    tally = Tally(lambda: now[0])
    tally.worker_joined(1, "node", 7)
    tally.job_begun(0, "calls", "a submitted call", None, None)
    tally.job_grew(0, 10)
    for task in range(4):
        tally.tasks_assigned(0, 1, task, 1, 1)
        tally.tasks_named(0, 1, task, "g")
        now[0] += 2.0
        seen = Seen(((now[0] - 2.0, now[0]),), function="g")
        tally.tasks_finished(0, 1, task, 1, 0, 2.0, seen)
    left = Estimator().look(tally, now[0]).seconds
    assert left is not None and 11.0 < left < 14.0, left


def test_tasks_that_a_task_hands_to_others_are_counted_apart() -> None:
    tally = begun("map", 2)
    tally.tasks_assigned(1, 1, 0, 2, 1)
    tally.job_begun(-1, "nested", "leaf", 3, None)
    tally.tasks_assigned(-1, 1, 0, 3, 1)
    tally.tasks_finished(-1, 1, 0, 3, 1, 0.5, None)
    tally.tasks_finished(1, 1, 0, 1, 0, 0.5, None)
    own = tally.total.without(tally.nested)
    assert (own.known, own.finished, own.failed, own.running, own.left) == (2, 1, 0, 1, 1)
    assert (tally.nested.known, tally.nested.finished, tally.nested.failed) == (3, 3, 1)
    assert tally.total.finished == 4 and own.seconds == tally.nested.seconds == 0.5
