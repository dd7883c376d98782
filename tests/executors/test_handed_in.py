"""What an executor counts: until when an end waits, and what it does with calls and maps."""

from __future__ import annotations

import threading
from collections.abc import Callable

from scoopmpi.executors.handed_in import HandedIn
from scoopmpi.tasks.future import Future
from scoopmpi.tasks.serial import SerialExecutor


class Map:
    """Notes what is done with it."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.runs = True

    @property
    def settled(self) -> Callable[[], bool]:
        return lambda: not self.runs

    def finish(self, keep: bool) -> None:
        self.done.append("kept" if keep else "finished")

    def bound(self) -> None:
        self.done.append("bound")

    def leave(self) -> None:
        self.done.append("left")

    def cancel(self) -> None:
        self.done.append("cancelled")


def test_the_end_of_the_program_waits_while_something_is_under_way() -> None:
    below = SerialExecutor()
    counted = HandedIn(below)
    call: Future[int] = Future()
    opened = Map()
    assert not below.unfinished.waits()
    counted.add_call(call, below, counted.call_over)
    counted.add_map(opened, below)
    counted.call_over(call)
    assert below.unfinished.waits()
    counted.map_over(opened, running=False)
    assert not below.unfinished.waits()


def test_it_waits_below_where_the_last_thing_went() -> None:
    first, second = SerialExecutor(), SerialExecutor()
    counted = HandedIn(first)
    counted.add_map(Map(), second)
    assert second.unfinished.waits() and not first.unfinished.waits()
    counted.let_go()
    assert not second.unfinished.waits()


def test_a_shutdown_keeps_values_for_whom_may_read_them() -> None:
    below = SerialExecutor()
    counted = HandedIn(below)
    read, dropped = Map(), Map()
    for each in (read, dropped):
        counted.add_map(each, below)
    counted.map_left(dropped)
    counted.wait()
    assert read.done == ["kept"] and dropped.done == ["left", "finished"]
    assert not below.unfinished.waits()


def test_the_end_of_the_program_keeps_nothing() -> None:
    below = SerialExecutor()
    counted = HandedIn(below)
    opened = Map()
    counted.add_map(opened, below)
    below.finish()
    assert opened.done == ["bound", "finished"]


def test_what_is_cancelled_is_waited_for_while_it_runs() -> None:
    below = SerialExecutor()
    counted = HandedIn(below)
    call: Future[int] = Future()
    opened = Map()
    counted.add_call(call, below, counted.call_over)
    counted.add_map(opened, below)
    opening = threading.Lock()
    with opening:
        counted.opening(opening)  # another map
        counted.cancel()
    assert call.cancelled() and opened.done == ["cancelled"]
    assert not counted.ceased()
    opened.runs = False
    assert counted.ceased()


def test_a_map_that_ends_early_is_waited_for_while_it_runs() -> None:
    below = SerialExecutor()
    counted = HandedIn(below)
    opened = Map()
    counted.add_map(opened, below)
    counted.map_over(opened, running=True)
    assert not counted.ceased() and not below.unfinished.waits()
    counted.map_over(opened, running=True)  # once only
    opened.runs = False
    assert counted.ceased()


def test_two_threads_find_that_a_map_has_ceased() -> None:
    """The second one between the first one's look and what follows from it."""
    counted = HandedIn(SerialExecutor())
    first, second = Map(), Map()
    second.runs = False

    def settled() -> bool:
        if not looked:
            looked.append(1)
            another = threading.Thread(target=counted.ceased)
            another.start()
            another.join(20)
        return True

    looked: list[int] = []
    counted._closed.extend([settled, first.settled])
    assert not counted.ceased(), "the other one still runs"
    first.runs = False
    assert counted.ceased() and not counted._closed


def test_two_shutdowns_both_wait_for_a_map() -> None:
    below = SerialExecutor()
    counted = HandedIn(below)
    begun, go_on = threading.Event(), threading.Event()
    over: list[int] = []

    class Lasting(Map):
        def finish(self, keep: bool) -> None:
            begun.set()
            go_on.wait(20)
            counted.wait()  # a callback that runs meanwhile: not for its own thread
            over.append(1)

    def waits(done: Callable[[], bool], timeout: float | None = None) -> bool:
        go_on.set()
        first.join(20)
        return done()

    below.wait_until = waits  # type: ignore[method-assign]
    counted.add_map(Lasting(), below)
    first = threading.Thread(target=counted.wait)
    first.start()
    begun.wait(20)
    assert below.unfinished.waits()
    counted.wait()
    assert over == [1] and not below.unfinished.waits()
