"""What one thread does in the middle of what another does: a step of the other in each gap that was
once too wide."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from scoopmpi.executors.comm_executor import _Lead
from scoopmpi.executors.mpi_executor import MPIExecutor
from scoopmpi.farm import map_outcomes
from scoopmpi.farm.calls import Call, CallStream
from scoopmpi.farm.map_window import Span
from scoopmpi.farm.unread import UnreadMaps
from scoopmpi.tasks.future import Future
from scoopmpi.tasks.outcomes import OutcomeRange
from scoopmpi.tasks.unfinished import Unheard
from scoopmpi.watching.progress import choice
from tests.support.link import Ranks
from tests.support.thread_farm import thread_farm

LONG = 20.0
"""Seconds after which a thread is taken to hang."""
MEANWHILE = 0.2
"""Seconds for another thread to do its step, or to find that it has to wait."""


def in_between(step: Any, seconds: float = LONG) -> threading.Thread:
    """Have another thread do a step, and go on when it has, or after some seconds."""
    thread = threading.Thread(target=step, daemon=True)
    thread.start()
    thread.join(seconds)
    return thread


def test_further_tasks_are_handed_out_in_the_order_in_which_they_were_read() -> None:
    ranks = Ranks(2, 0)
    maps = ranks.farm.maps
    job = maps.open(abs, [range(4)], lambda job: job)
    ahead = iter([[Span(2, False, 4)], [Span(3, True, 6)], []])
    handed_out: list[int] = []

    def next_spans() -> list[Span]:
        spans = next(ahead)
        if spans and spans[0].start == 4:  # the consumer comes, while the thread that delivers
            in_between(lambda: maps.release(job))  # has read and not yet handed out
        return spans

    job.next_spans = next_spans
    maps._go_further = lambda job, spans: handed_out.extend(  # type: ignore[method-assign]
        span.start for span in spans
    )
    maps.release(job)
    assert handed_out == [4, 6], "who came meanwhile has the first one look again"
    assert job.releasing.acquire(blocking=False)
    maps.abandon_all()


def test_who_hands_out_and_fails_lets_others_do_so() -> None:
    ranks = Ranks(2, 0)
    job = ranks.farm.maps.open(abs, [range(4)], lambda job: job)

    def fails() -> list[Span]:
        raise KeyboardInterrupt

    job.next_spans = fails
    with pytest.raises(KeyboardInterrupt):
        ranks.farm.maps.release(job)
    assert job.releasing.acquire(blocking=False)
    ranks.farm.maps.abandon_all()


def test_a_generator_is_read_by_one_thread_while_its_executor_ends() -> None:
    inside = threading.Event()
    values: list[int] = []

    def slow() -> Iterator[int]:
        for number in range(200):
            if number == 60:
                inside.set()
                ending.wait(LONG)
            yield number

    ending = threading.Event()
    with thread_farm(2) as base:
        executor = MPIExecutor(base=base)
        reader = threading.Thread(target=lambda: values.extend(executor.map(abs, slow())))
        reader.start()
        inside.wait(LONG)
        end = in_between(executor.shutdown, MEANWHILE)
        ending.set()
        reader.join(LONG)
        end.join(LONG)
        assert not (reader.is_alive() or end.is_alive())
    assert values == [*range(200)]


ran: list[int] = []


def note(number: int) -> int:
    ran.append(number)
    return number


def test_a_shutdown_waits_for_the_rows_of_a_map_that_begins() -> None:
    ran.clear()
    ends: list[threading.Thread] = []

    def rows() -> Iterator[int]:
        yield from range(3)
        ends.append(in_between(executor.shutdown, MEANWHILE))
        yield from range(3, 6)

    with thread_farm(2) as base:
        executor = MPIExecutor(base=base)
        values = executor.map(note, rows(), buffersize=6)
        ends[0].join(LONG)
        assert not ends[0].is_alive()
        assert sorted(ran) == [*range(6)]
        assert [*values] == [*range(6)]


class Coming:
    """Compares as something of a call's, while another thread submits one more."""

    def __init__(self, stream: CallStream) -> None:
        self.stream, self.left = stream, 3

    def one_more(self) -> None:
        if self.left:
            self.left -= 1
            in_between(lambda: self.stream.add(a_call()))

    def __hash__(self) -> int:
        self.one_more()
        return 1

    def __eq__(self, other: object) -> bool:
        return self is other

    def __contains__(self, group: object) -> bool:
        self.one_more()
        return True


def a_call(code: object = None) -> Call:
    return Call(Future(), [b"", (), None, None], code=code)


def calls_of(stream: CallStream, codes: Iterable[object]) -> list[Call]:
    calls = [a_call(code) for code in codes]
    for call in calls:
        stream.add(call)
    return calls


def test_a_group_is_given_up_while_another_thread_submits() -> None:
    stream = CallStream(0)
    numbered = calls_of(stream, "ab")
    assert stream.take_fresh() == 2
    fresh = calls_of(stream, "cd")
    groups: Any = Coming(stream)
    assert stream.taken_of(groups) == [*numbered, *fresh]
    assert stream.waiting == 5, "what has no number keeps its place, and three more came"


def test_what_is_new_is_looked_at_while_another_thread_submits() -> None:
    stream = CallStream(0)
    codes = [Coming(stream), Coming(stream)]
    calls_of(stream, codes)
    assert stream.fresh_codes == {*codes}


def test_the_program_ends_while_a_thread_still_reads_a_map_that_waits_for_its_maker() -> None:
    ended: list[int] = []
    read: list[bool] = []
    unread = UnreadMaps({}, lambda job: read.append(1 in unread._reading), ended.append, False)
    job: Any = SimpleNamespace(
        number=1, stuck=True, error=None, taken=0, unheard=None, problem=None,
        context=contextvars.copy_context(), discard=lambda: True,
    )  # fmt: skip
    unread._left[1], unread._reading[1] = job, False

    def wait_until(done: Any) -> None:
        if unread._reading.pop(1, None) is not None:
            assert not read, "its context can be entered once at a time"
        assert done()

    unread.finish_here(job, wait_until)
    assert (read, ended) == ([False], [1])


def test_two_threads_throw_failures_away_and_all_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    maps = Ranks(2, 0).farm.maps
    outcomes = maps.open(abs, [range(4)], lambda job: job)._outcomes
    others: list[threading.Thread] = []

    class Noted(Unheard):
        def __init__(self) -> None:
            super().__init__()
            if not others:  # the second thread comes when the first one begins to count
                others.append(threading.Thread(target=note, daemon=True))
                others[0].start()
                others[0].join(MEANWHILE)

    def note() -> None:
        outcomes._note(OutcomeRange(0, 1, False, (b"",), (0,)))

    monkeypatch.setattr(map_outcomes, "Unheard", Noted)
    note()
    others[0].join(LONG)
    assert outcomes.unheard is not None and outcomes.unheard.count == 2
    maps.abandon_all()


def test_nobody_learns_what_outcomes_weigh_while_arguments_are_weighed() -> None:
    maps = Ranks(2, 0).farm.maps
    job = maps.open(abs, [range(4)], lambda job: job)
    guard, learns = job._outcomes._guard, list[bool]()

    def weigh(frames: Any, tasks: int) -> None:
        in_between(lambda: learns.append(guard.acquire(timeout=MEANWHILE)))

    job._tasks._ahead.weigh = weigh  # type: ignore[method-assign]
    job._tasks._weigh((), 1)
    assert learns == [False]
    maps.abandon_all()


def test_two_threads_ask_an_executor_for_its_first_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []
    made: list[Any] = []
    lead: Any = object.__new__(_Lead)
    lead._choice, lead._choosing = None, threading.Lock()
    lead.farm = SimpleNamespace(observe=shown.append)
    other = threading.Thread(target=lead._show, daemon=True)

    class Choice:
        def __init__(self, *asked: Any) -> None:
            made.append(self)
            if not other.ident:
                other.start()
                other.join(MEANWHILE)

        def readers_for_some(self) -> list[Any]:
            return [self]

    monkeypatch.setattr(choice, "Choice", Choice)
    lead._show()
    other.join(LONG)
    assert len(made) == 1 and shown == made * 2
