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
    assert size(POLICY, queued=10**6, workers=2, pace=None) == 1


def test_the_last_task_is_a_batch() -> None:
    assert size(POLICY, queued=1, workers=2, pace=1e-6) == 1


def test_while_much_remains_a_batch_takes_the_target() -> None:
    assert size(POLICY, queued=10**6, workers=2, pace=0.001) == 30


def test_a_task_longer_than_the_target_goes_alone() -> None:
    assert size(POLICY, queued=10**6, workers=2, pace=0.031) == 1


def test_towards_the_end_a_batch_is_a_share_of_what_remains() -> None:
    assert size(POLICY, queued=80, workers=4, pace=0.001) == 10
    assert size(POLICY, queued=9, workers=4, pace=0.001) == 2  # 9 / 8, rounded up


def test_towards_the_end_a_batch_is_worth_its_message() -> None:
    # 10 of 10 us would be the fair share, but sending a batch is worth only for 200 us.
    assert size(POLICY, queued=80, workers=4, pace=10e-6) == 20
    assert size(POLICY, queued=120, workers=4, pace=10e-6) == 20


def test_the_least_is_shared_by_all_workers() -> None:
    assert size(POLICY, queued=8, workers=4, pace=1e-6) == 2


@pytest.mark.parametrize("pace", [0.01, 0.1, 0.15, 0.2])
def test_rank_0_keeps_up_with_ten_thousand_workers(pace: float) -> None:
    # Batches of all workers end in turn: each must take as long as 10,000 messages.
    tasks = size(POLICY, queued=10**7, workers=10_000, pace=pace)
    assert 0.3 <= tasks * pace * (1 + 1e-9) < 0.3 + pace


@given(queued=counts, workers=farms, pace=unsure_paces)
def test_a_batch_is_between_one_task_and_all(queued: int, workers: int, pace: float | None) -> None:
    tasks = size(POLICY, queued, workers, pace)
    assert isinstance(tasks, int)
    assert 1 <= tasks <= queued


@given(queued=counts, workers=farms, pace=paces)
def test_a_batch_leaves_as_much_for_every_worker(queued: int, workers: int, pace: float) -> None:
    assert size(POLICY, queued, workers, pace) <= -(-queued // workers)


@given(queued=counts, more=counts, workers=farms, pace=paces)
def test_batches_do_not_grow_while_the_queue_shrinks(
    queued: int, more: int, workers: int, pace: float
) -> None:
    assert size(POLICY, queued, workers, pace) <= size(POLICY, queued + more, workers, pace)


# budget


def test_budget_is_twice_what_is_expected() -> None:
    assert budget(POLICY, tasks=100, workers=2, pace=0.001) == pytest.approx(0.2)


def test_budget_of_unknown_or_short_tasks_is_twice_the_target() -> None:
    assert budget(POLICY, tasks=1, workers=2, pace=None) == pytest.approx(0.06)
    assert budget(POLICY, tasks=1, workers=2, pace=1e-6) == pytest.approx(0.06)


def test_budget_grows_with_the_farm() -> None:
    assert budget(POLICY, tasks=1, workers=10_000, pace=None) == pytest.approx(0.6)


@given(tasks=counts, workers=farms, pace=unsure_paces)
def test_budget_leaves_room_for_a_wrong_guess(tasks: int, workers: int, pace: float | None) -> None:
    seconds = budget(POLICY, tasks, workers, pace)
    assert seconds >= 2 * POLICY.target
    assert pace is None or seconds >= 2 * tasks * pace


# short


@pytest.mark.parametrize(
    ("tasks", "pace", "expected"),
    [(1, None, False), (50, 0.001, True), (51, 0.001, False), (1, 0.05, True), (1, 0.06, False)],
)
def test_only_batches_known_to_be_short_are_doubled(
    tasks: int, pace: float | None, expected: bool
) -> None:
    assert short(POLICY, tasks, pace) is expected


# learned


def test_the_first_measurement_is_the_pace() -> None:
    assert learned(None, tasks=4, seconds=2.0) == 0.5


def test_one_slow_batch_moves_the_pace_by_the_root_of_its_factor() -> None:
    assert learned(0.001, tasks=1, seconds=1.0) == pytest.approx(0.001 * 1000**0.5)


def test_a_clock_that_did_not_move_gives_a_pace_above_zero() -> None:
    assert learned(None, tasks=1, seconds=0.0) > 0
    assert learned(0.001, tasks=1, seconds=0.0) > 0


@given(pace=paces, tasks=counts, seconds=st.floats(1e-6, 1e6))
def test_the_pace_moves_towards_what_was_measured(pace: float, tasks: int, seconds: float) -> None:
    measured = seconds / tasks
    new = learned(pace, tasks, seconds)
    if isclose(pace, measured):
        assert new == pytest.approx(pace)
    else:
        assert min(pace, measured) < new < max(pace, measured)


@given(start=paces, seconds=st.floats(1e-6, 1e3))
def test_the_pace_arrives(start: float, seconds: float) -> None:
    pace = start
    for _ in range(60):
        pace = learned(pace, 10, seconds)
    assert pace == pytest.approx(seconds / 10, rel=1e-6)
