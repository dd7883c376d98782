"""Values that leave at the end of their task: what is copied, what goes when, and that each task is
answered or handed back exactly once, whoever cuts the batch and whenever."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from scoopmpi.tasks.outcomes import OutcomeRange, Raised, all_outcomes
from scoopmpi.wire import payload
from scoopmpi.wire.messages import Finished, Run
from scoopmpi.worker import answers, running
from scoopmpi.worker.answers import Answers, Packed
from scoopmpi.worker.running import Running
from scoopmpi.worker.watched import Watch, WatchedBatch

JOB = 7
LARGE = 1 << 17
LOOKS = 5.0
"""Seconds that a test with threads may take."""


@pytest.fixture(autouse=True)
def _smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "LEAVES", LARGE)
    monkeypatch.setattr(answers, "UNCOPIED", 2 * LARGE)


class Box:
    """A result whose memory is a buffer of its task's, which travels beside its pickle."""

    def __init__(self, memory: bytearray | memoryview) -> None:
        self.memory = memory

    def __reduce_ex__(self, protocol: Any) -> Any:
        return bytes, (payload.pickle.PickleBuffer(self.memory),)


class Batch:
    """A batch, the answers that it gives, and a lock like a worker's."""

    def __init__(self, function: Callable[..., Any], rows: list[Any], start: int = 10) -> None:
        self.lock = threading.Lock()
        self.sent: list[Finished] = []
        self.left: list[Packed] = []
        tasks = payload.pack_columns([rows])
        stop = start + len(rows)
        run = Run(JOB, start, stop, 1.0, 0, 0, None, tasks is not None, tasks)
        self.running = Running(run, function, lambda name: None, None, self.leave)

    def leave(self, batch: Answers, value: Packed) -> None:
        with self.lock:
            answer = batch.front(value)
            if answer is not None:
                self.left.append(value)
                self.send(answer)

    def send(self, answer: Finished | None) -> None:
        """As a worker's transport: what is sent is pickled before anything else happens."""
        if answer is not None:
            memory: list[Any] = []
            frame = payload.pickle.dumps(answer.outcomes, 5, buffer_callback=memory.append)
            copies = [bytes(part.raw()) for part in memory]
            self.sent.append(answer._replace(outcomes=payload.pickle.loads(frame, buffers=copies)))

    def cut(self) -> None:
        with self.lock:
            self.send(self.running.cut())

    def run(self) -> list[Finished]:
        self.running.run()
        with self.lock:
            self.send(self.running.rest())
        return self.sent

    def values(self) -> dict[int, Any]:
        """All values that were answered, by the index of the task."""
        values: dict[int, Any] = {}
        for answer in self.sent:
            part = OutcomeRange(
                answer.start, answer.stop, answer.plain, answer.outcomes, answer.failed
            )
            for task, value in enumerate(all_outcomes(part), answer.start):
                assert task not in values, "a task is answered twice"
                values[task] = value
        return values


memory = bytearray(2 * LARGE)
"""All tasks return this, or a part of it: the next one writes into it."""


def reuses(row: tuple[int, int]) -> Any:
    """Write a number into the memory that all tasks share, and return so much of it."""
    number, size = row
    memory[:size] = bytes([number]) * size
    return Box(memoryview(memory)[:size]) if size else number


def fronts(sent: list[Finished]) -> list[tuple[int, int, bool]]:
    return [(each.start, each.stop, each.goes_on) for each in sent]


# What leaves, and when.


def test_a_large_value_leaves_before_the_next_task_touches_its_memory() -> None:
    batch = Batch(reuses, [(number, len(memory)) for number in range(4)])
    sent = batch.run()
    assert fronts(sent) == [(10, 11, True), (11, 12, True), (12, 13, True), (13, 14, False)]
    assert {task: set(value) for task, value in batch.values().items()} == {
        10 + number: {number} for number in range(4)
    }
    assert batch.running.bare, "the last one is waited for at the end of the batch"


def test_it_takes_those_along_that_have_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    copies = []
    copied = payload.copied
    monkeypatch.setattr(payload, "copied", lambda frame: copies.append(1) or copied(frame))
    sizes = [0, LARGE // 4, LARGE // 4, 0, 2 * LARGE, LARGE // 4, 0]
    batch = Batch(reuses, list(enumerate(sizes)))
    assert fronts(batch.run()) == [(10, 15, True), (15, 17, False)]
    assert len(copies) == 3, "those that wait are copied, and the one that leaves is not"
    for number, size in enumerate(sizes):
        value = batch.values()[10 + number]
        assert value == (bytes([number]) * size if size else number)


def test_many_that_are_not_large_leave_where_they_weigh_as_much() -> None:
    batch = Batch(reuses, [(number, LARGE // 4) for number in range(10)])
    assert fronts(batch.run()) == [(10, 14, True), (14, 18, True), (18, 20, False)]


def test_what_has_left_is_kept_no_longer() -> None:
    batch = Batch(reuses, [(number, len(memory)) for number in range(3)])
    batch.run()
    assert [value.frame for value in batch.left] == [b"", b""]


def test_numbers_wait_for_the_end_of_the_batch() -> None:
    batch = Batch(abs, list(range(100)))
    (answer,) = batch.run()
    assert answer.plain and not answer.goes_on and not batch.running.bare


def long_text(size: int) -> str:
    return "x" * size


def long_bytes(size: int) -> Any:
    time.sleep(0)
    return Text.encode("y" * size)


class Text:
    """In the way of a look at the code of `long_bytes`: it is a class of the program's."""

    encode = staticmethod(str.encode)


@pytest.mark.parametrize("function", [long_text, long_bytes])
def test_long_texts_leave_too(function: Callable[[int], Any]) -> None:
    batch = Batch(function, [LARGE, 5, LARGE, 7, 3])
    assert fronts(batch.run())[0] == (10, (11 if function is long_bytes else 13), True)
    assert [len(value) for value in batch.values().values()] == [LARGE, 5, LARGE, 7, 3]


def zeros(size: int) -> Any:
    return bytearray(size)


def test_values_of_a_function_that_keeps_nothing_leave_uncopied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(payload, "copied", lambda frame: pytest.fail("nobody can touch it"))
    batch = Batch(zeros, [LARGE, 5, LARGE, 7, 3])
    assert fronts(batch.run()) == [(10, 12, True), (12, 13, True), (13, 15, False)]
    assert [len(value) for value in batch.values().values()] == [LARGE, 5, LARGE, 7, 3]


def fails_at_times(number: int) -> Any:
    if number % 3 == 0:
        raise ValueError(number)
    return Box(bytearray(len(memory)))


def test_failures_go_in_their_places() -> None:
    batch = Batch(fails_at_times, list(range(8)))
    sent = batch.run()
    assert [each.failed for each in sent] == [(0,), (), (0,), (), (0,)]
    for task, value in batch.values().items():
        assert isinstance(value, Raised) == ((task - 10) % 3 == 0)


def test_seconds_are_those_of_each_part() -> None:
    def naps(seconds: float) -> Any:
        time.sleep(seconds)
        return Box(bytearray(len(memory)))

    batch = Batch(naps, [0.02, 0.0, 0.02])
    first, second, third = batch.run()
    assert first.seconds >= 0.02 <= third.seconds
    assert (
        first.seconds + second.seconds + third.seconds <= time.monotonic() - batch.running.started
    )


# Cut, by whom and when it may be.


def covered(batch: Batch, tasks: int) -> None:
    """Each task is answered once, or handed back once, and the farm can follow each answer."""
    held = (10, 10 + tasks)
    back: set[int] = set()
    for answer in batch.sent:
        assert (answer.start, answer.end) == held
        assert answer.start <= answer.stop <= answer.unstarted <= answer.end
        back |= set(range(answer.unstarted, answer.end))
        if answer.goes_on:
            assert answer.start < answer.stop < answer.unstarted == answer.end
        held = answer.stop, answer.unstarted
    assert held[0] == held[1], "something was never answered"
    values = batch.values()
    assert values.keys() | back == set(range(10, 10 + tasks)) and not values.keys() & back
    for task, value in values.items():
        assert set(value) <= {task - 10}


def twice(number: int) -> int:
    return number * 2


def ends_early(number: int) -> int:
    if number < 2:
        raise StopIteration
    return number


def test_a_cut_before_the_first_task_hands_all_back() -> None:
    batch = Batch(twice, [0, 1, 2, 3])
    assert batch.running._raw
    batch.cut()
    batch.run()
    covered(batch, 4)
    assert batch.values() == {}


class Odd(dict[int, Any]):
    """What a task log says of some tasks: the running one fails while another thread looks."""

    def items(self) -> Any:
        for each in list(super().items()):
            self[len(self)] = "failed", ""
            yield each


def test_a_cut_while_the_running_task_fails_and_all_is_logged() -> None:
    batch = Batch(int, ["a", "b", "3", "4"])
    run = batch.running._run
    watched = WatchedBatch(
        run, int, lambda name: None, None, batch.leave, watch=Watch(True, None, lambda: None)
    )
    batch.running = watched
    watched._odd = Odd()
    batch.run()
    assert [*batch.values()] == [10, 11, 12, 13], "all are answered"


def test_a_first_task_that_raises_what_ends_iterators_is_the_one_that_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(running, "_purity", lambda: lambda function: True)
    batch = Batch(ends_early, [0, 1, 2, 3])
    assert batch.running._raw
    values = {task: repr(value) for task, value in (batch.run(), batch.values())[1].items()}
    assert [*values] == [10, 11, 12, 13]
    assert ["StopIteration" in value for value in values.values()] == [True, True, False, False]


@pytest.mark.parametrize("place", range(6))
@pytest.mark.parametrize("moment", ["before", "inside", "behind"])
def test_a_cut_around_a_value_that_leaves(place: int, moment: str) -> None:
    """Before it has been answered, with the lock on its way; inside the task; behind the answer,
    where the value is not among the others yet."""

    def task(row: tuple[int, int]) -> Any:
        if moment == "inside" and row[0] == place:
            batch.cut()
        return reuses(row)

    batch = Batch(task, [(number, len(memory)) for number in range(6)])
    leave = batch.leave

    def cuts(running: Answers, value: Packed) -> None:
        now = running.ended == place
        if moment == "before" and now:
            batch.cut()
        leave(running, value)
        if moment == "behind" and now:
            batch.cut()
            assert not batch.running.single

    batch.running._leave = cuts
    batch.run()
    covered(batch, 6)
    assert len(batch.values()) == (place + 1 if place < 5 or moment == "inside" else 6)


@pytest.mark.parametrize("seed", range(30))
def test_any_cut_of_another_thread_at_any_time(seed: int) -> None:
    chance = random.Random(seed)
    sizes = [chance.choice([0, 10, LARGE // 2, len(memory)]) for _ in range(60)]

    def task(row: tuple[int, int]) -> Any:
        value = reuses(row)
        return value if row[1] else b"" if row[0] % 2 else Box(bytearray(0))

    batch = Batch(task, list(enumerate(sizes)))
    after = chance.random() * 0.02

    def cutting() -> None:
        time.sleep(after)
        batch.cut()
        batch.cut()

    thread = threading.Thread(target=cutting, daemon=True)
    switching = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        thread.start()
        batch.run()
        thread.join(LOOKS)
    finally:
        sys.setswitchinterval(switching)
    assert not thread.is_alive()
    covered(batch, 60)


def test_an_answer_says_how_long_its_tasks_were_away_once() -> None:
    batch = Batch(reuses, [(1, LARGE), (2, 0), (3, 0)])
    leave = batch.leave

    def leave_and_wait(answers: Answers, value: Packed) -> None:
        answers.away += 2.0  # as long as it took the one before to leave
        leave(answers, value)

    batch.running._leave = leave_and_wait
    batch.running.resume(3.0)
    sent = batch.run()
    assert [each.goes_on for each in sent] == [True, False]
    assert [each.away for each in sent] == [5.0, 0.0]
