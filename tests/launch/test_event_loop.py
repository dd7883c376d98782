"""The loop beside the launcher: what can be read, what is due, and nothing else."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest

from scoopmpi.launch.beside import signals
from scoopmpi.launch.beside.event_loop import EventLoop


@pytest.fixture
def loop() -> Iterator[EventLoop]:
    found = EventLoop()
    yield found
    found.close()


def test_what_can_be_read_is_called_until_it_is_forgotten(loop: EventLoop) -> None:
    read, write = os.pipe()
    seen: list[bytes] = []

    def act() -> None:
        seen.append(os.read(read, 1))

    loop.register(read, act)
    assert loop.turn(at_once=True) == []
    os.write(write, b"abc")
    assert loop.turn(at_once=False) == [act]
    assert loop.turn(at_once=True) == [act]
    loop.unregister(read)
    assert loop.turn(at_once=True) == []
    assert seen == [b"a", b"b"]
    os.close(read)
    os.close(write)


def test_timers_are_called_once_when_they_are_due(loop: EventLoop) -> None:
    seen: list[str] = []
    loop.after(0.05, lambda: seen.append("later"))
    loop.after(0, lambda: seen.append("now"))
    loop.turn(at_once=True)
    assert seen == ["now"]
    begun = time.monotonic()
    while len(seen) < 2:
        assert loop.turn(at_once=False) == []
    assert time.monotonic() - begun < 5
    loop.turn(at_once=True)
    assert seen == ["now", "later"]


def test_a_timer_may_start_another(loop: EventLoop) -> None:
    seen: list[int] = []

    def act() -> None:
        seen.append(len(seen))
        if len(seen) < 3:
            loop.after(0, act)

    loop.after(0, act)
    for _ in range(4):
        loop.turn(at_once=True)
    assert seen == [0, 1, 2]


def test_every_signal_with_a_meaning_is_taken_and_given_back() -> None:
    before = {number: signal.getsignal(number) for number in signals.HANDLINGS}
    with signals.taken() as came:
        for number in signals.HANDLINGS:
            signal.raise_signal(number)
        assert list(came.came) == list(signals.HANDLINGS)
    assert {number: signal.getsignal(number) for number in signals.HANDLINGS} == before
