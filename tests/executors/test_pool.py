"""`Pool` does what `multiprocessing.Pool` does, by the same tests; and what goes beyond it."""

from __future__ import annotations

import multiprocessing
import pickle
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError
from multiprocessing.pool import ThreadPool
from typing import Any

import pytest

from scoopmpi.executors.pool import Pool
from scoopmpi.process import identity
from scoopmpi.program import running
from scoopmpi.tasks import current_executor
from tests.executors.conformance.ending import logged
from tests.executors.conformance.face import (
    SECONDS,
    Gate,
    fails_at_three,
    gate,
    passes,
    square,
    until,
)
from tests.support.thread_farm import thread_farm

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(scope="module")
def three_threads() -> Iterator[Any]:
    with thread_farm(3) as made:
        yield made


@pytest.fixture
def farm(three_threads: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(identity.this, "started", True)
    current_executor.install(three_threads)
    yield
    current_executor.install(None)


@pytest.fixture(params=["multiprocessing", "farm"])
def parallel(request: pytest.FixtureRequest) -> Callable[..., Any]:
    if request.param == "multiprocessing":
        return lambda *args: ThreadPool(3, *args)
    request.getfixturevalue("farm")
    return lambda *args: Pool(3, *args)


@pytest.fixture(params=["multiprocessing", "farm", "serial"])
def make(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    if request.param == "serial":
        monkeypatch.setattr(identity.this, "started", True)
        return lambda *args: Pool(1, *args)
    if request.param == "multiprocessing":
        return lambda *args: ThreadPool(3, *args)
    request.getfixturevalue("farm")
    return lambda *args: Pool(3, *args)


def total(*values: int) -> int:
    return sum(values)


def keyed(x: int, *, times: int = 1) -> int:
    return x * times


def occupied(pool: Any, closed: Gate) -> list[Any]:
    """Calls before the gate, more than workers take in advance."""
    return [pool.apply_async(passes, (closed.path, x)) for x in range(30)]


def test_values_at_once(make: Any) -> None:
    with make() as pool:
        assert pool.apply(keyed, (3,), {"times": 4}) == 12
        assert pool.map(square, range(100)) == [x * x for x in range(100)]
        assert pool.map(square, (x for x in range(5)), 2) == [0, 1, 4, 9, 16]
        assert pool.map(square, []) == pool.starmap(total, []) == []
        assert pool.starmap(total, [(1, 2), (), [3], (4, 5, 6)]) == [3, 0, 3, 15]


def test_the_first_failure_comes_out(make: Any) -> None:
    with make() as pool:
        for call in (pool.map, lambda f, xs: pool.map_async(f, xs).get(SECONDS)):
            with pytest.raises(LookupError, match="no 3"):
                call(fails_at_three, range(6))
        with pytest.raises(LookupError, match="no 3"):
            pool.apply(fails_at_three, (3,))


def test_iterators(make: Any) -> None:
    with make() as pool:
        assert list(pool.imap(square, range(30), 4)) == [x * x for x in range(30)]
        assert sorted(pool.imap_unordered(square, range(30))) == [x * x for x in range(30)]
        assert list(pool.imap(square, [])) == list(pool.imap_unordered(square, [])) == []
        assert next(pool.imap(square, [7])) == 49


@pytest.mark.parametrize("way", ["imap", "imap_unordered"])
def test_an_iterator_goes_on_behind_failures(make: Any, way: str) -> None:
    with make() as pool:
        values = getattr(pool, way)(fails_at_three, [0, 3, 1, 3, 3, 2])
        found: list[Any] = []
        for _ in range(6):
            try:
                found.append(values.next(SECONDS))
            except LookupError:
                found.append(None)
        assert found == [0, None, 1, None, None, 2] or (way != "imap" and found.count(None) == 3)
        for _ in range(2):
            with pytest.raises(StopIteration):
                next(values)


def test_an_iterator_can_be_asked_again_after_a_timeout(parallel: Any) -> None:
    with parallel() as pool, gate() as closed:
        values = pool.imap(passes, [closed.path])
        for _ in range(3):
            with pytest.raises(multiprocessing.TimeoutError):
                values.next(timeout=0.01)
        closed.open()
        assert values.next(SECONDS) is None


def test_results_for_later(make: Any) -> None:
    with make() as pool:
        results = [
            pool.apply_async(keyed, (2,), {"times": 5}),
            pool.map_async(square, range(4)),
            pool.starmap_async(total, [(1, 2), (3,)]),
        ]
        assert [result.get(SECONDS) for result in results] == [10, [0, 1, 4, 9], [3, 3]]
        assert all(result.ready() and result.successful() for result in results)
        failed = pool.map_async(fails_at_three, range(6))
        failed.wait(SECONDS)
        assert failed.ready() and not failed.successful()


def test_callbacks_run_without_anybody_waiting(make: Any) -> None:
    good, bad = [], []
    with make() as pool:
        pool.apply_async(square, (3,), {}, good.append, bad.append)
        until(lambda: len(good) == 1)
        pool.map_async(square, range(3), callback=good.append, error_callback=bad.append)
        until(lambda: len(good) == 2)
        pool.starmap_async(total, [(1, 2)], callback=good.append)
        until(lambda: len(good) == 3)
        pool.apply_async(fails_at_three, (3,), callback=good.append, error_callback=bad.append)
        until(lambda: len(bad) == 1)
        pool.map_async(fails_at_three, [3], callback=good.append, error_callback=bad.append)
        until(lambda: len(bad) == 2)
    assert good == [9, [0, 1, 4], [3]]
    assert [str(error) for error in bad] == ["no 3", "no 3"]


def test_a_result_that_is_not_there(parallel: Any) -> None:
    with parallel() as pool, gate() as closed:
        for result in (
            pool.apply_async(passes, (closed.path,)),
            pool.map_async(passes, [closed.path] * 2),
        ):
            assert not result.ready()
            with pytest.raises(ValueError):
                result.successful()
            with pytest.raises(multiprocessing.TimeoutError):
                result.get(0.01)
            result.wait(0.01)
            assert not result.ready()
        closed.open()
        assert result.get(SECONDS) == [None, None]


def test_close_and_join_wait_for_what_was_handed_in(make: Any) -> None:
    done: list[Any] = []
    pool = make()
    with pytest.raises(ValueError):
        pool.join()
    for _ in range(10):
        pool.apply_async(square, (3,), callback=done.append)
    pool.map_async(square, range(50), callback=done.append)
    later = pool.map_async(square, range(3000))
    pool.close()
    for call in (pool.map, pool.imap, pool.imap_unordered, pool.map_async, pool.starmap):
        with pytest.raises(ValueError):
            call(square, [1])
    for call in (pool.apply, pool.apply_async):
        with pytest.raises(ValueError):
            call(square, (1,))
    pool.join()
    assert len(done) == 11 and later.ready() and len(later.get()) == 3000
    with pytest.raises(ValueError), pool:
        pass


def test_values_can_be_taken_after_close(make: Any) -> None:
    pool = make()
    values = pool.imap(square, range(500))
    pool.close()
    pool.join()
    assert list(values) == [x * x for x in range(500)]


ready: list[Any] = []


def note(value: Any) -> None:
    ready.append(value)


def test_initializer(make: Any) -> None:
    ready.clear()
    with make(note, ("yes",)) as pool:
        assert pool.map(square, range(3)) == [0, 1, 4]
        assert ready and set(ready) == {"yes"}


# Beyond multiprocessing.


def test_terminate_cancels_what_has_not_begun(farm: None) -> None:
    with gate() as closed:
        with Pool() as pool:
            calls = occupied(pool, closed)
            values = pool.imap(passes, [closed.path] * 30)
            later = pool.map_async(passes, [closed.path] * 30)
        with pytest.raises(CancelledError):
            calls[-1].get(SECONDS)
        with pytest.raises(CancelledError):
            later.get(SECONDS)
        closed.open()
        with pytest.raises(CancelledError):
            list(values)
        assert calls[0].get(SECONDS) == 0
        pool.join()
        assert all(call.ready() for call in calls)


def test_map_reports_values_as_they_come(farm: None) -> None:
    seen: list[int] = []
    with Pool() as pool:
        assert pool.map(square, range(50), callback=seen.append) == seen
    assert seen == [x * x for x in range(50)]


def test_a_callback_may_be_the_third_argument(farm: None) -> None:
    seen: list[int] = []
    with Pool() as pool:
        assert pool.map(square, range(5), seen.append) == seen == [0, 1, 4, 9, 16]


def test_the_names_of_schwimmbad(farm: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity.this, "size", 4)
    with Pool() as pool:
        assert pool.is_master() and not pool.is_worker() and pool.rank == pool.master == 0
        pool.wait()
        pool.wait(callback=lambda: pytest.fail("nobody is told"))
        assert pool.workers == {1, 2, 3} and pool.enabled() and pool.size == 3


def summed(batch: tuple[tuple[int, int], list[int]]) -> tuple[tuple[int, int], int]:
    return batch[0], sum(batch[1])


@pytest.mark.parametrize("count", [1, 2, 3, 8, 100])
def test_batches_are_those_of_schwimmbad(
    farm: None, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    utils = pytest.importorskip("schwimmbad.utils")
    monkeypatch.setattr(identity.this, "size", 4)
    with Pool() as pool:
        theirs = utils.batch_tasks(pool.size, data=range(count))
        assert pool.batched_map(summed, range(count)) == [summed(batch) for batch in theirs]
        with pytest.raises(ValueError, match="there are no tasks"):
            pool.batched_map(summed, [])


def test_the_names_of_schwimmbad_without_ranks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity.this, "started", True)
    with Pool() as pool:
        assert pool.is_master() and not pool.is_worker() and not pool.enabled()
        pool.wait()
        assert pool.workers == {1} and pool.size == 1


def test_while_a_worker_imports_the_program_its_pool_only_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(identity.this, "importing", True)
    with Pool() as pool:
        assert not pool.is_master() and pool.is_worker()
        with pytest.raises(running.Defined):
            pool.wait()


def test_what_libraries_read(farm: None) -> None:
    """pyswarms and nessai, dask."""
    with Pool() as pool:
        assert pool._processes == pool._max_workers == len(pool._pool) == pool.size == 3
        done: queue.Queue[Any] = queue.Queue()
        for x in range(pool._max_workers):
            pool.submit(keyed, x, times=2).add_done_callback(done.put)
        assert sorted(done.get(timeout=SECONDS).result() for _ in range(3)) == [0, 2, 4]
    with pytest.raises(ValueError):
        pool.submit(square, 1)


def test_numbers_of_pools_are_checked() -> None:
    for number in (0, -1):
        with pytest.raises(ValueError, match=f"processes is {number}"):
            Pool(number)
    for limit in (0, -1, 0.5, "12"):
        with pytest.raises(ValueError, match="maxtasksperchild is"):
            Pool(3, maxtasksperchild=limit)  # type: ignore[arg-type]
    Pool(2, None, (), 10, multiprocessing.get_context("spawn")).terminate()


def test_a_failed_initializer_breaks_the_pool(farm: None) -> None:
    for way in ("map", "imap", "imap_unordered", "map_async", "apply_async"):
        with logged("concurrent.futures") as records, Pool(None, fails_at_three, (3,)) as pool:
            with pytest.raises(BrokenExecutor, match="no 3"):
                if way == "apply_async":
                    pool.apply_async(square, (1,)).get(SECONDS)
                elif way == "map_async":
                    pool.map_async(square, [1]).get(SECONDS)
                else:
                    list(getattr(pool, way)(square, range(9)))
            with pytest.raises(BrokenExecutor):
                pool.apply(square, (1,))
        assert [record.getMessage() for record in records] == ["Exception in initializer:"], way


def test_size(farm: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Pool().size == 3
    current_executor.install(None)
    assert Pool().size == 1


def test_a_pool_travels_as_a_pool_of_the_place(farm: None) -> None:
    with Pool(initializer=note, initargs=(1,)) as pool:
        copy = pickle.loads(pickle.dumps(pool))
        with copy:
            assert copy.map(square, [1, 2]) == [1, 4]


def test_failures_name_the_users_function(farm: None) -> None:
    with Pool() as pool:
        for call in (pool.map, lambda f, xs: pool.starmap(f, zip(xs, strict=True))):
            with pytest.raises(LookupError) as caught:
                call(fails_at_three, [3])
            assert "fails_at_three(3), task 0" in str(caught.value.__cause__)


def test_no_thread_stays(farm: None) -> None:
    before = threading.active_count()
    with Pool() as pool:
        for _ in range(5):
            pool.map_async(square, range(10)).get(SECONDS)
    until(lambda: threading.active_count() <= before)  # one of a test before may end, too


def test_without_a_launcher_there_is_one_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity.this, "_warned", False)
    with pytest.warns(RuntimeWarning, match="not started by scoopmpi") as seen, Pool() as pool:
        assert pool.map(square, [1, 2]) == [1, 4]
        assert pool.apply(square, (3,)) == 9
    assert len(seen) == 1


def test_a_program_without_a_guard_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity.this, "importing", True)
    with Pool() as pool:
        for call in (pool.map, pool.apply, pool.imap):
            with pytest.raises(RuntimeError, match='if __name__ == "__main__":'):
                call(square, [1])
