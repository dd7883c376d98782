"""How many tasks of a map may be ahead of their consumer."""

from __future__ import annotations

import random

import pytest

from scoopmpi.farm.ahead import AHEAD_BYTES, AHEAD_TASKS, BEHIND_BYTES, LARGE, LIGHT_TASKS, Ahead

MIB = 1 << 20


def test_before_anything_was_weighed_a_map_goes_ahead_by_some_tasks_for_each_worker() -> None:
    assert Ahead(workers=2).room(0, ready=False, weighed=False, reads=False) == 128
    assert Ahead(workers=0).room(0, ready=False, weighed=False, reads=False) == 64
    assert (
        Ahead(workers=2, light=True).room(0, ready=False, weighed=False, reads=False) == LIGHT_TASKS
    )


def test_small_outcomes_let_a_map_go_ahead_to_the_limit() -> None:
    ahead = Ahead(workers=2)
    assert ahead.room(0, ready=True, weighed=True, reads=False) == AHEAD_TASKS
    ahead.came(100, tasks=100, taken=0)
    assert ahead.room(0, ready=True, weighed=True, reads=False) == AHEAD_TASKS
    assert not ahead.narrow


def test_large_arguments_keep_it_near_the_consumer_but_nobody_without_work() -> None:
    ahead = Ahead(workers=2)
    ahead.weigh([bytes(AHEAD_BYTES // 1000)], tasks=1)
    assert ahead.room(0, ready=True, weighed=True, reads=False) == 1000
    ahead.weigh([bytes(AHEAD_BYTES)], tasks=1)
    assert ahead.room(0, ready=True, weighed=True, reads=False) == 4


def test_large_outcomes_are_counted_until_they_are_taken() -> None:
    ahead = Ahead(workers=2)
    ahead.release_up_to(100, size=100)
    for came in range(1, 33):
        ahead.came(MIB, tasks=1, taken=0)
        assert ahead.room(0, ready=True, weighed=True, reads=False) == 64
        assert came + (AHEAD_BYTES - came * MIB) // MIB == 64
    ahead.came(100 * MIB, tasks=1, taken=0)
    assert ahead.room(0, ready=True, weighed=True, reads=False) <= 33, (
        "nothing more than what is here"
    )
    ahead.took(100 * MIB)
    assert ahead.room(0, ready=True, weighed=True, reads=False) > 32


def test_what_a_map_has_weighed_counts_for_the_next_before_anything_has_come() -> None:
    ahead = Ahead(workers=2, weight=16.0 * MIB)
    assert ahead.narrow
    assert ahead.room(0, ready=True, weighed=False, reads=False) == 4
    ahead.came(10, tasks=1, taken=0)  # another size now
    assert ahead.room(0, ready=True, weighed=True, reads=False) == AHEAD_TASKS


def test_light_arguments_do_not_make_heavy_outcomes_forgotten() -> None:
    ahead = Ahead(workers=2)
    ahead.came(16 * MIB, tasks=1, taken=0)
    ahead.took(16 * MIB)
    for _ in range(300):
        ahead.weigh([bytes(10)], tasks=1)
    assert ahead.room(1, ready=True, weighed=True, reads=False) == 4


def test_an_iterator_is_read_no_further_than_twice_what_was_used_of_it() -> None:
    ahead = Ahead(workers=2)
    assert ahead.room(0, ready=True, weighed=True, reads=True) == 8
    assert ahead.room(1000, ready=True, weighed=True, reads=True) == 2000


def test_arguments_are_not_weighed_where_no_task_is_left_to_hand_out() -> None:
    ahead = Ahead(workers=2)
    ahead.release_up_to(10, size=20)
    ahead.weigh([bytes(AHEAD_BYTES // 1000)], tasks=1)
    ahead.release_up_to(20, size=20)
    ahead.weigh([bytes(AHEAD_BYTES)], tasks=1)
    assert ahead.room(0, ready=True, weighed=True, reads=False) == 1000


def test_the_gate_is_open_where_all_that_is_left_has_room() -> None:
    ahead = Ahead(workers=2)
    ahead.release_up_to(128, size=128)
    assert ahead.gate(0, ready=True, weighed=True) is None
    ahead.came(MIB, tasks=1, taken=0)
    assert ahead.gate(0, ready=True, weighed=True) == 64
    ahead.took(MIB)
    assert ahead.gate(100, ready=True, weighed=True) is None


def test_many_middling_outcomes_move_the_gate_too() -> None:
    """None of them is large, but 16,384 were handed out where the latest map gave numbers."""
    ahead = Ahead(workers=2, light=True)
    ahead.release_up_to(LIGHT_TASKS, size=1 << 20)
    ahead.came(10_000, tasks=1, taken=0)
    assert ahead.narrow
    assert ahead.gate(0, ready=True, weighed=True) == AHEAD_BYTES // 10_000


@pytest.mark.parametrize("seed", range(40))
def test_what_waits_stays_within_the_bound_whatever_the_sizes(seed: int) -> None:
    """A slow consumer, workers that take what is before the gate, batches of 1 to 8, any sizes.

    With even seeds tasks end in the order in which they have begun, with others in any order.
    """
    chance = random.Random(seed)
    workers, tasks = chance.choice([1, 2, 8]), 600
    mixes = [[10], [MIB], [16 * MIB], [10] * 99 + [100 * MIB], [10, MIB], [60_000], [100, 30 * MIB]]
    mix = chance.choice(mixes)
    sizes = [chance.choice(mix) for _ in range(tasks)]
    ahead = Ahead(workers, light=chance.random() < 0.5)
    running: list[tuple[int, int]] = []
    waiting: dict[int, int] = {}
    handed = taken = most = 0
    while taken < tasks:
        ready, weighed = taken in waiting, ahead.outcomes > 0
        end = min(tasks, taken + ahead.room(taken, ready, weighed, reads=False))
        ahead.release_up_to(max(end, ahead.released), tasks)
        gate = ahead.gate(taken, ready, weighed)
        end = ahead.released if gate is None else min(ahead.released, gate)
        heavy = ahead._weight.larger > 8 * MIB
        while len(running) < 2 * workers and handed < end:
            stop = min(end, handed + (1 if heavy else chance.randint(1, 8)))
            running.append((handed, stop))
            handed = stop
        assert running or waiting, "nothing runs and nothing waits"
        if running:
            start, stop = running.pop(chance.randrange(len(running)) if seed % 2 else 0)
            ahead.came(sum(sizes[start:stop]), stop - start, taken)
            waiting[start] = stop
        most = max(most, sum(sum(sizes[a:b]) for a, b in waiting.items()))
        if taken in waiting and (chance.random() < 0.2 or not running):
            stop = waiting.pop(taken)
            ahead.took(sum(sizes[taken:stop]))
            taken = stop
    # What was handed out before anybody knew: two batches a worker.
    under_way = 2 * workers * (8 * max(sum(sizes) / tasks, LARGE) + max(sizes))
    assert most <= (BEHIND_BYTES if seed % 2 else AHEAD_BYTES) + under_way
