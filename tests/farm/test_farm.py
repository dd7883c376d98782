"""The farm and its workers over the in-memory link, in seeded interleavings; no MPI, no sleeps."""

from __future__ import annotations

import functools
import itertools
import threading
from typing import Any

import numpy
import pytest

from scoopmpi import futures
from scoopmpi.tasks import current_executor
from tests.support.memory_farm import counted, current, farm, interrupted, ran, square

__all__ = ["farm"]  # the fixture


def test_map_is_ordered(farm: Any) -> None:
    assert list(farm.map(square, range(500))) == [x * x for x in range(500)]


def test_columns_stop_with_the_shortest(farm: Any) -> None:
    assert list(farm.map(pow, [2, 3, 4], itertools.repeat(2))) == [4, 9, 16]
    assert list(farm.map(pow, (2, 3), [1, 2, 3])) == [2, 9]


def test_every_task_runs_exactly_once_however_it_is_cut(farm: Any) -> None:
    assert list(farm.map(interrupted, range(300))) == list(range(300))
    assert ran == dict.fromkeys(range(300), 1)


def test_unordered_values_are_all_there(farm: Any) -> None:
    assert sorted(farm.map(interrupted, range(200), ordered=False)) == list(range(200))
    assert max(ran.values()) == 1


def test_two_maps_at_once(farm: Any) -> None:
    first, second = farm.map(square, range(100)), farm.map(counted, range(100))
    pairs = zip(first, second, strict=True)
    assert [(a, b) for a, b in pairs] == [(x * x, x) for x in range(100)]


def test_an_endless_generator_is_read_as_needed(farm: Any) -> None:
    read = itertools.count()
    values = farm.map(square, read)
    assert list(itertools.islice(values, 50)) == [x * x for x in range(50)]
    del values
    assert next(read) < 300


def test_an_error_in_the_users_generator_comes_in_its_place(farm: Any) -> None:
    def numbers() -> Any:
        yield from range(7)
        raise LookupError("no more")

    values = farm.map(square, numbers())
    assert [next(values) for _ in range(7)] == [x * x for x in range(7)]
    with pytest.raises(LookupError, match="no more"):
        next(values)


class Box:
    def __init__(self, content: int) -> None:
        self.content = content

    def add(self, x: int) -> int:
        return self.content + x


def test_lambdas_closures_methods_and_partials(farm: Any) -> None:
    offset = 10
    assert list(farm.map(lambda x: x + offset, range(3))) == [10, 11, 12]
    assert list(farm.map(Box(5).add, range(3))) == [5, 6, 7]
    assert list(farm.map(functools.partial(pow, 2), range(3))) == [1, 2, 4]
    assert farm.submit(lambda: [Box(1)]).result()[0].content == 1


buffer = numpy.zeros(3)


def reuses_its_buffer(x: int) -> Any:
    buffer[:] = x
    return buffer


big_buffer = numpy.zeros(20_000)


def reuses_its_big_buffer(x: int) -> Any:
    big_buffer[:] = x
    return big_buffer


@pytest.mark.parametrize("function", [reuses_its_buffer, reuses_its_big_buffer])
def test_a_buffer_returned_again_and_again_arrives_as_it_was(farm: Any, function: Any) -> None:
    assert [value[0] for value in farm.map(function, range(40))] == list(range(40))
    assert [f.result()[0] for f in [farm.submit(function, x) for x in range(20)]] == [*range(20)]


def turns_into_a_shared_list(x: int) -> Any:
    if x < 200:
        return 0
    shared_list[0] = x
    return shared_list


shared_list = [0]


def wraps_a_shared_list(x: int) -> Any:
    shared_list[0] = x
    return None if x < 200 else [shared_list]


def mixes(x: int) -> Any:
    return x if x < 200 or x % 2 else (x, float(x))


def test_values_of_mixed_kinds(farm: Any) -> None:
    assert list(farm.map(mixes, range(600))) == [mixes(x) for x in range(600)]
    values = list(farm.map(wraps_a_shared_list, range(600)))
    assert values == [None] * 200 + [[[x]] for x in range(200, 600)]


class Backwards(list[int]):
    def __iter__(self) -> Any:
        return reversed(self)


def test_collections_are_read_as_they_iterate_and_as_they_are_now(farm: Any) -> None:
    assert list(farm.map(square, Backwards([1, 2, 3]))) == [9, 4, 1]
    table = {1: "a", 2: "b", 3: "c"}
    for key, value in zip(list(table), farm.map(square, table), strict=True):
        del table[key]
        assert value == key * key


def test_wait_with_a_cancelled_future_goes_on(farm: Any) -> None:
    current_executor.install(farm)
    try:
        many = [farm.submit(square, x) for x in range(100)]
        many[-1].cancel()
        done, not_done = futures.wait(many, return_when=futures.FIRST_EXCEPTION)
        assert len(done) == 100 and not not_done
        assert futures.wait(many, timeout=0).done == set(many)
        assert set(futures.as_completed(many)) == set(many)
    finally:
        current_executor.install(None)


def test_a_shared_result_after_many_plain_ones(farm: Any) -> None:
    values = list(farm.map(turns_into_a_shared_list, range(600)))
    assert values == [0] * 200 + [[x] for x in range(200, 600)]


users_lock = threading.Lock()


def wants_the_lock() -> None:
    assert users_lock.acquire(timeout=10), "the thread that runs this holds the lock"
    users_lock.release()


class Locked:
    def __getstate__(self) -> dict[str, int]:
        wants_the_lock()
        return {"x": 1}


def test_a_caller_may_hold_a_lock_that_callbacks_and_pickling_want(farm: Any) -> None:
    values = farm.map(type, [Locked() for _ in range(50)])
    futures = []
    for x in range(300):
        with users_lock:
            futures.append(farm.submit(square, x))
        futures[-1].add_done_callback(lambda _: wants_the_lock())
    assert sum(1 for _ in values) == 50
    assert [future.result() for future in futures] == [x * x for x in range(300)]


def appends(box: list[int]) -> int:
    box.append(1)
    return len(box)


def test_tasks_do_not_share_a_mutable_argument(farm: Any) -> None:
    assert list(farm.map(appends, [[]] * 20)) == [1] * 20


def test_arguments_of_submit_are_taken_as_they_are_now(farm: Any) -> None:
    array, box = numpy.zeros(30_000), [1]
    futures = [farm.submit(sum, box), farm.submit(numpy.sum, array)]
    array[:] = 1
    box.append(1)
    assert [future.result() for future in futures] == [1, 0]


def test_the_callers_list_may_change_while_the_map_runs(farm: Any) -> None:
    numbers = list(range(100))
    values = farm.map(square, numbers)
    numbers.clear()
    assert list(values) == [x * x for x in range(100)]


@pytest.mark.parametrize(
    "array",
    [
        numpy.arange(1000.0),
        numpy.arange(12.0).reshape(3, 4),
        numpy.asfortranarray(numpy.arange(12.0).reshape(3, 4)),
        numpy.arange(24.0)[::3],
        numpy.array([object(), 2], dtype=object)[1:],
        numpy.array([(1, 2.0)], dtype=[("a", int), ("b", float)]),
        numpy.arange(50_000).reshape(5, 10_000),
    ],
    ids=["1d", "2d", "fortran", "strided", "object", "structured", "large rows"],
)
def test_arrays_go_there_and_come_back(farm: Any, array: Any) -> None:
    there_and_back = list(farm.map(numpy.copy, array))
    assert len(there_and_back) == len(array)
    for mine, theirs in zip(array, there_and_back, strict=True):
        assert numpy.array_equal(mine, theirs)
    whole = farm.submit(numpy.copy, array).result()
    assert numpy.array_equal(array, whole) and whole.flags.writeable


def test_cancel_before_it_is_handed_out(farm: Any) -> None:
    futures = [farm.submit(counted, x) for x in range(100)]
    cancelled = {x for x in range(100) if futures[x].cancel()}
    assert cancelled
    for x, future in enumerate(futures):
        if x not in cancelled:
            assert future.result() == x
    current.ranks.settle()
    assert set(ran) == set(range(100)) - cancelled


def test_an_abandoned_map_is_forgotten(farm: Any) -> None:
    values = farm.map(counted, range(100_000))
    next(values)
    del values
    current.ranks.settle()
    assert len(ran) < 90_000
    assert len(current.ranks.farm._jobs) == 1, "only the stream of calls stays"
    assert len(current.ranks.farm._scheduler._jobs) == 1


def test_callbacks_may_submit(farm: Any) -> None:
    results = []

    def again(future: Any) -> None:
        results.append(future.result())
        if len(results) < 20:
            farm.submit(counted, len(results)).add_done_callback(again)

    farm.submit(counted, 0).add_done_callback(again)
    current.ranks.wait_until(lambda: len(results) == 20)
    assert results == list(range(20))


def test_empty_and_strange_iterables(farm: Any) -> None:
    assert list(farm.map(square, [])) == []
    assert list(farm.map(square, range(0))) == []
    assert list(farm.map(square, iter([]))) == []
    assert list(farm.map(str.upper, "abc")) == ["A", "B", "C"]
    assert sorted(farm.map(square, {1, 2})) == [1, 4]
    assert list(farm.map(square, {3: None})) == [9]
    with pytest.raises(TypeError, match="at least one iterable"):
        farm.map(square)
    with pytest.raises(TypeError, match="not callable"):
        farm.map(3, [1])
    with pytest.raises(TypeError):
        farm.map(square, 5)


def test_a_map_that_nobody_looks_at_runs(farm: Any) -> None:
    farm.map(counted, range(300))
    farm.map(counted, (x for x in range(1000, 1004)))
    current.ranks.settle()
    assert ran == dict.fromkeys([*range(300), *range(1000, 1004)], 1)
    assert len(current.ranks.farm._jobs) == 1


def test_a_map_that_nobody_looks_at_and_that_fails(farm: Any) -> None:
    farm.map(counts_and_fails, range(3))
    farm.map(counted, broken())
    current.ranks.settle()
    assert ran == dict.fromkeys(range(3), 1)
    assert len(current.ranks.farm._jobs) == 1


def counts_and_fails(x: int) -> None:
    ran[x] += 1
    raise LookupError(x)


def broken() -> Any:
    raise LookupError("nothing to iterate over")
    yield
