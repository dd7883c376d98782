"""How large the next batch is: an example of each function, then what holds for all numbers."""

from __future__ import annotations

from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoopmpi.scheduling.batching import Policy, budget, learned, short, size

POLICY = Policy(target=0.03, shortest=0.0002, message=30e-6, prefetch=0.05, share=2)

counts = st.integers(1, 10**7)
farms = st.integers(1, 100_000)
paces = st.floats(1e-9, 1e6)
unsure_paces = st.none() | paces


# size


def test_unknown_pace_gives_single_tasks() -> None:
    assert size(POLICY, queued=10**6, workers=2, task_seconds=None) == 1


def test_the_last_task_is_a_batch() -> None:
    assert size(POLICY, queued=1, workers=2, task_seconds=1e-6) == 1


def test_while_much_remains_a_batch_takes_the_target() -> None:
    assert size(POLICY, queued=10**6, workers=2, task_seconds=0.001) == 30


def test_a_task_longer_than_the_target_goes_alone() -> None:
    assert size(POLICY, queued=10**6, workers=2, task_seconds=0.031) == 1


def test_towards_the_end_a_batch_is_a_share_of_what_remains() -> None:
    assert size(POLICY, queued=80, workers=4, task_seconds=0.001) == 10
    assert size(POLICY, queued=9, workers=4, task_seconds=0.001) == 2  # 9 / 8, rounded up


def test_towards_the_end_a_batch_is_worth_its_message() -> None:
    # 10 of 10 us would be the fair share, but sending a batch is worth only for 200 us.
    assert size(POLICY, queued=80, workers=4, task_seconds=10e-6) == 20
    assert size(POLICY, queued=120, workers=4, task_seconds=10e-6) == 20


def test_the_least_is_shared_by_all_workers() -> None:
    assert size(POLICY, queued=8, workers=4, task_seconds=1e-6) == 2


@pytest.mark.parametrize("task_seconds", [0.01, 0.1, 0.15, 0.2])
def test_rank_0_keeps_up_with_ten_thousand_workers(task_seconds: float) -> None:
    # Batches of all workers end in turn: each must take as long as 10,000 messages.
    tasks = size(POLICY, queued=10**7, workers=10_000, task_seconds=task_seconds)
    assert 0.3 <= tasks * task_seconds * (1 + 1e-9) < 0.3 + task_seconds


@given(queued=counts, workers=farms, task_seconds=unsure_paces)
def test_a_batch_is_between_one_task_and_all(
    queued: int, workers: int, task_seconds: float | None
) -> None:
    tasks = size(POLICY, queued, workers, task_seconds)
    assert isinstance(tasks, int)
    assert 1 <= tasks <= queued


@given(queued=counts, workers=farms, task_seconds=paces)
def test_a_batch_leaves_as_much_for_every_worker(
    queued: int, workers: int, task_seconds: float
) -> None:
    assert size(POLICY, queued, workers, task_seconds) <= -(-queued // workers)


@given(queued=counts, more=counts, workers=farms, task_seconds=paces)
def test_batches_do_not_grow_while_the_queue_shrinks(
    queued: int, more: int, workers: int, task_seconds: float
) -> None:
    assert size(POLICY, queued, workers, task_seconds) <= size(
        POLICY, queued + more, workers, task_seconds
    )


# budget


def test_budget_is_twice_what_is_expected() -> None:
    assert budget(POLICY, tasks=100, workers=2, task_seconds=0.001) == pytest.approx(0.2)


def test_budget_of_unknown_or_short_tasks_is_twice_the_target() -> None:
    assert budget(POLICY, tasks=1, workers=2, task_seconds=None) == pytest.approx(0.06)
    assert budget(POLICY, tasks=1, workers=2, task_seconds=1e-6) == pytest.approx(0.06)


def test_budget_grows_with_the_farm() -> None:
    assert budget(POLICY, tasks=1, workers=10_000, task_seconds=None) == pytest.approx(0.6)


@given(tasks=counts, workers=farms, task_seconds=unsure_paces)
def test_budget_leaves_room_for_a_wrong_guess(
    tasks: int, workers: int, task_seconds: float | None
) -> None:
    seconds = budget(POLICY, tasks, workers, task_seconds)
    assert seconds >= 2 * POLICY.target
    assert task_seconds is None or seconds >= 2 * tasks * task_seconds


# short


@pytest.mark.parametrize(
    ("tasks", "task_seconds", "expected"),
    [(1, None, False), (50, 0.001, True), (51, 0.001, False), (1, 0.05, True), (1, 0.06, False)],
)
def test_only_batches_known_to_be_short_are_doubled(
    tasks: int, task_seconds: float | None, expected: bool
) -> None:
    assert short(POLICY, tasks, task_seconds) is expected


# learned


def test_the_first_measurement_is_the_pace() -> None:
    assert learned(None, tasks=4, seconds=2.0) == 0.5


def test_one_slow_batch_moves_the_pace_by_the_root_of_its_factor() -> None:
    assert learned(0.001, tasks=1, seconds=1.0) == pytest.approx(0.001 * 1000**0.5)


def test_a_clock_that_did_not_move_gives_a_pace_above_zero() -> None:
    assert learned(None, tasks=1, seconds=0.0) > 0
    assert learned(0.001, tasks=1, seconds=0.0) > 0


@given(task_seconds=paces, tasks=counts, seconds=st.floats(1e-6, 1e6))
def test_the_pace_moves_towards_what_was_measured(
    task_seconds: float, tasks: int, seconds: float
) -> None:
    measured = seconds / tasks
    new = learned(task_seconds, tasks, seconds)
    if isclose(task_seconds, measured):
        assert new == pytest.approx(task_seconds)
    else:
        assert min(task_seconds, measured) < new < max(task_seconds, measured)


@given(start=paces, seconds=st.floats(1e-6, 1e3))
def test_the_pace_arrives(start: float, seconds: float) -> None:
    task_seconds = start
    for _ in range(60):
        task_seconds = learned(task_seconds, 10, seconds)
    assert task_seconds == pytest.approx(seconds / 10, rel=1e-6)
