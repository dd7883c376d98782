"""The ways of a large object to a task, and back: each gives what has come of so many tasks."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any

from tests.support.kinds import KINDS, equal, expected

TASKS = 5


def back(name: str, value: Any) -> Any:
    """The object, where it came to the task as it was."""
    assert equal(value, expected(name)), f"{name} is another one in the task"
    return value


def back_from(pair: Any) -> Any:
    """The same, where it came in something else."""
    name, value = pair.values() if isinstance(pair, dict) else pair
    return back(name, value)


def plus_number(name: str, value: Any, number: int) -> Any:
    return number, back(name, value)


def made(name: str) -> Any:
    """An object that the task has made itself."""
    return KINDS[name].make()


def fresh(name: str) -> Iterator[Any]:
    return (KINDS[name].make() for _ in range(TASKS))


def by_map(farm: Any, name: str) -> Any:
    yield from farm.map(back, [name] * TASKS, list(fresh(name)))


def by_generator(farm: Any, name: str) -> Any:
    yield from farm.map(back, itertools.repeat(name), fresh(name))


def the_same_with_every_task(farm: Any, name: str) -> Any:
    value, names = itertools.repeat(KINDS[name].make()), itertools.repeat(name)
    numbered = list(farm.map(plus_number, names, value, range(TASKS)))
    assert [number for number, _ in numbered] == list(range(TASKS))
    yield from (value for _, value in numbered)


def the_same_in_tuples_lists_dicts(farm: Any, name: str) -> Any:
    value = KINDS[name].make()
    for row in ((name, value), [name, value], {"name": name, "value": value}):
        yield from farm.map(back_from, [row] * TASKS)
        yield from farm.map(back_from, [row.copy() if type(row) is not tuple else row] * 2)


def keyword_of_submits_in_a_row(farm: Any, name: str) -> Any:
    value = KINDS[name].make()
    calls = [farm.submit(back, name, value=value) for _ in range(TASKS)]
    yield from (call.result() for call in calls)


def by_partial(farm: Any, name: str) -> Any:
    value = KINDS[name].make()
    yield from farm.map(functools.partial(back, value=value), [name] * TASKS)
    yield farm.submit(functools.partial(back, name, value)).result()


def by_closure(farm: Any, name: str) -> Any:
    value = KINDS[name].make()
    yield from farm.map(lambda _: back(name, value), range(TASKS))


def as_result_alone(farm: Any, name: str) -> Any:
    yield from farm.map(made, [name] * TASKS)
    yield from (each.result() for each in [farm.submit(made, name) for _ in range(TASKS)])


def in_the_order_of_ends(farm: Any, name: str) -> Any:
    yield from farm.map(back, [name] * TASKS, fresh(name), ordered=False)


WAYS: dict[str, Callable[[Any, str], Iterator[Any]]] = {
    way.__name__.replace("_", " "): way
    for way in (
        by_map, by_generator, the_same_with_every_task, the_same_in_tuples_lists_dicts,
        keyword_of_submits_in_a_row, by_partial, by_closure, as_result_alone, in_the_order_of_ends,
    )
}  # fmt: skip
