"""Constants over the in-memory link: everyone finds what was set before, whatever arrives when."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from math import ceil, log2
from typing import Any

import numpy
import pytest

from scoopmpi import shared
from scoopmpi.constants import hostmemory
from scoopmpi.constants.sharing import Sharing
from scoopmpi.process import identity
from scoopmpi.tasks import current_executor
from scoopmpi.wire.constants_messages import BroadcastConstants
from scoopmpi.wire.messages import NUMBERS
from tests.constants.test_hostmemory import missing
from tests.support.link import Ranks

ranks: Ranks


@pytest.fixture(params=range(8))
def farm(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    global ranks
    monkeypatch.setattr(identity.this, "started", True)
    monkeypatch.setattr(shared, "_warned", set())
    ranks = Ranks(workers=1 + 2 * (request.param % 4), seed=request.param)
    current_executor.install(ranks.executor)
    yield ranks.executor
    current_executor.install(None)
    ranks.settle()
    assert ranks.link.empty


def reads(name: str) -> Any:
    return shared.getConst(name, timeout=0)


def test_what_was_set_before_is_found_without_waiting(farm: Any) -> None:
    for number in range(5):
        name = f"name{number}"
        shared.setConst(**{name: [number], f"function{number}": lambda x: x + 1})
        assert list(farm.map(reads, [name] * 9)) == [[number]] * 9
        assert farm.submit(reads, f"function{number}").result()(1) == 2


def test_a_constant_is_set_once(farm: Any) -> None:
    shared.setConst(once=1)
    with pytest.raises(TypeError, match="once"):
        shared.setConst(other=1, once=2)
    assert shared.getConst("other", timeout=0) is None
    assert list(farm.map(reads, ["once", "other"] * 3)) == [1, None] * 3


def sets(x: int) -> tuple[Any, Any]:
    shared.setConst(**{f"from{x}": x})
    return shared.getConst(f"from{x}", timeout=0), next(
        current_executor.current().map(reads, [f"from{x}"])
    )


def tries_to_set(x: int) -> int:
    try:
        shared.setConst(contested=x)
    except TypeError as error:
        assert "contested" in str(error)
        return -1
    return x


def test_tasks_set_constants_too(farm: Any) -> None:
    assert list(farm.map(sets, range(6))) == [(x, x) for x in range(6)]
    assert [shared.getConst(f"from{x}") for x in range(6)] == list(range(6))


def test_one_of_many_wins(farm: Any) -> None:
    winners = [x for x in farm.map(tries_to_set, range(12)) if x >= 0]
    assert winners == [shared.getConst("contested")]
    assert set(farm.map(reads, ["contested"] * 20)) == set(winners)


def is_read_only(name: str) -> tuple[float, bool]:
    array = shared.getConst(name)
    return float(array[-1]), array.flags.writeable


def test_large_arrays_are_shared_and_read_only(farm: Any) -> None:
    shared.setConst(large=numpy.arange(300_000.0), small=numpy.arange(3.0))
    assert set(farm.map(is_read_only, ["large"] * 9)) == {(299_999.0, False)}
    assert set(farm.map(is_read_only, ["small"] * 9)) == {(2.0, False)}


def test_ranks_that_cannot_open_the_memory_get_copies(
    farm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(where: Any) -> Any:
        raise hostmemory.NotShared("not on this machine")

    monkeypatch.setattr(hostmemory, "attach", refuse)
    shared.setConst(large=numpy.arange(300_000.0))
    assert set(farm.map(is_read_only, ["large"] * 9)) == {(299_999.0, False)}


@pytest.mark.skipif(missing() is not None, reason=f"{missing()}")
def test_ranks_that_cannot_open_what_another_has_published_ask_for_copies(
    farm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    attach, seen = hostmemory.attach, []

    def refuse_others(where: Any) -> Any:
        seen.append(where)
        if len(seen) > 1:  # the first is the publisher's own look
            raise hostmemory.NotShared("not on this machine")
        return attach(where)

    monkeypatch.setattr(hostmemory, "attach", refuse_others)
    shared.setConst(large=numpy.arange(300_000.0))
    assert set(farm.map(is_read_only, ["large"] * 9)) == {(299_999.0, False)}
    ranks.settle()
    assert len(seen) > 1


def test_who_joins_later_gets_what_was_set(farm: Any) -> None:
    shared.setConst(early=numpy.arange(300_000.0), also=2)
    ranks.settle()
    late = ranks.workers[-1]
    late.inbox._sharing = None  # as if it were a new process
    ranks.farm._scheduler.lost(len(ranks.workers))
    late.join(frozenset())
    ranks.settle()
    assert late.inbox.sharing.store.get("also") == 2
    assert late.inbox.sharing.store.get("early")[-1] == 299_999.0


@pytest.mark.parametrize("workers", [1, 5, 30, 200])
def test_rank_0_sends_few_messages(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    farm = Ranks(workers, seed=workers)
    farm.wait_until(lambda: not farm.farm.members.importing)
    sent: list[int] = []
    send = farm.farm._dispatch._transport.send

    def counted(to: int, message: Any) -> None:
        if NUMBERS[type(message)] == NUMBERS[BroadcastConstants]:
            sent.append(to)
        send(to, message)

    farm.farm.sharing._send = counted
    current_executor.install(farm.executor)
    shared.setConst(x=1)
    current_executor.install(None)
    farm.settle()
    assert len(sent) <= ceil(log2(workers + 1))
    assert all(worker.inbox.sharing.store.get("x") == 1 for worker in farm.workers)


def test_a_name_that_never_comes_is_none_with_one_warning(farm: Any) -> None:
    with pytest.warns(RuntimeWarning, match="never"):
        assert shared.getConst("never", timeout=1e-9) is None
    assert shared.getConst("never", timeout=1e-9) is None


def test_threads_that_need_the_constants_first_get_the_same_ones(
    farm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task may ask for the first time while the progress thread receives them."""
    worker, make, found = ranks.workers[0], Sharing.__init__, []
    both = threading.Barrier(2)

    def slowly(*words: Any) -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(0.2)  # for the other thread to make its own
        make(*words)

    monkeypatch.setattr(Sharing, "__init__", slowly)
    worker.inbox._sharing = None
    threads = [
        threading.Thread(target=lambda: found.append(worker.nested.constants_backend.store))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(found) == 2 and found[0] is found[1] is worker.inbox.sharing.store
