"""What is under way to one rank keeps neither what others have taken, nor who waits for these."""

from __future__ import annotations

import gc
import weakref
from collections import deque
from collections.abc import Iterable
from typing import Any

import pytest

from scoopmpi.wire import under_way
from scoopmpi.wire.under_way import UnderWay
from tests.wire.test_fuzz_messages import transport


class Sent:
    """A request, and the data of it."""

    def __init__(self, taken: bool = False, problem: Exception | None = None) -> None:
        self.taken, self.problem = taken, problem

    def Test(self) -> bool:
        if self.problem is not None:
            raise self.problem
        return self.taken


def noted(problem: Exception) -> None:
    assert isinstance(problem, LookupError)


@pytest.fixture
def ways() -> UnderWay:
    return UnderWay(noted)


def add(ways: UnderWay, to: int, sent: Sent) -> weakref.ref[Any]:
    ways.add(to, sent, sent)
    return weakref.ref(sent)


def test_what_was_taken_is_let_go_whoever_else_takes_nothing(ways: UnderWay) -> None:
    stuck = Sent()
    add(ways, 3, stuck)
    others = [add(ways, to, Sent(True)) for to in (1, 2, 1, 4)]
    behind = add(ways, 3, Sent(True))
    ways.drop()
    gc.collect()
    assert [other() for other in others] == [None] * 4 and behind() is not None
    assert set(ways.sends) == {3}
    stuck.taken = True
    ways.drop()
    assert not ways.sends and behind() is None


def test_what_a_del_that_prints_lets_go_of_meanwhile_is_not_this_one(
    ways: UnderWay, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Printing(deque[Any]):
        def __init__(self, entries: Iterable[Any] = ()) -> None:
            super().__init__(entries)
            ways.drop()

        def append(self, entry: Any) -> None:
            ways.drop()
            super().append(entry)

    monkeypatch.setattr(under_way, "deque", Printing)
    for taken in (False, True):
        ways.sends.clear()
        kept = [add(ways, 1, Sent(taken)), add(ways, 1, Sent())]
        gc.collect()
        assert kept[1]() in [request for request, _ in ways.sends[1]]
        assert taken or kept[0]() is ways.sends[1][0][0]


def test_what_has_failed_is_told_and_let_go(ways: UnderWay) -> None:
    add(ways, 2, Sent(problem=LookupError("it has died")))
    add(ways, 2, Sent(True))
    ways.drop()
    assert not ways.sends


def test_what_cannot_be_told_is_raised(ways: UnderWay) -> None:
    add(ways, 2, Sent(problem=ValueError("no such request")))
    with pytest.raises(AssertionError):
        ways.drop()
    assert 2 in ways.sends


def test_a_message_that_is_sent_in_between_is_kept(ways: UnderWay) -> None:
    """A `__del__` that prints may send while this looks."""

    class Sends(Sent):
        def Test(self) -> bool:
            if not self.taken:
                self.taken = True
                ways.add(2, Sent(), "line")
                ways.drop()
            return True

    ways.add(2, Sends(), "data")
    ways.drop()
    assert 2 in ways.sends


def test_who_flushes_waits_until_it_has_left_and_for_no_other() -> None:
    """The memory of what is sent may be changed behind it."""
    made, _ = transport()
    looks: list[int] = []

    class Slow(Sent):
        def Test(self) -> bool:
            looks.append(1)
            return len(looks) >= 3

    made._under_way.add(0, Slow(), "result")
    made._under_way.add(2, Sent(), "to a worker in a long call")
    made.flush(0)
    assert len(looks) == 3 and set(made._under_way.sends) == {2}
