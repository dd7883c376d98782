"""What users' code may do to a farm: raise, exit, pickle badly; its task alone is hit."""

from __future__ import annotations

import functools
import threading
from typing import Any

import pytest
from greenlet import GreenletExit

from scoopmpi.wire import errors
from tests.support.memory_farm import current, farm, ran, square

__all__ = ["farm"]  # the fixture


def fails_at_three(x: int) -> int:
    if x == 3:
        raise KeyError("three")
    return x


def test_an_exception_is_raised_in_its_place_with_the_remote_traceback(farm: Any) -> None:
    values = farm.map(fails_at_three, range(10))
    assert [next(values) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(KeyError, match="three") as caught:
        next(values)
    assert "fails_at_three(3), task 3" in str(caught.value.__cause__)
    assert "on rank" in str(caught.value.__cause__)
    assert list(farm.map(square, [4])) == [16]


def stops(x: int) -> int:
    if x % 5 == 2:
        raise StopIteration(x)
    ran[x] += 1
    return x


def test_stop_iteration_of_a_task_does_not_end_the_map_silently(farm: Any) -> None:
    with pytest.raises(errors.TaskError, match="StopIteration") as caught:
        for value in farm.map(stops, range(20)):
            assert value < 2
        pytest.fail("the map ended as if there were two tasks")
    assert isinstance(caught.value.__cause__, errors.RemoteTraceback)
    with pytest.raises(StopIteration):
        farm.submit(stops, 7).result()


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, MemoryError, RecursionError])
def test_no_exception_ends_a_worker(farm: Any, kind: type[BaseException]) -> None:
    def leave() -> None:
        raise kind("from a task")

    with pytest.raises(kind):
        farm.submit(leave).result()
    assert farm.submit(abs, -42).result() == 42


class TwoArguments(Exception):
    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


class Unspeakable(Exception):
    def __reduce__(self) -> Any:
        raise TypeError("not me")

    def __str__(self) -> str:
        raise ValueError("nor a text")


class Holds(Exception):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.lock = threading.Lock()


def raises(kind: str) -> None:
    if kind == "two":
        raise TwoArguments(7, "seven")
    raise Unspeakable() if kind == "unspeakable" else Holds("a lock")


def test_exceptions_that_pickle_badly(farm: Any) -> None:
    with pytest.raises(TwoArguments, match="7: seven") as caught:
        farm.submit(raises, "two").result()
    assert caught.value.code == 7
    with pytest.raises(Unspeakable):
        farm.submit(raises, "unspeakable").result()
    with pytest.raises(errors.TaskError, match=r"Holds: a lock .*cannot be pickled"):
        farm.submit(raises, "lock").result()
    assert farm.submit(abs, -42).result() == 42


class Silent(Exception):
    def __getattr__(self, name: str) -> Any:
        raise KeyError(name)


class Leaves(Exception):
    def __reduce__(self) -> Any:
        raise SystemExit(4)


def raises_worse(kind: type[BaseException]) -> None:
    raise kind("hostile")


@pytest.mark.parametrize("kind", [Silent, Leaves, GreenletExit])
def test_no_exception_object_can_end_a_worker(farm: Any, kind: type[BaseException]) -> None:
    with pytest.raises((kind, errors.TaskError)):
        farm.submit(raises_worse, kind).result()
    with pytest.raises(Exception, match="cannot be pickled"):
        list(farm.map(str, [Leaves()]))
    assert farm.submit(abs, -42).result() == 42


def test_sys_exit_in_a_callback_loses_no_other_result(farm: Any) -> None:
    futures = [farm.submit(square, x) for x in range(50)]

    def leave(_: Any) -> None:
        raise SystemExit(3)

    futures[20].add_done_callback(leave)
    for _ in range(2):
        try:
            current.ranks.wait_until(lambda: all(future.done() for future in futures))
        except SystemExit:
            continue
    assert [future.result() for future in futures] == [x * x for x in range(50)]


class BadPickle:
    def __reduce__(self) -> Any:
        raise ValueError("I do not travel")


class BadUnpickle:
    def __reduce__(self) -> Any:
        return explode, ()


def explode() -> None:
    raise ValueError("boom at arrival")


def gives(kind: type) -> Any:
    return kind()


def test_hostile_pickles_in_each_direction_hit_their_task_alone(farm: Any) -> None:
    values = farm.map(type, [1, BadPickle(), 2])
    assert next(values) is int
    with pytest.raises(Exception, match="type, task 1, cannot be pickled"):
        next(values)
    values = farm.map(type, [1, BadUnpickle(), 2])
    assert next(values) is int
    with pytest.raises(errors.TaskError, match="boom at arrival"):
        next(values)
    for kind in (BadPickle, BadUnpickle):
        with pytest.raises(errors.TaskError, match="result of"):
            farm.submit(gives, kind).result()
        with pytest.raises(Exception, match=r"I do not travel|boom at arrival"):
            farm.submit(type, kind()).result()
        assert farm.submit(abs, -42).result() == 42


def test_a_function_that_cannot_travel_is_named(farm: Any) -> None:
    generator = (x for x in range(3))
    with pytest.raises(Exception, match=r"the function partial\(.*\) cannot be pickled"):
        list(farm.map(functools.partial(square, generator), [1]))


class Speechless(Exception):
    def __str__(self) -> str:
        raise KeyError("no text")


class Stubborn:
    def __reduce__(self) -> Any:
        raise Speechless


def test_a_pickling_error_without_a_text(farm: Any) -> None:
    for function, argument in ((type, Stubborn()), (gives, Stubborn)):
        with pytest.raises(Exception, match=r"Speechless: <its __str__ raises KeyError>"):
            list(farm.map(function, [argument]))
        assert farm.submit(abs, -42).result() == 42
