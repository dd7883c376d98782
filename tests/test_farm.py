"""The farm and its workers over the in-memory link, in seeded interleavings; no MPI, no sleeps."""

from __future__ import annotations

import functools
import itertools
import threading
from collections import Counter
from typing import Any

import numpy
import pytest

from scoopmpi import executor, failure, futures
from scoopmpi.batching import Policy
from tests.link import Ranks

SEEDS = range(12)
EAGER = Policy(target=0, shortest=0, message=0)  # every budget is over at once
ran: Counter[int] = Counter()
ranks: Ranks


@pytest.fixture(params=SEEDS)
def farm(request: pytest.FixtureRequest) -> Any:
    global ranks
    ran.clear()
    seed = request.param
    ranks = Ranks(workers=1 + seed % 3, seed=seed, policy=EAGER if seed % 2 else Policy())
    yield ranks.executor
    ranks.settle()
    ranks.farm._scheduler.check()
    assert ranks.link.empty


def square(x: int) -> int:
    return x * x


def counted(x: int) -> int:
    ran[x] += 1
    return x


def interrupted(x: int) -> int:
    """A task in the middle of which the stand-in has its turn, as a long task would."""
    ran[x] += 1
    if ranks.link.chance.random() < 0.2:
        for worker in ranks.workers:
            if worker._running is not None:
                worker._stand_in()
    return x


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


def fails_at_three(x: int) -> int:
    if x == 3:
        raise KeyError("three")
    return x


def test_an_exception_is_raised_in_its_place_with_the_remote_traceback(farm: Any) -> None:
    values = farm.map(fails_at_three, range(10))
    assert [next(values) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(KeyError, match="three") as caught:
        next(values)
    assert "fails_at_three, task 3" in str(caught.value.__cause__)
    assert "on rank" in str(caught.value.__cause__)
    assert list(farm.map(square, [4])) == [16]


def stops(x: int) -> int:
    if x % 5 == 2:
        raise StopIteration(x)
    ran[x] += 1
    return x


def test_stop_iteration_of_a_task_does_not_end_the_map_silently(farm: Any) -> None:
    with pytest.raises(failure.TaskError, match="StopIteration") as caught:
        for value in farm.map(stops, range(20)):
            assert value < 2
        pytest.fail("the map ended as if there were two tasks")
    assert isinstance(caught.value.__cause__, failure.RemoteTraceback)
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
    with pytest.raises(failure.TaskError, match=r"Holds: a lock .*cannot be pickled"):
        farm.submit(raises, "lock").result()
    assert farm.submit(abs, -42).result() == 42


class Silent(Exception):
    def __getattr__(self, name: str) -> Any:
        raise KeyError(name)


class Leaves(Exception):
    def __reduce__(self) -> Any:
        raise SystemExit(4)


def raises_worse(kind: type[Exception]) -> None:
    raise kind("hostile")


@pytest.mark.parametrize("kind", [Silent, Leaves])
def test_no_exception_object_can_end_a_worker(farm: Any, kind: type[Exception]) -> None:
    with pytest.raises((kind, failure.TaskError)):
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
            ranks.wait_until(lambda: all(future.done() for future in futures))
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
    with pytest.raises(failure.TaskError, match="boom at arrival"):
        next(values)
    for kind in (BadPickle, BadUnpickle):
        with pytest.raises(failure.TaskError, match="result of"):
            farm.submit(gives, kind).result()
        with pytest.raises(Exception, match=r"I do not travel|boom at arrival"):
            farm.submit(type, kind()).result()
        assert farm.submit(abs, -42).result() == 42


def test_a_function_that_cannot_travel_is_named(farm: Any) -> None:
    generator = (x for x in range(3))
    with pytest.raises(Exception, match=r"the function partial\(.*\) cannot be pickled"):
        list(farm.map(functools.partial(square, generator), [1]))


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
    executor.install(farm)
    try:
        many = [farm.submit(square, x) for x in range(100)]
        many[-1].cancel()
        done, not_done = futures.wait(many, return_when=futures.FIRST_EXCEPTION)
        assert len(done) == 100 and not not_done
        assert futures.wait(many, timeout=0).done == set(many)
        assert set(futures.as_completed(many)) == set(many)
    finally:
        executor.install(None)


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
    ranks.settle()
    assert set(ran) == set(range(100)) - cancelled


def test_an_abandoned_map_is_forgotten(farm: Any) -> None:
    values = farm.map(counted, range(100_000))
    next(values)
    del values
    ranks.settle()
    assert len(ran) < 90_000
    assert len(ranks.farm._jobs) == 1, "only the stream of calls stays"
    assert len(ranks.farm._scheduler._jobs) == 1


def test_callbacks_may_submit(farm: Any) -> None:
    results = []

    def again(future: Any) -> None:
        results.append(future.result())
        if len(results) < 20:
            farm.submit(counted, len(results)).add_done_callback(again)

    farm.submit(counted, 0).add_done_callback(again)
    ranks.wait_until(lambda: len(results) == 20)
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
    ranks.settle()
    assert ran == dict.fromkeys([*range(300), *range(1000, 1004)], 1)
    assert len(ranks.farm._jobs) == 1


def test_a_map_that_nobody_looks_at_and_that_fails(farm: Any) -> None:
    farm.map(counts_and_fails, range(3))
    farm.map(counted, broken())
    ranks.settle()
    assert ran == dict.fromkeys(range(3), 1)
    assert len(ranks.farm._jobs) == 1


def counts_and_fails(x: int) -> None:
    ran[x] += 1
    raise LookupError(x)


def broken() -> Any:
    raise LookupError("nothing to iterate over")
    yield
