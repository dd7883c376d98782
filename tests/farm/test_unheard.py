"""What fails or does not run although nobody waits for it is one line. In memory, by seeds."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from scoopmpi import futures
from scoopmpi.process import identity
from scoopmpi.tasks import current_executor
from scoopmpi.tasks.pedigree import program
from scoopmpi.tasks.serial import SerialExecutor
from tests.support.link import Ranks
from tests.support.memory_farm import current, farm

__all__ = ["farm"]  # the fixture


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(identity.this, "started", True)
    yield
    current_executor.install(None)


def fails(x: int) -> int:
    if x % 4 == 1:
        raise OSError("disk full")
    return x


def other(x: int) -> int:
    raise LookupError(x)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage().replace(f"{__name__}.", "") for record in caplog.records]


def test_a_map_that_nobody_reads_tells_of_its_failures(farm: Any, caplog: Any) -> None:
    """Once for each function, however many maps there are of it."""
    for _ in range(3):
        farm.map(fails, range(20))
    farm.map(other, iter(range(3)))
    farm.finish()
    told = sorted(lines(caplog))  # maps are over in any order
    assert told == [
        "3 of 3 tasks of a map of other, whose values nobody takes, have raised; task 0: "
        "LookupError: 0",
        "5 of 20 tasks of a map of fails, whose values nobody takes, have raised; task 1: "
        "OSError: disk full",
    ]


def leaves(_: int) -> None:
    futures.map(fails, range(20))


def test_so_does_one_that_a_task_has_left(farm: Any, caplog: Any) -> None:
    list(farm.map(leaves, range(6)))
    farm.finish()
    told = lines(caplog)
    assert 1 <= len(told) <= len(current.ranks.workers) and len(set(told)) == 1
    assert told[0].startswith("5 of 20 tasks of a map of fails, whose values nobody takes, have ")


def test_who_reads_or_keeps_hears_it_himself(farm: Any, caplog: Any) -> None:
    with pytest.raises(OSError, match="disk full"):
        list(farm.map(fails, range(20)))
    kept = [farm.submit(fails, x) for x in range(8)]
    called: list[Any] = []
    farm.submit(fails, 1).add_done_callback(called.append)
    farm.submit(fails, 1).add_done_callback(lambda call: called.append(call.exception()))
    farm.finish()
    assert [call.exception() is None for call in kept] == [x % 4 != 1 for x in range(8)]
    assert called and not lines(caplog)


def test_calls_whose_futures_nobody_has_kept_tell_of_theirs(farm: Any, caplog: Any) -> None:
    assert futures.mapReduce(abs, max, range(4)) == 3  # no call of the program's
    first = next(program._calls) + 1
    for x in range(8):
        farm.submit(fails, x)
    farm.finish()
    assert len(lines(caplog)) == 1
    assert lines(caplog)[0].startswith("2 submitted calls, whose futures nobody has kept, have ")
    assert f"raised; call {first + 1}: " in lines(caplog)[0]


def close(ranks: Ranks, status: int) -> None:
    ranks.farm.finish(maps=False)
    for worker in ranks.workers:
        worker.farewell()
    ranks.farm.close(status)


@pytest.mark.parametrize(("status", "why"), [(1, "the program has failed"), (0, "nobody has wai")])
@pytest.mark.parametrize("seed", range(6))
def test_what_has_not_run_is_told(seed: int, status: int, why: str, caplog: Any) -> None:
    ranks = Ranks(2, seed)
    kept = [ranks.executor.map(abs, range(20)), ranks.executor.map(abs, iter(range(4)))]
    read = ranks.executor.map(abs, range(9))
    assert next(read) == 0, "who takes values hears of the end himself"
    ranks.executor.submit(abs, 3)
    close(ranks, status)
    (told,) = [line for line in lines(caplog) if line.startswith("not run, as ")]
    assert why in told and "20 tasks of a map of abs, " in told
    assert told.endswith((", 1 submitted call", " of abs"))
    assert len(kept) == 2


def test_serially_too(caplog: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    serial = SerialExecutor()
    serial.map(fails, range(20))
    serial.finish()
    assert lines(caplog) == [
        "5 of 20 tasks of a map of fails, whose values nobody takes, have raised; task 1: "
        "OSError: disk full"
    ]
    caplog.clear()
    kept = serial.map(fails, iter(range(4)))
    serial.map(fails, range(20))
    gc.collect()
    serial.finish(maps=False)
    (told,) = lines(caplog)
    assert told.startswith("not run, as nobody has waited for it: ")
    assert "20 of 20 tasks of a map of fails" in told
    assert told.count("a map of fails") == 2
    assert kept is not None
