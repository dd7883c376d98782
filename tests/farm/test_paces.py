"""What is remembered of the functions of maps, and of which: by the place of their code."""

from __future__ import annotations

import functools
import gc
import math
import operator
import weakref
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from scoopmpi.farm.paces import MOST, QUICK, Known, Paces
from scoopmpi.scheduling.ranges import Batch
from scoopmpi.scheduling.scheduler import Scheduler
from scoopmpi.tasks.limit import Limited
from scoopmpi.tasks.wrapped import Starred


class Program:
    """Maps of one farm: a scheduler with one worker, and what is remembered."""

    def __init__(self) -> None:
        self.scheduler = Scheduler()
        self.scheduler.joined(1)
        self.light = False  # what the outcomes of all maps are
        jobs: Any = SimpleNamespace(maps={})  # of all that are open
        self.open = jobs.maps
        self.paces = Paces(self.scheduler, jobs)
        self.maps = 0

    def begins(self, function: Callable[..., Any], tasks: int = 1) -> int:
        """Begin a map; return its number."""
        self.maps += 1
        self.open[self.maps] = SimpleNamespace(light=self.light)
        known = self.paces.known(function)
        self.paces.begun(self.maps, known)
        self.scheduler.submitted(self.maps, tasks, pace=known.pace)
        return self.maps

    def runs(self, number: int, seconds: float) -> None:
        """Have the first task of a map run for so long."""
        self.scheduler.finished(1, Batch.single(number, 0), seconds)

    def ends(self, number: int) -> None:
        """Close a map, as the farm does when it is over."""
        self.paces.closed(number)
        self.scheduler.cancelled(number)
        del self.open[number]

    def maps_once(self, function: Callable[..., Any], seconds: float) -> None:
        """Map a function over one task that takes so long."""
        number = self.begins(function)
        self.runs(number, seconds)
        self.ends(number)

    def known(self, function: Callable[..., Any]) -> Known:
        """Return what a map of the function begins with."""
        known = self.paces.known(function)
        assert known.pace is None or known.pace.remembered
        return known

    def remembered(self, function: Callable[..., Any]) -> float | None:
        """Return the seconds that a map of the function begins with, None where it has none."""
        pace = self.known(function).pace
        return None if pace is None else pace.seconds


@pytest.fixture
def program() -> Program:
    return Program()


def one(x: int) -> int:
    return x


def other(x: int) -> int:
    return -x


class Model:
    def __call__(self, x: int) -> int:
        return x

    def energy(self, x: int) -> int:
        return x

    def force(self, x: int) -> int:
        return x

    @staticmethod
    def volume(x: int) -> int:
        return x

    @classmethod
    def named(cls, x: int) -> int:
        return x


class OtherModel(Model):
    """Its code is that of the first, but it is not the same work."""


def made(constant: int) -> Callable[[int], int]:
    return lambda x: x + constant


# The same function.


SAME: dict[str, Callable[[], Callable[..., Any]]] = {
    "a function": lambda: one,
    "a lambda made anew": lambda: made(3),
    "a partial": lambda: partial(one, 1),
    "a partial of a partial": lambda: partial(partial(operator.add, 1), 2),
    "a method of another object": lambda: Model().energy,
    "a class method": lambda: Model.named,
    "a static method": lambda: Model.volume,
    "a callable object": lambda: Model(),
    "a class": lambda: Model,
    "a function in C": lambda: math.sqrt,
    "a method in C": lambda: [1].count,
    "an object in C": lambda: operator.itemgetter(0),
    "a limited function": lambda: Limited(one, 1.0),
    "a starred function": lambda: Starred(one),
    "a limited starred partial": lambda: Limited(Starred(partial(one, 1)), 1.0),
    "a cached function": lambda: functools.lru_cache(one),
}


@pytest.mark.parametrize("make", SAME.values(), ids=SAME.keys())
def test_a_function_is_known_again(program: Program, make: Callable[[], Any]) -> None:
    assert program.remembered(make()) is None
    program.maps_once(make(), 0.25)
    assert program.remembered(make()) == 0.25


AROUND: dict[str, Callable[..., Any]] = {
    "partial": partial(one, 1),
    "partial of a partial": partial(partial(one, 1), 2),
    "limited": Limited(one, 1.0),
    "starred": Starred(one),
    "limited and starred": Limited(Starred(one), 1.0),
    "cached": functools.lru_cache(one),
}


@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND.keys())
def test_what_is_around_a_function_is_looked_through(program: Program, around: Any) -> None:
    program.maps_once(one, 0.25)
    assert program.remembered(around) == 0.25
    assert program.remembered(other) is None


def timed(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a function as users do."""

    @functools.wraps(function)
    def wrapper(*args: Any) -> Any:
        return function(*args)

    return wrapper


# Different functions.


DIFFERENT: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "functions": (one, other),
    "lambdas": (lambda x: x, made(1)),
    "methods": (Model().energy, Model().force),
    "partials": (partial(one), partial(other)),
    "classes": (Model, OtherModel),
    "objects": (Model(), OtherModel()),
    "functions in C": (math.sqrt, math.sin),
    "methods in C": ([].count, [].index),
    "starred": (Starred(one), Starred(other)),
    "decorated by the same decorator": (timed(one), timed(other)),
    "cached": (functools.lru_cache(one), functools.lru_cache(other)),
}


@pytest.mark.parametrize(("first", "second"), DIFFERENT.values(), ids=DIFFERENT.keys())
def test_functions_in_turn_are_kept_apart(program: Program, first: Any, second: Any) -> None:
    for seconds in (0.25, 0.5):
        program.maps_once(first, seconds)
        program.maps_once(second, 100 * seconds)
        assert program.remembered(first) == seconds
        assert program.remembered(second) == 100 * seconds


def test_an_object_and_its_class_are_one_to_the_memory(program: Program) -> None:
    # Both are named by the class: their maps learn anew from the first batch.
    program.maps_once(Model(), 0.25)
    assert program.remembered(Model) == 0.25


# What is kept.


def test_the_latest_map_that_measured_anything_counts(program: Program) -> None:
    program.maps_once(one, 0.25)
    program.maps_once(one, 2.5)
    assert program.remembered(one) == 2.5
    program.ends(program.begins(one))  # given up before a task has ended
    assert program.remembered(one) == 2.5


def test_how_much_tasks_differ_is_remembered_too(program: Program) -> None:
    for _ in range(8):
        program.maps_once(one, 0.25)
    pace = program.known(one).pace
    assert pace is not None
    assert pace.seconds == 0.25
    assert pace.spread < 0.02


def test_whether_outcomes_are_light_is_what_the_latest_map_says(program: Program) -> None:
    assert program.known(one) == Known(program.known(one).code)
    program.light = True
    program.maps_once(one, QUICK)
    assert program.known(one).light
    program.light = False
    program.maps_once(one, QUICK)
    assert not program.known(one).light


def test_outcomes_of_tasks_that_take_their_time_may_become_large(program: Program) -> None:
    program.light = True
    program.maps_once(one, 2 * QUICK)
    assert not program.known(one).light


def test_an_open_map_teaches_the_next_one(program: Program) -> None:
    first = program.begins(one, tasks=5)  # its consumer has not taken all, and maps again
    program.runs(first, 0.25)
    assert program.remembered(one) == 0.25


def test_of_several_open_maps_the_youngest_counts(program: Program) -> None:
    first, second = program.begins(one), program.begins(one)
    program.runs(first, 0.5)
    program.runs(second, 0.25)
    program.ends(second)
    program.ends(first)  # over later, but begun before
    assert program.remembered(one) == 0.25


def test_the_memory_is_bounded(program: Program) -> None:
    functions: list[Callable[..., Any]] = []
    for place in range(MOST + 10):
        space: dict[str, Any] = {}
        exec(compile("\n" * place + "def made_as_it_goes(x): return x", "made", "exec"), space)
        functions.append(space["made_as_it_goes"])
        program.maps_once(functions[-1], 0.25)
    known = [program.remembered(function) is not None for function in functions]
    assert known == [False] * 10 + [True] * MOST
    assert len(program.paces._kept) == MOST
    assert not program.paces._latest
    assert not program.paces._code_of


def test_what_is_used_stays_in_the_memory(program: Program) -> None:
    program.maps_once(one, 0.25)
    for place in range(2 * MOST):
        space: dict[str, Any] = {}
        exec(compile("\n" * place + "def made_as_it_goes(x): return x", "made", "exec"), space)
        program.maps_once(space["made_as_it_goes"], 0.25)
        if place % 100 == 0:
            program.maps_once(one, 0.25)
    assert program.remembered(one) == 0.25


class Dear:
    def __call__(self, x: int) -> int:
        return x

    def method(self, x: int) -> int:
        return x


@pytest.mark.parametrize("kind", ["object", "method", "partial", "closure", "class"])
def test_nothing_of_the_users_is_kept_alive(program: Program, kind: str) -> None:
    class Local(Dear):
        pass

    def functions(dear: Any) -> dict[str, Any]:
        return {
            "object": dear,
            "method": dear.method,
            "partial": partial(dear, 1),
            "closure": lambda x: dear(x),
            "class": type(dear),
        }

    dear = Local()
    watched = weakref.ref(Local if kind == "class" else dear)
    program.maps_once(functions(dear)[kind], 0.25)
    still_open = program.begins(functions(dear)[kind])
    del dear, Local
    gc.collect()
    assert watched() is None
    program.ends(still_open)
