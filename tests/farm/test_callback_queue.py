"""What was printed before is shown before a callback runs, whichever thread drives. No ranks."""

from __future__ import annotations

import random
import signal
import sys
import threading
import time
from contextlib import suppress
from itertools import islice
from types import FrameType
from typing import Any

import pytest

from scoopmpi.concurrency.signal_handlers import guard
from scoopmpi.concurrency.signal_scopes import scopes
from scoopmpi.farm import callback_queue
from scoopmpi.farm.callback_queue import CallbackQueue
from tests.support.signal_points import signal_at

SEEDS = range(20)


class Slowly:
    """Shows lines with delays, as threads on a busy machine would."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.events: list[Any] = []

    def show(self, stream: int, data: bytes, group: int | None) -> None:
        time.sleep(self.chance.choice((0, 0, 0.0002)))
        self.events += data.decode().splitlines()


@pytest.mark.parametrize("seed", SEEDS)
def test_no_delivery_is_done_before_the_lines_that_came_before_it(seed: int) -> None:
    slowly = Slowly(seed)
    ours = CallbackQueue(slowly.show, lambda stream: False)
    lock = threading.Lock()
    numbers = iter(range(300))

    def drive() -> None:
        for number in numbers:
            with lock:
                ours.printed(1, f"{number}\n".encode())
                ours.add(lambda number=number: slowly.events.append(("value", number)))
            ours.show()
            ours.hand_over()

    run_all(drive, drive, drive)
    ours.show_all(hurry=False)
    ours.hand_over()
    lines = [event for event in slowly.events if isinstance(event, str)]
    assert lines == sorted(lines, key=int) and len(lines) == 300
    places = {event: place for place, event in enumerate(slowly.events)}
    assert all(places[str(n)] < places["value", n] for n in range(300))


def test_lines_may_come_between_any_two_steps_of_showing_others() -> None:
    """As from the progress thread: Python may change threads at each of its instructions."""
    shown: list[bytes] = []
    ours = CallbackQueue(lambda stream, data, group: shown.append(data), lambda stream: False)
    numbers = iter(range(400))

    def add(*_: Any) -> None:
        for number in islice(numbers, 1):
            ours.printed(1, b"%d\n" % number)

    def step(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code is not CallbackQueue._show_some.__code__:
            return None
        frame.f_trace_opcodes = True
        add()
        return step

    add()
    before = sys.gettrace()
    sys.settrace(step)
    try:
        ours.show()
    finally:
        sys.settrace(before)
    assert next(numbers, None) is None, "or nothing has come meanwhile"
    assert b"".join(shown).split() == [b"%d" % number for number in range(400)]


def test_a_reader_that_is_slow_stops_what_comes_in() -> None:
    ours = CallbackQueue(lambda stream, data, group: None, lambda stream: False)
    while not ours.full:
        ours.printed(1, b"x" * (1 << 16))
    assert len(ours) == callback_queue.MOST_BYTES // (1 << 16) + 1
    ours.show()
    assert not ours.full and not ours


@pytest.mark.parametrize("pieces", [1, 3])
@pytest.mark.parametrize("before", [False, True], ids=["", "another thread finds it"])
def test_a_reader_that_has_gone_is_told_once(pieces: int, before: bool) -> None:
    def gone(stream: int, data: bytes, group: int | None) -> None:
        raise BrokenPipeError

    ours = CallbackQueue(gone, lambda stream: False)
    for _ in range(pieces):
        ours.printed(1, b"a" * callback_queue.PIECE + b"\n")
    if before:
        ours.show(tell=False)
    with pytest.raises(BrokenPipeError):
        ours.show()
    ours.printed(1, b"b\n")
    ours.show()
    assert not ours


def test_a_stream_of_the_programs_own_that_fails_does_not_keep_the_farm_from_its_end() -> None:
    def fails(stream: int, data: bytes, group: int | None) -> None:
        raise LookupError

    ours = CallbackQueue(fails, lambda stream: False)
    ours.printed(1, b"a\n")
    with pytest.raises(LookupError):
        ours.show()
    ours.printed(1, b"b\n")
    ours.show_all(hurry=False)
    assert not ours


def run_all(*actions: Any) -> None:
    threads = [threading.Thread(target=action, daemon=True) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def test_what_a_handler_raises_meanwhile_is_no_lost_stdout() -> None:
    """A TimeoutError is an OSError; the program gets it each time, and what is lost still once."""
    shown: list[bytes] = []

    def late(number: int, frame: object) -> None:
        raise TimeoutError("late")

    def show(_: int, data: bytes, __: int | None) -> None:
        shown.append(data)
        if data == b"gone\n":
            raise BrokenPipeError
        signal.raise_signal(signal.SIGUSR1)

    guard()
    before = signal.signal(signal.SIGUSR1, late)
    try:
        queue = CallbackQueue(show, lambda _: False)
        for line in (b"one\n", b"two\n"):
            queue.printed(1, line)
            with pytest.raises(TimeoutError, match="late"):
                queue.show()
        queue.printed(1, b"gone\n")
        with pytest.raises(BrokenPipeError):
            queue.show()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert shown == [b"one\n", b"two\n", b"gone\n"]


def test_a_signal_at_any_point_of_it_loses_no_line_and_no_call() -> None:
    def comes(frame: FrameType) -> None:
        scopes.call(late, signal.SIGUSR1, frame)

    def late(number: int, frame: object) -> None:
        raise TimeoutError("late")

    guard()
    shown: list[Any] = []
    point, reached = 0, True
    while reached:
        point += 1
        shown.clear()
        queue = CallbackQueue(lambda *line: shown.append(line), lambda _: False)
        lines = [(1, b"one\n", None), (2, b"two\n", None), (2, b"three\n", 7)]
        for line in lines:
            queue.printed(*line)
        queue.add(lambda: shown.append("called"))
        with (
            suppress(TimeoutError),
            signal_at(point, lambda code: code.co_filename == callback_queue.__file__, comes) as at,
        ):
            queue.show()
        reached = at.count >= point
        queue.show()
        queue.hand_over()
        assert shown == [*lines, "called"], at.where
        assert not queue and not scopes.depth and not scopes.kept, at.where
    assert point > 20
