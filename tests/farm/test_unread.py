"""Maps that nobody reads, over the in-memory link in seeded interleavings: every task runs once."""

from __future__ import annotations

import contextvars
import csv
import io
import itertools
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from scoopmpi import futures
from scoopmpi.executors.mpi_executor import MPIExecutor
from scoopmpi.process import identity
from scoopmpi.tasks import current_executor
from tests.support.link import Ranks
from tests.support.memory_farm import counted, current, farm, ran, square

__all__ = ["farm"]  # the fixture

COUNT = 100


class Mine:
    """An iterable of a user's own."""

    def __iter__(self) -> Iterator[int]:
        return iter([*range(COUNT)])


class Old:
    """A sequence without `__iter__`."""

    def __getitem__(self, index: int) -> int:
        if index == COUNT:
            raise IndexError(index)
        return index


def generator() -> Iterator[int]:
    yield from range(COUNT)


ITERABLES: dict[str, Callable[[], Iterable[Any]]] = {
    "list": lambda: [*range(COUNT)],
    "range": lambda: range(COUNT),
    "generator": generator,
    "iterator": lambda: iter([*range(COUNT)]),
    "map": lambda: map(int, range(COUNT)),
    "filter": lambda: filter(lambda _: True, range(COUNT)),
    "keys": lambda: dict.fromkeys(range(COUNT)).keys(),
    "values": lambda: dict(enumerate(range(COUNT))).values(),
    "ordered keys": lambda: OrderedDict.fromkeys(range(COUNT)).keys(),
    "islice": lambda: itertools.islice(itertools.count(), COUNT),
    "chain": lambda: itertools.chain(range(7), range(7, COUNT)),
    "own": Mine,
    "old": Old,
}


def number(row: Any) -> int:
    """A task whose argument is a row, a line or a pair: what counts comes first."""
    first = row[0] if isinstance(row, tuple | list) else row
    return counted(int(first))


ROWS: dict[str, Callable[[], Iterable[Any]]] = {
    "items": lambda: dict.fromkeys(range(COUNT)).items(),
    "zip": lambda: zip(range(COUNT), itertools.count(), strict=False),
    "enumerate": lambda: enumerate("x" * COUNT),
    "csv": lambda: csv.reader(f"{x},row" for x in range(COUNT)),
    "file": lambda: io.StringIO("\n".join(map(str, range(COUNT)))),
}
ALL = [
    *((each, counted) for each in ITERABLES.values()),
    *((each, number) for each in ROWS.values()),
]
NAMES = [*ITERABLES, *ROWS]
whatever = pytest.mark.parametrize(("make", "task"), ALL, ids=NAMES)


def once_each() -> bool:
    return ran == dict.fromkeys(range(COUNT), 1)


@whatever
def test_a_map_that_was_dropped_runs_whole(farm: Any, make: Any, task: Any) -> None:
    farm.map(task, make())
    current.ranks.settle()
    assert once_each()
    assert len(current.ranks.farm._jobs) == 1, "only the stream of calls stays"


@pytest.mark.parametrize("ordered", [True, False])
def test_a_map_that_is_kept_runs_before_the_program_ends(farm: Any, ordered: bool) -> None:
    kept = [farm.map(counted, make(), ordered=ordered) for make in ITERABLES.values()]
    farm.finish()
    assert ran == dict.fromkeys(range(COUNT), len(kept))
    assert len(current.ranks.farm._jobs) == 1


def test_a_kept_map_can_be_read_until_the_end(farm: Any) -> None:
    kept = farm.map(square, generator())
    current.ranks.settle()
    assert list(kept) == [x * x for x in range(COUNT)]
    farm.finish()


def test_who_reads_a_map_after_the_end_is_told(farm: Any) -> None:
    kept = farm.map(square, generator()), farm.map(square, range(COUNT))
    farm.finish()
    for values in kept:
        with pytest.raises(RuntimeError, match="nobody took the values"):
            next(values)


@pytest.mark.parametrize("make", [generator, lambda: range(COUNT)])
def test_values_that_an_executor_has_kept_can_be_read_after_the_end(farm: Any, make: Any) -> None:
    made = MPIExecutor(base=farm)
    kept = made.map(square, make()), made.map(square, [])
    made.shutdown()
    farm.finish()
    assert [list(values) for values in kept] == [[x * x for x in range(COUNT)], []]


def test_a_map_of_a_map_runs_whole(farm: Any) -> None:
    farm.map(counted, itertools.chain(farm.map(int, generator()), farm.map(int, [])))
    current.ranks.settle()
    assert once_each()


def test_columns_of_every_kind_together(farm: Any) -> None:
    farm.map(add, itertools.count(), itertools.repeat(0), generator())
    current.ranks.settle()
    assert ran == dict.fromkeys(range(0, 2 * COUNT, 2), 1)


def add(*numbers: int) -> int:
    return counted(sum(numbers))


def test_a_map_that_was_read_in_part_is_given_up(farm: Any) -> None:
    kept = farm.map(counted, itertools.count())
    assert next(kept) == 0
    farm.finish()
    assert len(ran) < 100
    del kept
    values = farm.map(counted, (x for x in itertools.count()))
    assert [value for _, value in zip(range(3), values, strict=False)] == [0, 1, 2]
    del values


@pytest.mark.parametrize("make", [generator, lambda: range(COUNT)])
def test_a_map_that_was_read_in_part_is_given_up_before_calls_are_waited_for(
    farm: Any, make: Any
) -> None:
    kept = farm.map(counted, [*make()])
    assert next(kept) == 0
    heard: list[str] = []

    def asks(_: object) -> None:
        with pytest.raises(RuntimeError) as caught:
            list(kept)
        heard.append(str(caught.value))

    farm.submit(pow, 2, 3).add_done_callback(asks)
    farm.finish()
    assert len(heard) == 1 and "nobody took the values" in heard[0]


@pytest.mark.parametrize("taken", [0, 1])
def test_what_a_map_is_made_of_runs_whole_with_it(farm: Any, taken: int) -> None:
    """Its reader takes values of the inner one, of which the program may have taken some."""
    inner = farm.map(square, generator())
    for _ in range(taken):
        next(inner)
    outer = farm.map(counted, inner)
    farm.finish()
    assert ran == dict.fromkeys((x * x for x in range(taken, COUNT)), 1)
    del outer


ENDLESS: dict[str, Callable[[], Iterable[int]]] = {
    "count": itertools.count,
    "cycle": lambda: itertools.cycle(range(5)),
    "repeat": lambda: itertools.repeat(3),
    "range": lambda: range(2**63),
    "backwards": lambda: range(2**64, 0, -1),
}


@pytest.mark.parametrize("make", ENDLESS.values(), ids=ENDLESS)
@pytest.mark.parametrize("dropped", [True, False])
def test_what_has_no_end_ends_where_it_was_read_and_a_line_says_so(
    farm: Any, make: Any, dropped: bool, caplog: pytest.LogCaptureFixture
) -> None:
    kept = farm.map(counted, make())
    if dropped:
        del kept
    farm.finish()
    assert 4 <= ran.total() < 300 and len(current.ranks.farm._jobs) == 1
    assert "without an end" in caplog.text and str(ran.total()) in caplog.text


def test_an_error_of_the_iterator_is_told(farm: Any, caplog: pytest.LogCaptureFixture) -> None:
    def numbers() -> Iterator[int]:
        yield from range(COUNT)
        raise LookupError("no more")

    farm.map(counted, numbers())
    current.ranks.settle()
    assert once_each()
    assert "counted" in caplog.text and "LookupError: no more" in caplog.text


def test_an_iterator_that_leaves_the_program_ends_its_map(farm: Any) -> None:
    def numbers() -> Iterator[int]:
        yield from range(COUNT)
        raise SystemExit(3)

    farm.map(counted, numbers())
    current.ranks.settle()
    assert once_each()


setting: contextvars.ContextVar[int] = contextvars.ContextVar("setting")


def test_an_iterator_runs_in_the_context_of_its_map(farm: Any) -> None:
    setting.set(0)
    farm.map(counted, (x + setting.get() for x in range(COUNT)))
    setting.set(1000)
    current.ranks.settle()
    assert once_each()


# Inside tasks.


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(identity.this, "started", True)
    yield
    current_executor.install(None)


def drops(way: str) -> str:
    make, task = dict(zip(NAMES, ALL, strict=True))[way]
    futures.map(task, make())
    return way


@pytest.mark.parametrize("way", NAMES)
def test_a_task_may_drop_a_map(farm: Any, started: None, way: str) -> None:
    assert farm.submit(drops, way).result() == way
    farm.finish()
    assert once_each()


kept_by_tasks: list[Any] = []


def keeps(_: int) -> None:
    kept_by_tasks.append(futures.map_as_completed(counted, generator()))


def drops_deeper(depth: int) -> int:
    if depth:
        futures.map(drops_deeper, iter([depth - 1]))
    else:
        futures.map(counted, generator())
    return depth


def test_what_tasks_keep_or_drop_runs_before_the_program_ends(farm: Any, started: None) -> None:
    kept_by_tasks.clear()
    list(farm.map(keeps, range(2)))
    farm.submit(drops_deeper, 5).result()
    farm.finish()
    assert ran == dict.fromkeys(range(COUNT), 3)
    for worker in current.ranks.workers:
        assert not worker.hub.maps._open
    kept_by_tasks.clear()


def drops_the_endless(_: int) -> None:
    futures.map(counted, itertools.count())


def test_a_task_may_drop_what_has_no_end(farm: Any, started: None, caplog: Any) -> None:
    farm.submit(drops_the_endless, 0).result()
    farm.finish()
    assert 0 < len(ran) < 300
    assert "counted over something without an end" in caplog.text


def drops_what_fails(_: int) -> None:
    futures.map(counted, fails_behind())


def fails_behind() -> Iterator[int]:
    yield from range(COUNT)
    raise LookupError("no more")


def test_a_task_may_drop_what_fails(farm: Any, started: None, caplog: Any) -> None:
    farm.submit(drops_what_fails, 0).result()
    farm.finish()
    assert once_each()
    assert "LookupError: no more" in caplog.text


# Workers that die.


def slowly(x: int) -> int:
    for _ in range(3):
        current.ranks.link.chance.random()
    return counted(x)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("when", ["early", "late"])
def test_all_tasks_run_where_a_worker_dies(seed: int, when: str) -> None:
    ran.clear()
    ranks = current.ranks = Ranks(workers=3, seed=seed)
    kept = ranks.executor.map(slowly, generator())
    ranks.executor.map(slowly, (x for x in range(COUNT, 2 * COUNT)))
    for _ in range(30 if when == "early" else 300):
        ranks.turn()
    ranks.kill(ranks.workers[seed % 3])
    ranks.executor.finish()
    assert set(ran) == set(range(2 * COUNT))
    ranks.settle()
    assert ranks.link.empty
    del kept


@pytest.mark.parametrize("seed", range(20))
def test_the_end_waits_for_no_worker_that_dies_meanwhile(seed: int, started: None) -> None:
    ran.clear()
    ranks = current.ranks = Ranks(workers=3, seed=seed)
    list(ranks.executor.map(drops_two, range(6)))
    turns = itertools.count()
    turn = ranks.turn

    def and_one_dies() -> None:
        if next(turns) == 2 + seed:
            ranks.kill(ranks.workers[seed % 3])
        turn()

    ranks.turn = and_one_dies  # type: ignore[method-assign]
    ranks.executor.finish()
    assert ranks.link.dead == {1 + seed % 3}, (
        "it has died before the end, or the test shows nothing"
    )
    ranks.settle()
    assert ranks.link.empty


def drops_two(x: int) -> None:
    for _ in range(2):
        futures.map(slowly, iter(range(20)))
