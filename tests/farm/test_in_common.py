"""What calls in a row have in common travels once, each call as it was: over the in-memory link."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from scoopmpi.farm import in_common
from scoopmpi.tasks.unchanged import unchanged
from scoopmpi.wire.errors import TaskError
from scoopmpi.wire.lent import LENT
from tests.support.memory_farm import FEW, current, farm

__all__ = ["farm"]  # the fixture
N = LENT // 8
pytestmark = pytest.mark.parametrize("farm", FEW, indirect=True)


@pytest.fixture(autouse=True)
def nothing_stays(farm: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """When no call is left and nothing is kept for others, all has been forgotten."""
    yield
    current.ranks.settle()
    shared = current.ranks.farm.sharing
    monkeypatch.setattr(in_common, "KEPT_BYTES", 0)
    farm.submit(total, np.ones(N)).result(20)
    gc.collect()
    current.ranks.settle()
    assert len(shared.lending) == 0 and not shared.retired
    for worker in current.ranks.workers:
        assert len(worker.inbox.sharing.lending) == 0


def lent() -> int:
    """How many numbers have been given."""
    return next(current.ranks.farm.sharing.lending._numbers) - 1


def total(array: Any, number: int = 0) -> float:
    """A task that writes into its argument."""
    found = float(array.sum()) + number
    if array.flags.writeable:
        array[:] = -1
    return found


def test_what_calls_in_a_row_have_in_common_is_lent_once(farm: Any) -> None:
    table = np.ones(N)
    calls = [farm.submit(total, number=number, array=table) for number in range(30)]
    assert [call.result(20) for call in calls] == [N + number for number in range(30)]
    assert lent() == 1 and table.sum() == N


def test_one_call_after_the_other_has_it_in_common_too(farm: Any) -> None:
    table = np.ones(N)
    assert [farm.submit(total, table, number).result(20) for number in range(9)] == [
        N + number for number in range(9)
    ]
    assert lent() == 1


def test_each_call_has_what_the_program_had_then(farm: Any) -> None:
    table, calls, wanted = np.zeros(N), [], []
    for number in range(40):
        if number % 3 == 0:
            table[number % N] += 1  # one number of many
        calls.append(farm.submit(total, table))
        wanted.append(float(table.sum()))
    table[:] = 7
    assert [call.result(20) for call in calls] == wanted


def test_arrays_at_the_place_of_others_are_others(farm: Any) -> None:
    calls = [farm.submit(total, np.full(N, float(number))) for number in range(40)]
    assert [call.result(20) for call in calls] == [N * float(number) for number in range(40)]


def test_what_is_promised_not_to_change_is_compared_once(
    farm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = []
    same = in_common.hostmemory.same
    monkeypatch.setattr(
        in_common.hostmemory, "same", lambda *asked: compared.append(asked) or same(*asked)
    )
    table, calls, wanted = np.ones((4, N)), [], []
    for span in (object(), object()):
        table[0, 0] += 1  # between two spans it may change
        for number in range(9):
            with unchanged(span):
                calls.append(farm.submit(total, table.T, number))
            wanted.append(float(table.sum()) + number)
    calls.append(farm.submit(total, table))
    assert [call.result(20) for call in calls] == [*wanted, float(table.sum())]
    assert len(compared) == 2  # it has changed since the first span; nothing is promised at the end


def test_a_promise_holds_for_an_array_not_for_its_place(farm: Any) -> None:
    span, calls = object(), []
    for number in range(40):
        with unchanged(span):
            calls.append(farm.submit(total, np.full(N, float(number))))
    assert [call.result(20) for call in calls] == [N * float(number) for number in range(40)]


def test_an_array_that_nobody_can_change_stays_so(farm: Any) -> None:
    table = np.ones(N)
    table.setflags(write=False)
    calls = [farm.submit(writeable, table) for _ in range(9)]
    assert not any(call.result(20) for call in calls)


def writeable(array: Any) -> bool:
    return bool(array.flags.writeable)


def test_a_call_that_fails_says_with_what(farm: Any) -> None:
    table = np.ones(N)
    calls = [farm.submit(fails, number, table) for number in range(9)]
    for number, call in enumerate(calls):
        assert f"fails({number}, array" in "".join(getattr(call.exception(20), "__notes__", ""))


def fails(number: int, array: Any) -> None:
    raise ValueError(number)


def test_calls_that_are_cancelled_or_dropped_leave_nothing(farm: Any) -> None:
    table = np.ones(N)
    calls = [farm.submit(total, table, number) for number in range(30)]
    for call in calls[::2]:
        call.cancel()
    del calls
    with pytest.raises(TaskError):
        farm.submit(total, table, Hostile()).result(20)


class Hostile:
    def __reduce__(self) -> Any:
        return int, ("no number",)


def test_without_shared_memory_all_of_it_works(farm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> int:
        raise in_common.NotShared("there is none")

    monkeypatch.setattr(in_common.hostmemory, "memory", none)
    table = np.ones(N)
    calls = [farm.submit(total, table, number) for number in range(9)]
    assert [call.result(20) for call in calls] == [N + number for number in range(9)]
    assert lent() == 0


def test_calls_leave_numbers_to_maps(farm: Any) -> None:
    tables = [np.full(N, float(number)) for number in range(in_common.KEPT + 9)]
    for number, table in enumerate(tables):
        assert [farm.submit(total, table).result(20) for _ in range(2)] == [N * number] * 2
    current.ranks.settle()
    assert len(current.ranks.farm.sharing.lending) <= in_common.KEPT
