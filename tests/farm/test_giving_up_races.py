"""Groups that are given up while something else goes on: nobody waits for ever, no other is hit."""

from __future__ import annotations

import gc
from typing import Any

from scoopmpi.tasks.groups import groups
from tests.support.memory_farm import counted, current, farm

__all__ = ["farm"]


def turns(count: int) -> None:
    for _ in range(count):
        current.ranks.turn()


def test_the_end_does_not_wait_for_a_map_that_nobody_reads(farm: Any) -> None:
    number = groups.new()
    with groups.inside(number):
        given = farm.map(counted, iter(range(1000)))
        left = farm.map(counted, range(1000))
    del given, left
    gc.collect()
    turns(30)
    farm.give_up(number)
    turns(30)
    farm.farm.finish()
