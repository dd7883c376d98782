"""How large the next batch is: an example of each function, then what holds for all numbers."""

from __future__ import annotations

from math import isclose, log, sqrt

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scoopmpi.scheduling.batching import (
    Pace,
    Policy,
    Remaining,
    at_the_tail,
    budget,
    learned,
    short,
    size,
    surely,
)
from tests.support.jobs import untouched

POLICY = Policy()
MILLISECOND = 1e-3
TEN_MICROSECONDS = 1e-5
STEADY = 0.01
"""A spread of tasks that all take the same: what clocks and caches make of it."""
ROUNDING = 1 + 1e-9

counts = st.integers(1, 10**7)
farms = st.integers(1, 100_000)
seconds_of_a_task = st.floats(1e-8, 1e6)
spreads = st.floats(0.0, 1.0)
paces = st.builds(Pace, seconds_of_a_task, spreads, st.booleans())
unsure_paces = st.none() | paces


@st.composite
def remains(draw: st.DrawFn) -> Remaining:
    """What is left of a job somewhere on its way."""
    queued = draw(counts)
    unfinished = queued + draw(st.integers(0, 10**5))
    held = draw(st.integers(0, unfinished - queued))
    return Remaining(queued, unfinished, unfinished + draw(st.integers(0, 10**7)), held)


def queued_of_many(queued: int) -> Remaining:
    """So many queued tasks of a job that had a million, with nothing under way."""
    return Remaining(queued, queued, 10**6 + queued)


# size


def test_unknown_pace_gives_single_tasks() -> None:
    assert size(POLICY, queued_of_many(10**6), 2, None) == 1


def test_the_last_task_is_a_batch() -> None:
    assert size(POLICY, queued_of_many(1), 2, Pace(1e-6)) == 1


def test_while_much_remains_a_batch_takes_the_target() -> None:
    assert size(POLICY, queued_of_many(10**6), 2, Pace(MILLISECOND)) == 30


def test_a_task_longer_than_the_target_goes_alone() -> None:
    assert size(POLICY, queued_of_many(10**6), 2, Pace(0.031)) == 1


def test_towards_the_end_a_batch_is_a_share_of_what_remains() -> None:
    assert size(POLICY, queued_of_many(80), 4, Pace(MILLISECOND)) == 10
    assert size(POLICY, queued_of_many(9), 4, Pace(MILLISECOND)) == 2  # 9 / 8, rounded up


def test_towards_the_end_a_batch_is_worth_its_message() -> None:
    # 10 of 10 us would be the fair share, but sending a batch is worth only for 200 us.
    assert size(POLICY, queued_of_many(80), 4, Pace(TEN_MICROSECONDS)) == 20
    assert size(POLICY, queued_of_many(120), 4, Pace(TEN_MICROSECONDS)) == 20


def test_the_least_is_shared_by_all_workers() -> None:
    assert size(POLICY, queued_of_many(8), 4, Pace(1e-6)) == 2


def test_what_a_worker_holds_belongs_to_its_share() -> None:
    # 8 of 16 are its share. With 6 of them under way 2 are left of it, less than the 3 that guided
    # self-scheduling gives anybody.
    left = Remaining(queued=10, unfinished=16, all=10**6, held=6)
    assert size(POLICY, left, 2, Pace(TEN_MICROSECONDS)) == 3
    assert size(POLICY, left._replace(held=0), 2, Pace(TEN_MICROSECONDS)) == 8


def test_others_who_hold_tasks_make_the_share_no_smaller() -> None:
    # The second worker's half of 32, while the first one has its own: not half of what is queued.
    left = Remaining(queued=16, unfinished=32, all=32)
    assert size(POLICY, left, 2, Pace(TEN_MICROSECONDS, STEADY)) == 16


@given(left=remains(), workers=farms, pace=unsure_paces)
def test_a_batch_is_between_one_task_and_all(
    left: Remaining, workers: int, pace: Pace | None
) -> None:
    tasks = size(POLICY, left, workers, pace)
    assert isinstance(tasks, int)
    assert 1 <= tasks <= left.queued


@given(left=remains(), workers=farms, pace=paces)
def test_a_batch_leaves_as_much_for_every_worker(left: Remaining, workers: int, pace: Pace) -> None:
    # Of what is not finished, as others hold theirs; guided self-scheduling looks at the queue.
    fair = -(-left.unfinished // workers)
    assert size(POLICY, left, workers, pace) <= max(fair - left.held, -(-left.queued // workers))


@given(left=remains(), more=counts, workers=farms, pace=paces)
def test_batches_do_not_grow_while_the_queue_shrinks(
    left: Remaining, more: int, workers: int, pace: Pace
) -> None:
    larger = left._replace(queued=left.queued + more, unfinished=left.unfinished + more)
    # Of one job: it had more tasks than either.
    whole = larger.all + more
    assert size(POLICY, left._replace(all=whole), workers, pace) <= size(
        POLICY, larger._replace(all=whole), workers, pace
    )


@given(left=remains(), workers=farms, pace=paces)
def test_no_batch_is_longer_than_its_limits(left: Remaining, workers: int, pace: Pace) -> None:
    tasks = size(POLICY, left, workers, pace)
    longest = max(POLICY.target, POLICY.rounds * workers * POLICY.message)
    assert tasks == 1 or (tasks - 1) * pace.seconds <= longest * ROUNDING


# Even shares.


def batches_of(tasks: int, workers: int, pace: Pace) -> list[int]:
    """The batches of a map whose workers all get one, one after the other."""
    found: list[int] = []
    queued = tasks
    while queued and len(found) < workers:
        found.append(size(POLICY, Remaining(queued, tasks, tasks), workers, pace))
        queued -= found[-1]
    assert queued == 0, f"{found} of {tasks}"
    return found


@pytest.mark.parametrize(
    ("tasks", "workers", "seconds", "batches"),
    [
        (32, 2, TEN_MICROSECONDS, [16, 16]),
        (32, 2, 10 * TEN_MICROSECONDS, [16, 16]),
        (32, 2, MILLISECOND, [16, 16]),
        (8, 2, MILLISECOND, [4, 4]),
        (4, 2, 10 * MILLISECOND, [2, 2]),
        (7, 3, MILLISECOND, [3, 3, 1]),
        (3, 16, MILLISECOND, [1, 1, 1]),
    ],
)
def test_a_small_steady_map_goes_out_in_even_shares(
    tasks: int, workers: int, seconds: float, batches: list[int]
) -> None:
    assert batches_of(tasks, workers, Pace(seconds, STEADY, remembered=True)) == batches


@given(st.data(), st.integers(1, 2000), spreads)
def test_a_small_map_whose_sum_is_known_has_a_batch_a_worker(
    data: st.DataObject, workers: int, spread: float
) -> None:
    share = data.draw(st.integers(1, 5000))
    tasks = share * workers
    seconds = data.draw(st.floats(1e-8, POLICY.target / share))
    # The sum of a share differs by no more than what an imbalance is worth.
    assume(spread * seconds * sqrt(share + 1) <= POLICY.imbalance)
    assume(tasks * seconds <= workers * POLICY.target)
    assert batches_of(tasks, workers, Pace(seconds, spread, remembered=True)) == [share] * workers


def test_tasks_that_differ_go_out_in_smaller_batches() -> None:
    assert size(POLICY, untouched(32), 2, Pace(MILLISECOND, spread=1.0)) == 8
    assert size(POLICY, untouched(8), 2, Pace(MILLISECOND, spread=0.5)) == 2


def test_large_maps_are_not_shared_out_at_once() -> None:
    # 200 ms of tasks: a share of half of it would take longer than the target.
    assert size(POLICY, untouched(200), 2, Pace(MILLISECOND, STEADY)) == 30


# surely


def test_a_batch_surely_takes_its_sum_less_two_deviations() -> None:
    assert surely(Pace(MILLISECOND, spread=0.1), tasks=100) == pytest.approx(0.098)
    assert surely(Pace(0.1, STEADY), tasks=1) == pytest.approx(0.098)


def test_nothing_is_sure_of_few_tasks_that_differ() -> None:
    assert surely(Pace(1.0), tasks=1) == surely(Pace(1.0), tasks=4) == 0.0


@given(pace=paces, tasks=counts)
def test_what_is_sure_is_no_more_than_what_is_expected(pace: Pace, tasks: int) -> None:
    assert 0.0 <= surely(pace, tasks) <= tasks * pace.seconds * ROUNDING


@given(pace=paces, tasks=counts, more=counts)
def test_more_tasks_surely_take_no_less(pace: Pace, tasks: int, more: int) -> None:
    assert surely(pace, tasks) <= surely(pace, tasks + more) * ROUNDING


# budget


def test_budget_is_twice_what_is_expected() -> None:
    assert budget(POLICY, workers=2, expected=0.1) == pytest.approx(0.2)


def test_budget_of_unknown_or_short_tasks_is_twice_the_target() -> None:
    assert budget(POLICY, workers=2, expected=0.0) == pytest.approx(0.06)
    assert budget(POLICY, workers=2, expected=1e-6) == pytest.approx(0.06)


def test_budget_grows_with_the_farm() -> None:
    assert budget(POLICY, workers=10_000, expected=0.0) == pytest.approx(0.5)


def test_a_batch_whose_pace_is_only_remembered_comes_back_sooner() -> None:
    assert budget(POLICY, workers=2, expected=0.001, remembered=True) == pytest.approx(0.005)
    assert budget(POLICY, workers=2, expected=0.1, remembered=True) == pytest.approx(0.2)
    assert budget(POLICY, workers=10_000, expected=0.0, remembered=True) == pytest.approx(0.5)


@given(expected=st.just(0.0) | seconds_of_a_task, workers=farms, remembered=st.booleans())
def test_budget_leaves_room_for_a_wrong_guess(
    expected: float, workers: int, remembered: bool
) -> None:
    seconds = budget(POLICY, workers, expected, remembered)
    assert seconds >= 2 * (POLICY.doubt if remembered else POLICY.target)
    assert seconds >= 2 * expected
    assert seconds >= 2 * workers * POLICY.message


# short, at_the_tail


@pytest.mark.parametrize(
    ("expected", "doubled"), [(0.0, False), (0.001, True), (0.5, True), (0.51, False)]
)
def test_only_batches_known_to_be_short_are_doubled(expected: float, doubled: bool) -> None:
    assert short(POLICY, expected) is doubled


@pytest.mark.parametrize(
    ("queued", "pace", "tail"),
    [
        (2, None, True),
        (3, None, False),
        (2, Pace(0.1), True),
        (3, Pace(0.1), False),
        (40, Pace(TEN_MICROSECONDS), True),  # 200 us of tasks a worker
        (41, Pace(TEN_MICROSECONDS), False),
    ],
)
def test_the_tail_is_a_task_or_200_us_of_tasks_a_worker(
    queued: int, pace: Pace | None, tail: bool
) -> None:
    assert at_the_tail(Policy(shortest=0.0002), queued, 2, pace) is tail


@given(queued=counts, workers=farms, pace=unsure_paces)
def test_a_task_for_each_worker_is_always_a_tail(
    queued: int, workers: int, pace: Pace | None
) -> None:
    assert at_the_tail(POLICY, min(queued, workers), workers, pace)
    if at_the_tail(POLICY, queued, workers, pace):
        longest = 0.0 if pace is None else workers * POLICY.shortest / pace.seconds
        assert queued <= max(workers, longest * ROUNDING)


# learned


def test_the_first_measurement_is_the_pace() -> None:
    assert learned(None, tasks=4, seconds=2.0) == Pace(0.5, spread=1.0, remembered=False)


def test_the_first_measurement_replaces_what_is_remembered() -> None:
    pace = learned(Pace(0.001, spread=0.1, remembered=True), tasks=4, seconds=2.0)
    assert (pace.seconds, pace.remembered) == (0.5, False)
    assert pace.spread == pytest.approx((0.1 + 1.0) / 2)  # a surprise


def test_one_slow_batch_moves_the_pace_by_the_root_of_its_factor() -> None:
    assert learned(Pace(0.001), tasks=1, seconds=1.0).seconds == pytest.approx(0.001 * 1000**0.5)


def test_a_clock_that_did_not_move_gives_a_pace_above_zero() -> None:
    assert learned(None, tasks=1, seconds=0.0).seconds > 0
    assert learned(Pace(0.001), tasks=1, seconds=0.0).seconds > 0
    assert learned(Pace(0.001, remembered=True), tasks=1, seconds=0.0).seconds > 0


@given(pace=paces, tasks=counts, seconds=st.floats(1e-6, 1e6))
def test_the_pace_moves_towards_what_was_measured(pace: Pace, tasks: int, seconds: float) -> None:
    measured = seconds / tasks
    new = learned(pace, tasks, seconds)
    assert not new.remembered
    if pace.remembered or isclose(pace.seconds, measured):
        assert new.seconds == pytest.approx(measured)
    else:
        assert min(pace.seconds, measured) < new.seconds < max(pace.seconds, measured)


@given(start=paces, seconds=st.floats(1e-6, 1e3))
def test_the_pace_arrives(start: Pace, seconds: float) -> None:
    pace = start
    for _ in range(60):
        pace = learned(pace, 10, seconds)
    assert pace.seconds == pytest.approx(seconds / 10, rel=1e-6)
    assert pace.spread < 1e-3


@given(pace=paces, tasks=counts, factor=st.floats(1e-3, 1e3))
def test_the_spread_rises_with_surprises_and_falls_with_steadiness(
    pace: Pace, tasks: int, factor: float
) -> None:
    # A surprise: the mean of so many tasks differs by more than the spread says.
    assume(factor * pace.seconds * tasks >= 1e-9)  # below, no clock tells
    new = learned(pace, tasks, factor * pace.seconds * tasks)
    difference = min(1.0, abs(log(factor)) * sqrt(tasks))
    assert 0.0 <= new.spread <= 1.0
    if difference > pace.spread * ROUNDING + 1e-6:
        assert new.spread > pace.spread
    elif difference < pace.spread / ROUNDING - 1e-6:
        assert new.spread < pace.spread


def test_a_thousandfold_surprise_makes_the_next_batches_small() -> None:
    pace = Pace(TEN_MICROSECONDS, STEADY, remembered=True)
    assert size(POLICY, untouched(64), 2, pace) == 32
    pace = learned(pace, tasks=1, seconds=0.01)
    assert size(POLICY, untouched(64), 2, pace) == 3  # of 30 ms: as without any memory
