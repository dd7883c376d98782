"""Nested jobs over the in-memory link, in seeded interleavings: nothing lost, nothing left over."""

from __future__ import annotations

import concurrent.futures
import contextvars
import itertools
from collections import Counter
from concurrent.futures import TimeoutError as WaitedTooLong
from typing import Any

import pytest

from scoopmpi import futures
from scoopmpi.process import identity
from scoopmpi.scheduling.batching import Policy
from scoopmpi.tasks import current_executor
from scoopmpi.tasks.future import Future
from scoopmpi.tasks.pedigree import UNPLACED
from scoopmpi.wire import errors
from scoopmpi.worker.nested.calls import NestedCalls, packed
from tests.support.link import Ranks

EAGER = Policy(target=0, shortest=0, message=0)  # every budget is over at once
ran: Counter[Any] = Counter()
ranks: Ranks


@pytest.fixture(params=range(16))
def farm(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    global ranks
    monkeypatch.setattr(identity.this, "started", True)
    ran.clear()
    seed = request.param
    ranks = Ranks(workers=1 + seed % 4, seed=seed, policy=EAGER if seed % 2 else Policy())
    yield ranks.executor
    ranks.settle()
    ranks.farm._scheduler.check()
    assert ranks.link.empty
    assert len(ranks.farm._jobs) == 1 and not len(ranks.farm._offers)
    for worker in ranks.workers:
        assert not worker.hub.tasks.fibers.suspended and not worker.batches.suspended
        assert not worker.hub.sharing and worker.hub.work() is None
    current_executor.install(None)


def meddle() -> None:
    """What the progress thread may do at any point of a long task."""
    for worker in ranks.workers:
        if worker.batches.current is not None and ranks.link.chance.random() < 0.3:
            worker.overdue.turn()


def square(x: int) -> int:
    ran[x] += 1
    meddle()
    return x * x


def tree(depth: int) -> int:
    meddle()
    if depth == 0:
        return 1
    return 1 + sum(futures.map(tree, [depth - 1] * 2))


def tree_of_calls(depth: int) -> int:
    meddle()
    if depth == 0:
        return 1
    left, right = (futures.submit(tree_of_calls, depth - 1) for _ in range(2))
    meddle()
    return 1 + right.result() + left.result()


def wide(count: int) -> list[int]:
    return list(futures.map(square, range(count)))


def test_trees_of_maps(farm: Any) -> None:
    assert list(farm.map(tree, [6, 5, 4])) == [2**7 - 1, 2**6 - 1, 2**5 - 1]


def test_trees_of_calls(farm: Any) -> None:
    assert [farm.submit(tree_of_calls, depth).result() for depth in (5, 0, 6)] == [63, 1, 127]


def test_a_wide_job_inside_a_task(farm: Any) -> None:
    assert farm.submit(wide, 300).result() == [x * x for x in range(300)]
    assert ran == dict.fromkeys(range(300), 1)


def where(x: int) -> int:
    nested = current_executor.current()
    return [worker.nested for worker in ranks.workers].index(nested)  # type: ignore[arg-type]


def places(x: int) -> set[int]:
    return set(futures.map(where, range(x)))


def test_the_work_spreads_over_all_workers(farm: Any) -> None:
    assert farm.submit(places, 200).result() == set(range(len(ranks.workers)))


def places_of_calls(x: int) -> set[int]:
    calls = [futures.submit(where, y) for y in range(x)]
    return {call.result() for call in calls}


def test_calls_spread_before_the_first_is_run_in_place(farm: Any) -> None:
    assert (len(farm.submit(places_of_calls, 20).result()) > 1) == (len(ranks.workers) > 1)


def test_who_has_offered_is_asked_again_while_others_are_idle(farm: Any) -> None:
    for _ in range(3):
        assert farm.submit(places, 200).result() == set(range(len(ranks.workers)))
        ranks.settle()


def test_calls_of_which_others_have_some_take_no_more() -> None:
    """The indices of what is offered and of what is kept would overlap."""
    calls = NestedCalls(1, scope=7)
    made = [packed(Future(), abs, (-x,), {}, UNPLACED) for x in range(4)]
    assert all(calls.add(call, 7) for call in made[:3])
    assert not calls.add(made[3], 8), "another task's"
    assert calls.take(0).rows == [], "nothing was to spare"
    assert calls.add(made[3], 7)
    assert calls.take(1) == (3, [made[3]])
    assert calls.take(1) == (2, [made[2]])
    assert not calls.add(made[3], 7)


def chain(depth: int) -> int:
    return 0 if depth == 0 else 1 + next(futures.map(chain, [depth - 1]))


def chain_of_calls(depth: int) -> int:
    return 0 if depth == 0 else 1 + futures.submit(chain_of_calls, depth - 1).result()


@pytest.mark.parametrize("function", [chain, chain_of_calls])
def test_deeper_than_the_interpreter_allows(farm: Any, function: Any) -> None:
    assert farm.submit(function, 700).result() == 700


def fails(x: int) -> int:
    if x % 3 == 2:
        raise LookupError(x)
    return x


def catches(x: int) -> tuple[int, str]:
    values = futures.map(fails, range(x))
    total = 0
    try:
        for value in values:
            total += value
    except LookupError as error:
        return total, type(error.__cause__).__name__
    return total, ""


def passes_on(x: int) -> list[int]:
    return list(futures.map(fails, [x]))


def test_exceptions_are_caught_at_any_level(farm: Any) -> None:
    assert list(farm.map(catches, [2, 5, 3])) == [
        (1, ""), (1, "RemoteTraceback"), (1, "RemoteTraceback"),
    ]  # fmt: skip
    with pytest.raises(LookupError) as caught:
        farm.submit(passes_on, 2).result()
    assert "in fails" in str(caught.value.__cause__)


def leaves(x: int) -> int:
    """Leaves a map half consumed, one that nobody looks at, and calls that nobody waits for."""
    values = futures.map(square, range(50))
    futures.map(square, range(100 * x + 100, 100 * x + 130))
    for y in range(3):
        futures.submit(square, 1000 + 10 * x + y)
    found = next(values) + next(values)
    del values
    return found


def test_dropped_maps_leave_nothing_and_what_nobody_looks_at_runs(farm: Any) -> None:
    assert list(farm.map(leaves, range(6))) == [1] * 6
    ranks.settle()
    assert [ran[x] for x in range(100, 700)] == ([1] * 30 + [0] * 70) * 6
    for x, y in itertools.product(range(6), range(3)):
        assert ran[1000 + 10 * x + y] == 1


def changes(values: list[int]) -> list[int]:
    values.append(len(values))
    return values


SHARED = [0]


def returns_shared(x: int) -> list[int]:
    SHARED[0] = x
    return SHARED


def isolated(x: int) -> Any:
    mine = [1, 2]
    grown = list(futures.map(changes, [mine, mine, mine]))
    also = futures.submit(changes, mine).result()
    shared = list(futures.map(returns_shared, [1, 2, 3]))
    return mine, grown, also, shared


def test_it_cannot_matter_where_a_task_runs(farm: Any) -> None:
    """Arguments and values are copies, as they are between ranks."""
    expected = ([1, 2], [[1, 2, 2]] * 3, [1, 2, 2], [[1], [2], [3]])
    assert list(farm.map(isolated, range(4))) == [expected] * 4


class Counts:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, x: int) -> int:
        self.calls += 1
        return x

    def method(self, x: int) -> int:
        self.calls += 1
        return x


def uses_objects(x: int) -> tuple[list[int], list[int], int, list[int]]:
    counts = Counts()
    found = list(futures.map(counts, range(x))), list(futures.map(counts.method, range(x)))
    return *found, counts.calls, list(futures.map(lambda y: y + x, range(3)))


def test_the_callers_object_does_not_change(farm: Any) -> None:
    assert farm.submit(uses_objects, 3).result() == ([0, 1, 2], [0, 1, 2], 0, [3, 4, 5])


def unordered(x: int) -> list[int]:
    return sorted(futures.map_as_completed(square, range(x)))


def waits(x: int) -> tuple[int, int, list[int]]:
    calls = [futures.submit(square, y) for y in range(x)]
    done, _ = futures.wait(calls, return_when=futures.FIRST_COMPLETED)
    some = len(done)
    everything = futures.wait(calls)
    values = sorted(call.result() for call in futures.as_completed(calls))
    return min(some, 1), len(everything.done), values


def test_waiting_in_all_ways(farm: Any) -> None:
    squares = [y * y for y in range(20)]
    assert farm.submit(unordered, 20).result() == squares
    assert list(farm.map(waits, [20, 20])) == [(1, 20, squares)] * 2


def waits_as_the_library_does(x: int) -> tuple[int, list[int], int]:
    calls = [futures.submit(square, y) for y in range(x)]
    first = concurrent.futures.wait(calls, return_when=concurrent.futures.FIRST_COMPLETED)
    values = sorted(call.result() for call in concurrent.futures.as_completed(calls))
    return min(len(first.done), 1), values, len(concurrent.futures.wait(calls).done)


def test_waiting_with_the_standard_library_does_not_block_the_rank(farm: Any) -> None:
    squares = [y * y for y in range(20)]
    assert list(farm.map(waits_as_the_library_does, [20] * 3)) == [(1, squares, 20)] * 3


def cancels(x: int) -> tuple[bool, bool, int]:
    calls = [futures.submit(square, y) for y in range(x)]
    last = calls[-1].cancel()
    total = sum(call.result() for call in calls if not call.cancelled())
    return last == calls[-1].cancelled(), calls[0].cancel(), total + (x - 1) ** 2 * last


def test_cancelled_calls(farm: Any) -> None:
    total = sum(y * y for y in range(30))
    assert list(farm.map(cancels, [30, 30])) == [(True, False, total)] * 2
    assert max(ran.values()) <= 2


def endless(x: int) -> int:
    values = futures.map(square, itertools.count())
    return sum(itertools.islice(values, x))


def broken_generator(x: int) -> tuple[list[int], str]:
    def numbers() -> Any:
        yield from range(x)
        raise OSError("out of numbers")

    found = []
    try:
        for value in futures.map(square, numbers()):
            found.append(value)  # noqa: PERF402 (what came before the error counts)
    except OSError as error:
        return found, str(error)
    return found, ""


def test_generators(farm: Any) -> None:
    assert farm.submit(endless, 200).result() == sum(x * x for x in range(200))
    squares = [x * x for x in range(70)]
    assert farm.submit(broken_generator, 70).result() == (squares, "out of numbers")


class Unsendable:
    def __reduce__(self) -> Any:
        raise TypeError("not this one")


def unsendable_value(x: int) -> Any:
    return Unsendable() if x == 1 else x


def type_name(x: Any) -> Any:
    return type(x).__name__


def hostile(x: int) -> list[str]:
    lock_holder = Unsendable()
    attempts: list[Any] = [
        lambda: list(futures.map(unsendable_value, range(3))),
        lambda: list(futures.map(type_name, [1, Unsendable()])),
        lambda: futures.submit(type_name, Unsendable()).result(),
        lambda: list(futures.map(lambda y: (y, lock_holder), range(3))),
        lambda: futures.map(None, [1]),
        lambda: futures.map(square),
        lambda: list(futures.map(leaves_loudly, [1])),
    ]
    found = []
    for attempt in attempts:
        try:
            attempt()
            found.append("nothing")
        except BaseException as error:
            found.append(type(error).__name__)
    return found


def leaves_loudly(x: int) -> None:
    raise SystemExit(x)


def test_hostile_data_lands_at_the_caller(farm: Any) -> None:
    expected = [
        "TaskError", "PicklingError", "PicklingError", "PicklingError", "TypeError", "TypeError",
        "SystemExit",
    ]  # fmt: skip
    assert farm.submit(hostile, 0).result() == expected
    assert farm.submit(wide, 3).result() == [0, 1, 4]


def in_vain(x: int) -> str:
    try:
        next(futures.map(square, itertools.count(), timeout=-1))
    except WaitedTooLong:
        return "too long"
    return "in time"


def test_a_timeout_that_is_over(farm: Any) -> None:
    assert farm.submit(in_vain, 0).result() == "too long"


setting: contextvars.ContextVar[int] = contextvars.ContextVar("setting", default=0)


def reads_setting(x: int) -> int:
    return setting.get()


def test_settings_of_the_program_reach_tasks(farm: Any) -> None:
    """decimal's precision and numpy's error handling are such settings."""
    token = setting.set(50)
    try:
        assert list(farm.map(reads_setting, range(3))) == [50] * 3
    finally:
        setting.reset(token)


def test_errors_are_named(farm: Any) -> None:
    with pytest.raises(errors.TaskError, match="a task raised StopIteration"):
        farm.submit(stops, 0).result()


def stops(x: int) -> list[int]:
    return list(futures.map(raises_stop, [1, 2]))


def raises_stop(x: int) -> int:
    raise StopIteration
