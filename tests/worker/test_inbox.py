"""The two ends of a worker's talk with the farm: every message finds its handler, none is late."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any, get_args

import pytest

from scoopmpi.wire import messages, payload
from scoopmpi.worker.inbox import Inbox
from scoopmpi.worker.outbox import EAGER_BYTES, UNREAD_BYTES, Outbox
from scoopmpi.worker.worker import Worker


class Wire:
    """A transport to nobody, which keeps what is sent."""

    rank, size = 1, 3

    def __init__(self, *arrived: Any) -> None:
        self.arrived = deque((0, message) for message in arrived)
        self.sent: list[Any] = []
        self.flushes = 0

    def receive(self) -> Any:
        return self.arrived.popleft() if self.arrived else None

    def send(self, to: int, message: Any) -> None:
        self.sent.append(message)

    def flush(self, to: int | None = None) -> None:
        self.flushes += 1


def run(start: int, stop: int, function: int = 0, code: Any = None) -> messages.Run:
    return messages.Run(7, start, stop, 1.0, 0, function, code, True, payload.pack_columns([]))


def inbox(*arrived: Any) -> Inbox:
    wire: Any = Wire(*arrived)
    made = Inbox(wire, {})
    made.receive()
    return made


def test_every_message_to_a_worker_has_a_handler() -> None:
    wire: Any = Wire()
    worker = Worker(wire)
    handled = {*worker.inbox._handlers, *worker._handlers()}
    assert handled == set(get_args(messages.ToWorker))
    assert not worker.inbox._handlers.keys() & worker._handlers().keys()


def test_batches_come_in_order_and_functions_are_forgotten_on_the_way() -> None:
    code = payload.pack(abs)
    made = inbox(run(0, 2, 5, code), messages.Forget(5), run(2, 4))
    first = made.next_batch()
    assert first is not None and first.start == 0 and made.functions.function(5) is abs
    second = made.next_batch()
    assert second is not None and second.start == 2
    assert made.next_batch() is None
    with pytest.raises(KeyError):
        made.functions.function(5)


def test_what_is_handed_back_is_run_by_nobody_here_but_functions_are_forgotten_all_the_same() -> (
    None
):
    made = inbox(run(0, 2, 5, payload.pack(abs)), messages.Forget(5), run(2, 4))
    assert [(each.start, each.stop) for each in made.hand_back()] == [(0, 2), (2, 4)]
    assert made.hand_back() == [] and made.next_batch() is None
    with pytest.raises(KeyError):
        made.functions.function(5)


def test_a_message_that_is_for_no_worker_changes_nothing() -> None:
    assert inbox(messages.Lost()).next_batch() is None


def test_stop_is_seen() -> None:
    assert inbox(messages.Stop()).stopping and not inbox().stopping


def test_an_answer_is_taken_once() -> None:
    made = inbox(messages.ConstantsSet(3, 1, ""))
    assert made.has_answer(3) and not made.has_answer(4)
    assert made.take_answer(3).number == 1 and not made.has_answer(3)


def test_nothing_is_sent_behind_the_last_message() -> None:
    wire: Any = Wire()
    outbox = Outbox(wire, threading.RLock())
    assert outbox.printed(1, b"a line\n")
    outbox.close()
    assert not outbox.printed(1, b"too late\n")
    outbox.send(messages.Revoked(1))
    outbox.flush()
    assert wire.sent == [messages.Printed(1, b"a line\n"), messages.Left()]
    assert wire.flushes == 1


def test_lines_are_waited_for_when_many_or_long_ones_are_under_way() -> None:
    wire: Any = Wire()
    outbox = Outbox(wire, threading.RLock())
    line = b"x" * 1000
    for _ in range(UNREAD_BYTES // 1000):
        outbox.printed(1, line)
    assert wire.flushes == 0
    outbox.printed(1, line)
    assert wire.flushes == 1
    outbox.printed(2, b"x" * (EAGER_BYTES + 1))
    assert wire.flushes == 2


def test_from_its_arrival_on_a_batch_knows_until_when_its_tasks_may_begin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("time.monotonic", lambda: 50.0)
    made = inbox(run(0, 2)._replace(within=2.5), run(2, 4))
    monkeypatch.setattr("time.monotonic", lambda: 51.0)
    first, second = made.next_batch(), made.next_batch()
    assert first is not None and first.within == 52.5
    assert second is not None and second.within is None
