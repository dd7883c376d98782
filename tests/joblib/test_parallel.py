"""joblib's own Parallel over the in-memory farm, in seeded interleavings: all that needs no MPI."""

from __future__ import annotations

import gc
import itertools
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any

import joblib
import numpy as np
import pytest
from joblib import Parallel, delayed, parallel_config

from scoopmpi.constants import hostmemory
from scoopmpi.joblib import NAME, pace, register
from scoopmpi.joblib.backend import FarmBackend
from scoopmpi.process import identity
from scoopmpi.scheduling.batching import Policy
from scoopmpi.tasks import current_executor
from scoopmpi.wire.errors import RemoteTraceback, TaskError
from scoopmpi.wire.lent import LENT
from tests.support.link import Ranks

EAGER = Policy(target=0, shortest=0, message=0)  # every budget is over at once
ran: Counter[Any] = Counter()
where: dict[Any, int] = {}
ranks: Ranks


@pytest.fixture(params=range(4), autouse=True)
def farm(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ranks]:
    global ranks
    monkeypatch.setattr(identity.this, "started", True)
    ran.clear()
    where.clear()
    register()
    seed = request.param
    ranks = Ranks(workers=2 + seed % 3, seed=seed, policy=EAGER if seed % 2 else Policy())
    current_executor.install(ranks.executor)
    with parallel_config(backend=NAME):
        yield ranks
    ranks.settle()
    ranks.farm._scheduler.check()
    assert ranks.link.empty
    current_executor.install(None)


def here() -> int:
    """The worker that asks, 0 for rank 0."""
    nested = current_executor.current()
    return next((n for n, worker in enumerate(ranks.workers, 1) if worker.nested is nested), 0)


def square(x: int) -> int:
    ran[x] += 1
    where[x] = here()
    return x * x


def squares(count: int) -> list[int]:
    return [x * x for x in range(count)]


def test_values_come_in_order_and_each_call_runs_once_on_a_worker() -> None:
    values = Parallel()(delayed(square)(x) for x in range(100))
    assert values == squares(100)
    assert ran == dict.fromkeys(range(100), 1)
    assert set(where.values()) == set(range(1, len(ranks.workers) + 1))


@pytest.mark.parametrize("return_as", ["list", "generator", "generator_unordered"])
@pytest.mark.parametrize("pre_dispatch", ["all", "2 * n_jobs", 1])
@pytest.mark.parametrize("batch_size", ["auto", 1, 7])
def test_all_ways_to_ask(return_as: str, pre_dispatch: Any, batch_size: Any) -> None:
    ways = {"return_as": return_as, "pre_dispatch": pre_dispatch, "batch_size": batch_size}
    values = list(Parallel(**ways)(delayed(square)(x) for x in range(40)))
    assert sorted(values) == squares(40)
    assert return_as == "generator_unordered" or values == squares(40)


def test_one_parallel_is_called_again_and_again() -> None:
    with Parallel() as parallel:
        for count in (5, 0, 20):
            assert parallel(delayed(square)(x) for x in range(count)) == squares(count)
    parallel = Parallel()
    for count in (5, 0, 20):
        assert parallel(delayed(square)(x) for x in range(count)) == squares(count)


def row(table: Any, place: int) -> float:
    return float(table[place])


@pytest.mark.parametrize("return_as", ["list", "generator"])
def test_a_large_array_may_change_between_two_calls_of_a_parallel(return_as: str) -> None:
    table = np.zeros(LENT // 8)
    with Parallel(n_jobs=2, batch_size=1, return_as=return_as) as parallel:
        for value in range(4):
            table[:] = value
            assert list(parallel(delayed(row)(table, place) for place in range(9))) == [value] * 9


def test_a_large_array_is_compared_once_for_all_calls_of_a_parallel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared = []
    same = hostmemory.same
    monkeypatch.setattr(hostmemory, "same", lambda *asked: compared.append(asked) or same(*asked))
    table = np.arange(LENT // 8)
    for _ in range(3):
        parallel = Parallel(n_jobs=2, batch_size=1)
        assert parallel(delayed(row)(table, place) for place in range(30)) == [*range(30)]
    assert len(compared) <= 2


def test_two_generators_at_a_time_share_a_block() -> None:
    first = Parallel(return_as="generator")(delayed(square)(x) for x in range(30))
    second = Parallel(return_as="generator")(delayed(square)(x) for x in range(30, 60))
    both = list(zip(first, second, strict=True))
    assert both == [(x * x, (x + 30) ** 2) for x in range(30)]


def nested(count: int) -> list[int]:
    return list(Parallel(n_jobs=-1, batch_size=1)(delayed(square)(x) for x in range(count)))


def test_a_parallel_in_a_call_makes_tasks_of_the_task() -> None:
    assert Parallel(n_jobs=2)([delayed(nested)(200), delayed(abs)(-1)]) == [squares(200), 1]
    assert ran == dict.fromkeys(range(200), 1)


def tree(depth: int) -> int:
    if not depth:
        return 1
    return 1 + sum(Parallel()(delayed(tree)(depth - 1) for _ in range(2)))


def test_parallels_in_parallels_in_parallels() -> None:
    assert Parallel()(delayed(tree)(depth) for depth in (4, 2)) == [31, 7]


def level(depth: int) -> list[tuple[str, int]]:
    parallel = Parallel(n_jobs=2)
    mine = [(type(parallel._backend).__name__, parallel._backend.nesting_level)]
    return mine + (parallel([delayed(level)(depth - 1)] * 2)[0] if depth else [])


def test_each_level_takes_the_farm_and_knows_its_depth() -> None:
    assert level(3) == [("FarmBackend", depth) for depth in range(4)]


def failing(x: int) -> int:
    square(x)
    if x == 7:
        raise LookupError("seven")
    return x


@pytest.mark.parametrize("batch_size", [1, 5])
def test_an_error_keeps_its_type_and_says_where_and_for_what_it_was_raised(batch_size: int) -> None:
    with pytest.raises(LookupError, match="seven") as raised:
        Parallel(batch_size=batch_size)(delayed(failing)(x) for x in range(1000))
    assert isinstance(raised.value.__cause__, RemoteTraceback)
    assert "in failing" in str(raised.value.__cause__)
    assert any("failing(7)" in note for note in raised.value.__notes__)
    ranks.settle()
    assert max(ran) < 200, "what was queued has not begun"
    assert Parallel()(delayed(square)(x) for x in range(5)) == squares(5)


def unsendable(x: int) -> Any:
    return (x for _ in ())


def test_a_value_that_cannot_be_sent_is_named_by_its_call_alone() -> None:
    with pytest.raises(TaskError, match=r"unsendable cannot be pickled and sent"):
        Parallel()(delayed(unsendable)(x) for x in range(2))


def nested_failing(x: int) -> Any:
    try:
        return Parallel()(delayed(failing)(y) for y in range(x))
    except LookupError as error:
        return str(error)


def test_an_error_of_a_nested_call_is_for_the_call_that_made_it() -> None:
    values = Parallel(n_jobs=2)(delayed(nested_failing)(x) for x in (5, 30, 6))
    assert values == [list(range(5)), "seven", list(range(6))]


def test_an_error_of_the_generator_is_raised_and_the_farm_goes_on() -> None:
    def broken() -> Iterator[Any]:
        yield from (delayed(square)(x) for x in range(10))
        raise OSError("no more")

    with pytest.raises(OSError, match="no more"):
        Parallel()(broken())
    assert Parallel()(delayed(square)(x) for x in range(5)) == squares(5)


def test_a_generator_without_end_is_read_as_far_as_values_are_there() -> None:
    read = itertools.count()
    values = Parallel(return_as="generator")(delayed(square)(x) for x in read)
    assert [next(values) for _ in range(50)] == squares(50)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # joblib says that calls were given up
        del values
        gc.collect()
    assert Parallel()(delayed(square)(x) for x in range(5)) == squares(5)


def test_no_more_calls_are_sent_than_may_run_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: set[Any] = set()
    most = 0
    call = ranks.executor.call

    def noted(*args: Any) -> Any:
        nonlocal most
        future = call(*args)
        sent.add(future)
        future.add_done_callback(sent.discard)
        most = max(most, len(sent))
        return future

    monkeypatch.setattr(ranks.executor, "call", noted)
    workers = len(ranks.workers)
    assert Parallel(n_jobs=2, pre_dispatch="all")(delayed(square)(x) for x in range(50)) == squares(
        50
    )
    assert most == 2 or (most > 2 and workers == 2)


def long_then_short(x: int) -> int:
    ran[x] += 1
    where[x] = here()
    return x


def test_what_is_left_of_a_batch_that_lasts_runs_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pace, "LATE", 0)
    values = Parallel(batch_size=100)(delayed(long_then_short)(x) for x in range(300))
    assert values == list(range(300))
    assert ran == dict.fromkeys(range(300), 1)
    assert len(set(where.values())) > 1


def test_the_number_of_jobs_counts_workers() -> None:
    workers = len(ranks.workers)
    backend = FarmBackend()
    asked = {None: workers, -1: workers, -2: workers - 1, -99: 1, 1: 1, 2: 2, 99: workers}
    assert {n: backend.effective_n_jobs(n) for n in asked} == asked
    assert joblib.effective_n_jobs() == workers
    with pytest.raises(ValueError, match="n_jobs == 0"):
        Parallel(n_jobs=0)([delayed(square)(1)])


def test_other_parameters_of_the_backend_are_refused() -> None:
    with pytest.raises(TypeError, match="no parameter 'scatter'"):
        parallel_config(backend=NAME, scatter=[1])
