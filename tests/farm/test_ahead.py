"""How many tasks of a map may be ahead of their consumer."""

from __future__ import annotations

from scoopmpi.farm.ahead import AHEAD_BYTES, AHEAD_TASKS, Ahead


def test_before_anything_was_weighed_a_map_goes_ahead_by_some_tasks_for_each_worker() -> None:
    assert Ahead(workers=2).room(0, weighed=False, reads=False) == 128
    assert Ahead(workers=0).room(0, weighed=False, reads=False) == 64


def test_small_outcomes_let_a_map_go_ahead_to_the_limit() -> None:
    ahead = Ahead(workers=2)
    assert ahead.room(0, weighed=True, reads=False) == AHEAD_TASKS
    ahead.weigh([b"x" * 100], tasks=100)
    assert ahead.room(0, weighed=True, reads=False) == AHEAD_TASKS


def test_large_outcomes_keep_it_near_the_consumer_but_nobody_without_work() -> None:
    ahead = Ahead(workers=2)
    ahead.weigh([bytes(AHEAD_BYTES // 1000)], tasks=1)
    assert ahead.room(0, weighed=True, reads=False) == 1000
    ahead.weigh([bytes(AHEAD_BYTES)], tasks=1)
    assert ahead.room(0, weighed=True, reads=False) == 8


def test_an_iterator_is_read_no_further_than_twice_what_was_used() -> None:
    ahead = Ahead(workers=2)
    assert ahead.room(0, weighed=True, reads=True) == 8
    assert ahead.room(1000, weighed=True, reads=True) == 2000


def test_nothing_is_weighed_where_no_task_is_left_to_hand_out() -> None:
    ahead = Ahead(workers=2)
    ahead.release_up_to(10, size=20)
    ahead.weigh([bytes(AHEAD_BYTES // 1000)], tasks=1)
    ahead.release_up_to(20, size=20)
    ahead.weigh([bytes(AHEAD_BYTES)], tasks=1)
    assert ahead.room(0, weighed=True, reads=False) == 1000
