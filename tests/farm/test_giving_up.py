"""Groups that are given up, over the in-memory link: they end for their callers, others go on."""

from __future__ import annotations

from concurrent.futures import CancelledError
from typing import Any

from scoopmpi.tasks import current_executor
from scoopmpi.tasks.groups import Groups, groups
from scoopmpi.tasks.pedigree import program
from tests.support.memory_farm import counted, current, farm, ran, square

__all__ = ["farm"]


def outcome(future: Any) -> Any:
    try:
        return future.result()
    except CancelledError:
        return "given up"


def test_calls_of_a_group_end_and_all_others_run(farm: Any) -> None:
    number = groups.new()
    kept = [farm.submit(square, x) for x in range(20)]
    with groups.inside(number):
        given = [farm.submit(counted, x) for x in range(30)]
        with groups.inside(groups.new()):
            given += [farm.submit(counted, x) for x in range(30, 40)]
    later = [farm.submit(square, x) for x in range(20)]
    current.ranks.settle() if current.ranks.link.chance.random() < 0.2 else None
    farm.give_up(number)
    found = [outcome(future) for future in given]
    assert all(each in ("given up", x) for x, each in enumerate(found))
    assert [future.result() for future in (*kept, *later)] == [x * x for x in range(20)] * 2
    assert all(future.done() for future in given)
    assert max(ran.values(), default=1) == 1


def test_maps_of_a_group_end_and_the_workers_are_free(farm: Any) -> None:
    number = groups.new()
    with groups.inside(number):
        given = farm.map(counted, range(10_000))
    other = farm.map(square, range(100))
    first = next(given)
    farm.give_up(number)
    assert list(other) == [x * x for x in range(100)]
    values, error = [first], None
    try:
        values.extend(given)
    except CancelledError as problem:
        error = problem
    assert error is not None and values == list(range(len(values)))
    current.ranks.settle()  # a batch that was on its way may have run
    ended = sum(ran.values())
    assert list(farm.map(square, range(50))) == [x * x for x in range(50)]
    assert sum(ran.values()) == ended < 10_000


def nested(x: int) -> int:
    return sum(current_executor.current().map(counted, range(20)))


def test_what_tasks_make_belongs_to_the_group_too(farm: Any) -> None:
    number = groups.new()
    with groups.inside(number):
        given = [farm.submit(nested, x) for x in range(10)]
    assert farm.submit(square, 3).result() == 9
    farm.give_up(number)
    assert {outcome(future) for future in given} <= {"given up", sum(range(20))}
    assert farm.submit(nested, 1).result() == sum(range(20))


def test_to_give_up_what_is_not_there_does_nothing(farm: Any) -> None:
    farm.give_up(groups.new())
    assert list(farm.map(square, range(10))) == [x * x for x in range(10)]
    number = groups.new()
    with groups.inside(number):
        done = farm.submit(square, 4)
    assert done.result() == 16
    farm.give_up(number)
    assert list(farm.map(square, range(10))) == [x * x for x in range(10)] and done.result() == 16


def test_groups_know_those_around_them() -> None:
    made = Groups()
    assert made.now() is None and list(made.within(None)) == []
    outer = made.new()
    with made.inside(outer):
        inner = made.new()
        with made.inside(inner):
            assert made.now() == inner
            innermost = made.new()
        assert made.now() == outer
    other = made.new()
    assert list(made.within(innermost)) == [innermost, inner, outer]
    assert made.all_in(outer) == {outer, inner, innermost} and made.all_in(other) == {other}
    made.over(innermost)
    assert list(made.within(innermost)) == [innermost]
    assert made.outer() is None


def test_a_job_of_the_program_says_its_group_in_its_origin() -> None:
    with groups.inside(7):
        assert program.new_map()[4] == 7 and program.new_call(square)[4] == 7
    assert program.new_map()[4] is None
