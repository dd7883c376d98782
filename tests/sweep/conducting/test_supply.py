"""Items on their way to the farm, and which of them last."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from scoopmpi.sweep.conducting.begun import MOMENT, Begun, Runs
from scoopmpi.sweep.conducting.incoming import Incoming
from scoopmpi.sweep.conducting.supply import Supply
from scoopmpi.sweep.items.item import Item, ItemsProblem
from scoopmpi.tasks.arguments import Source


def items(count: int) -> list[Item]:
    return [Item(10 * place, (), b"") for place in range(1, count + 1)]


def test_items_come_in_order_and_those_that_run_again_come_first() -> None:
    told: list[int] = []
    supply = Supply(
        iter(items(5)), lambda item: item.number != 20, lambda item: told.append(item.number)
    )
    first = iter(supply)
    assert [next(first).number, next(first).number] == [10, 30]
    supply.again(10)
    assert [item.number for item in first] == [10, 40, 50]
    assert (told, supply.to_run, supply.seen, supply.all_seen) == ([10, 30, 40, 50], 4, 5, True)


def test_places_are_those_of_the_map_that_runs() -> None:
    supply = Supply(iter(items(3)), lambda item: True, lambda item: None)
    assert len(list(supply)) == 3
    supply.again(20)
    supply.ended(10)
    supply.ended(30)
    again = list(supply)
    assert [item.number for item in again] == [20]
    assert supply.at(0) == again[0]
    assert supply.ended(20).number == 20
    assert (supply.at(0), supply.waiting) == (None, 0)


def test_it_gives_what_is_there_and_waits_for_nothing() -> None:
    there: list[Item] = items(3)
    problem = ItemsProblem("line 4")

    def made() -> Iterator[Item]:
        while there:
            yield there.pop(0)
        raise problem

    supply = Supply(
        made(), lambda item: item.number != 20, lambda item: None, lambda: bool(there) or over
    )
    over = False
    assert (supply.here(1), supply.to_run) == (1, 1)
    assert (supply.here(5), supply.to_run, supply.seen) == (2, 2, 3)
    source = Source([supply])
    source.read_up_to(8)
    assert (source.read, source.size) == (2, None), "no more than is there"
    supply.again(10)
    assert supply.here(5) == 1
    source.read_up_to(8)
    assert source.read == 3
    over = True
    source.read_up_to(8)
    assert (source.read, source.size, source.error) == (3, 3, problem)


def test_a_thread_waits_for_items_that_are_made_meanwhile() -> None:
    go_on = threading.Semaphore(1)

    def made() -> Iterator[Item]:
        for item in items(3):
            assert go_on.acquire(timeout=10)
            yield item

    incoming = Incoming(made())
    assert next(incoming).number == 10
    assert not incoming.there
    go_on.release(2)
    assert [item.number for item in incoming] == [20, 30]
    assert incoming.there and not list(incoming), "it has ended, once and for all"


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_an_item_that_lasts_is_told_of_once_with_its_beginning() -> None:
    clock = Clock()
    begun = Begun(clock)
    begun.tasks_assigned(1, 7, 4, 1, 1)
    assert begun.lasting() == []
    clock.now += MOMENT
    assert begun.lasting() == [Runs(4, 7, 100.0)]
    assert begun.lasting() == []
    begun.tasks_ran(1, 7, 4, 1, ())
    clock.now += MOMENT
    assert begun.lasting() == []


def test_of_a_batch_the_first_one_that_has_not_ended_runs() -> None:
    clock = Clock()
    begun = Begun(clock)
    begun.tasks_assigned(1, 7, 0, 5, 1)
    begun.tasks_assigned(1, 7, 5, 2, 1)  # behind it
    clock.now += 0.5
    begun.tasks_ran(1, 7, 0, 2, ())
    begun.tasks_handed_back(1, 7, 3, 2)
    clock.now += MOMENT
    assert begun.lasting() == [Runs(2, 7, 100.5)]
    begun.tasks_ran(1, 7, 2, 1, ())
    clock.now += MOMENT
    assert begun.lasting() == [Runs(5, 7, 101.5)]
    begun.tasks_handed_back(1, 7, 5, 2)
    clock.now += MOMENT
    assert begun.lasting() == []


def test_what_a_lost_worker_had_does_not_run() -> None:
    clock = Clock()
    begun = Begun(clock)
    begun.tasks_assigned(1, 7, 0, 1, 1)
    begun.tasks_assigned(1, 8, 1, 1, 1)
    begun.tasks_lost(1, 7, 0, 1, 1, False)
    begun.worker_lost(7, "n1")
    clock.now += MOMENT
    assert begun.lasting() == [Runs(1, 8, 100.0)]
