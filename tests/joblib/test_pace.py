"""How many calls go into a batch: by what they cost where they run, are packed, and are read."""

from __future__ import annotations

from scoopmpi.joblib.pace import GROWTH, LATE, LEAST, RANK_0_COST, Pace


def learned(seconds: float, at_a_time: int = 2, batches: int = 20) -> Pace:
    pace = Pace(at_a_time)
    for _ in range(batches):
        pace.ran(pace.size, pace.size * seconds)
    return pace


def test_the_first_batches_are_single_calls() -> None:
    assert Pace(2).size == 1


def test_a_batch_lasts_long_enough_for_its_message() -> None:
    assert learned(1e-6).size == int(LEAST / 1e-6)
    assert learned(1e-3).size == int(LEAST / 1e-3)


def test_long_calls_stay_alone() -> None:
    assert learned(0.1).size == learned(LEAST).size == 1


def test_many_workers_need_longer_batches_as_rank_0_serves_all() -> None:
    assert learned(1e-3, at_a_time=1000).size == int(1000 * RANK_0_COST / 1e-3)


def test_a_batch_is_late_by_what_it_was_made_for() -> None:
    assert Pace(2).late == LATE * LEAST
    assert Pace(1000).late == LATE * (1000 * RANK_0_COST)


def test_a_batch_grows_step_by_step_as_the_first_calls_may_have_been_the_quick_ones() -> None:
    sizes = [learned(1e-7, batches=count).size for count in range(4)]
    assert sizes == [1, GROWTH, GROWTH**2, GROWTH**3]


def test_batches_shrink_at_once_where_calls_take_longer() -> None:
    pace = learned(1e-6)
    pace.ran(1000, 100.0)
    assert pace.size == 1


def test_a_batch_that_was_made_before_does_not_stop_the_growth() -> None:
    pace = learned(1e-6)
    before = pace.size
    pace.ran(1, 1e-6)
    assert pace.size == before


def test_a_slow_generator_is_not_read_far_ahead() -> None:
    pace = learned(1e-6)
    pace.read(1, 1.0)  # joblib reads a batch for each worker before it sends the first
    assert pace.size == 1
    for _ in range(40):
        pace.read(100, 1e-6)
    assert pace.size == int(LEAST / 1e-6)


def test_calls_that_take_no_time_are_no_division_by_zero() -> None:
    pace = Pace(2)
    pace.ran(1, 0.0)
    assert pace.size == GROWTH
