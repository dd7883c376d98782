"""Which tasks are tried again after a death, and which are given up."""

from __future__ import annotations

import pytest

from scoopmpi.scheduling.ranges import Batch
from scoopmpi.scheduling.retries import again, blamed, given_up

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
