"""When rank 0 has to look after which worker: examples, then histories against a model that keeps
everything in lists and looks at all of it each time."""

from __future__ import annotations

from random import Random

import pytest

from scoopmpi.farm.due import FEW, Due
from scoopmpi.scheduling.ranges import Batch
from scoopmpi.scheduling.scheduler import Assignment

Looked = tuple[float, float | None, bool]


def batch(worker: int, expected: float = 0.0, surely: float = 0.0) -> Assignment:
    """A batch for a worker, with what is expected of it."""
    return Assignment(worker, Batch(1, 0, 1), 1.0, expected, surely)


# Examples: from when on, until when, and whether somebody is awaited.


def test_nobody_is_awaited_where_nobody_has_anything() -> None:
    assert Due().look(5.0) == (0.0, None, False)


def test_a_batch_is_awaited_when_it_is_surely_over() -> None:
    due = Due()
    due.given(batch(1, expected=1.0, surely=0.75), 10.0)
    assert due.look(10.5) == (0.0, 10.75, False)
    assert due.look(10.75) == (10.75, None, True)
    assert due.look(99.0) == (10.75, None, True)
    due.answered(1, 11.0)
    assert due.look(11.0) == (10.75, None, False)


def test_a_batch_of_which_nothing_is_known_is_awaited_at_once() -> None:
    due = Due()
    due.given(batch(1), 10.0)
    assert due.look(10.0) == (10.0, None, True)


def test_of_two_batches_the_middle_of_the_second_is_soon_enough() -> None:
    due = Due()
    due.given(batch(1, expected=1.0, surely=0.75), 10.0)
    due.given(batch(1, expected=0.5, surely=0.25), 10.125)
    assert due.look(10.75) == (0.0, 11.25, False)
    due.answered(1, 11.0)  # the second begins when the first has ended
    assert due.look(11.0) == (0.0, 11.25, False)
    assert due.look(11.25) == (11.25, None, True)


def test_the_first_of_several_workers_counts() -> None:
    due = Due()
    for worker in (1, 2, 3):
        due.given(batch(worker, expected=1.0, surely=float(worker)), 10.0)
    assert due.look(10.0) == (0.0, 11.0, False)
    assert due.look(11.5) == (11.0, 12.0, True)
    due.answered(1, 11.5)
    assert due.look(11.5) == (11.0, 12.0, False)
    assert due.look(14.0) == (13.0, None, True)


def test_who_has_died_is_not_awaited() -> None:
    due = Due()
    due.given(batch(1, 1.0, 1.0), 10.0)
    due.given(batch(2, 2.0, 2.0), 10.0)
    assert due.look(11.5) == (11.0, 12.0, True)
    due.lost(1)
    assert due.look(11.5) == (11.0, 12.0, False)
    due.lost(2)
    assert due.look(99.0) == (11.0, None, False)


def test_a_worker_that_returns_begins_anew() -> None:
    due = Due()
    due.given(batch(1, 1.0, 1.0), 10.0)
    due.given(batch(1, 1.0, 1.0), 10.0)
    due.lost(1)
    due.lost(1)  # twice is no matter
    due.given(batch(1, 4.0, 4.0), 20.0)
    assert due.look(20.0) == (0.0, 24.0, False)


def test_more_answers_than_batches_are_no_matter() -> None:
    # A worker answers for a part, and again for the task that was running: two answers, one batch.
    due = Due()
    due.answered(1, 9.0)
    due.given(batch(1, 1.0, 1.0), 10.0)
    for now in (10.5, 11.0, 11.5):
        due.answered(1, now)
        assert due.look(now) == (0.0, None, False)
    due.given(batch(1, 1.0, 1.0), 12.0)
    assert due.look(12.0) == (0.0, 13.0, False)


def test_an_answer_for_a_part_counts_as_the_batch() -> None:
    # It has outlived its budget: nobody knows when it ends, and rank 0 looks as often as ever.
    due = Due()
    due.given(batch(1, 1.0, 1.0), 10.0)
    assert due.look(12.0) == (11.0, None, True)
    due.answered(1, 12.0)
    assert due.look(12.0) == (11.0, None, False)


def test_a_worker_whose_batch_goes_on_is_looked_after_when_its_next_part_comes() -> None:
    due = Due()
    due.given(batch(1, expected=1.0, surely=0.75), 10.0)
    due.goes_on(1, 1, 0.25, 10.5)
    assert due.look(10.5) == (0.0, 10.75, False)
    assert due.look(10.75) == (10.75, None, True)
    assert not due.idle_before(99.0)


def test_a_part_is_looked_for_also_where_another_batch_waits() -> None:
    # The worker stands still until it has been taken, in the next batch of the job too.
    due = Due()
    for now in (10.0, 10.125):
        due.given(batch(1, expected=1.0, surely=0.75), now)
    assert due.look(10.25) == (0.0, 11.5, False)
    due.goes_on(1, 1, 0.25, 10.5)
    assert due.look(10.5) == (0.0, 10.75, False)
    due.answered(1, 11.0)
    assert due.look(11.0) == (0.0, 11.25, False)
    due.answered(1, 12.0)
    due.given(Assignment(1, Batch(2, 0, 1), 1.0, 1.0, 0.75), 12.0)
    assert due.look(12.0) == (0.0, 12.75, False), "nothing is known of the parts of another job"


def test_who_has_been_idle_for_long_has_given_its_core_away() -> None:
    due = Due()
    due.given(batch(1, 1.0, 1.0), 10.0)
    due.given(batch(2, 1.0, 1.0), 10.0)
    assert not due.idle_before(99.0)
    due.answered(1, 11.0)
    assert (due.idle_before(11.0), due.idle_before(11.5)) == (False, True)
    due.answered(2, 11.25)
    due.given(batch(1, 1.0, 1.0), 11.5)
    assert (due.idle_before(11.25), due.idle_before(11.5)) == (False, True)
    due.lost(2)
    assert not due.idle_before(99.0)


# Histories.


class Model:
    """The same, with nothing kept but what has happened."""

    def __init__(self) -> None:
        self.held: dict[int, list[Assignment]] = {}
        self.begun: dict[int, float] = {}
        self.came: list[float] = []  # the times that have come, in the order of looks
        self.seen: set[int] = set()  # whose time was found to have come
        self.idle: dict[int, float] = {}  # since when
        self.parts: dict[int, tuple[int, float]] = {}

    def given(self, assignment: Assignment, now: float) -> None:
        held = self.held.setdefault(assignment.worker, [])
        if not held:
            self.begun[assignment.worker] = now
            self.idle.pop(assignment.worker, None)
        held.append(assignment)
        self.seen.discard(assignment.worker)

    def answered(self, worker: int, now: float) -> None:
        if self.held.get(worker):
            self.held[worker].pop(0)
            self.begun[worker] = now
            self.seen.discard(worker)
            if not self.held[worker]:
                self.idle[worker] = now

    def goes_on(self, worker: int, job: int, seconds: float, now: float) -> None:
        self.parts[worker] = job, seconds
        if self.held.get(worker):
            self.begun[worker] = now
            self.seen.discard(worker)

    def lost(self, worker: int) -> None:
        self.parts.pop(worker, None)
        self.held.pop(worker, None)
        self.idle.pop(worker, None)
        self.seen.discard(worker)

    def wanted(self, worker: int) -> float:
        first, *more = self.held[worker]
        after = first.expected + more[0].expected / 2 if more else first.surely
        job, seconds = self.parts.get(worker, (None, 0.0))
        if job == first.batch.job:
            after = min(after, seconds)
        return self.begun[worker] + after

    def look(self, now: float) -> Looked:
        times = {worker: self.wanted(worker) for worker, held in self.held.items() if held}
        new = {worker for worker, time in times.items() if time <= now} - self.seen
        self.came += sorted(times[worker] for worker in new)
        self.seen |= new
        future = [time for worker, time in times.items() if worker not in self.seen]
        return self.came[-1] if self.came else 0.0, min(future, default=None), bool(self.seen)


@pytest.mark.parametrize("seed", range(60))
def test_any_history_is_seen_as_the_model_sees_it(seed: int) -> None:
    chance = Random(seed)
    due, model, now = Due(), Model(), 1.0
    for _ in range(400):
        now += chance.choice([0.0, 0.125, 1.0])
        worker, what = chance.randint(1, 1 + seed % 6), chance.random()
        if what < 0.4:
            expected = chance.choice([0.0, 0.25, 1.0, 8.0])
            surely = chance.choice([0.0, 0.5, 1.0]) * expected
            each = Assignment(worker, Batch(chance.randint(1, 3), 0, 1), 1.0, expected, surely)
            due.given(each, now)
            model.given(each, now)
        elif what < 0.75:  # for a whole batch, for a part, or for what was never known
            due.answered(worker, now)
            model.answered(worker, now)
        elif what < 0.8:
            job, seconds = chance.randint(1, 3), chance.choice([0.0, 0.25, 4.0])
            due.goes_on(worker, job, seconds, now)
            model.goes_on(worker, job, seconds, now)
        elif what < 0.83:
            due.lost(worker)
            model.lost(worker)
        else:
            assert due.look(now) == model.look(now)
            for time in (now, now - 0.5, now - 3.0):
                assert due.idle_before(time) == any(each < time for each in model.idle.values())
    assert due.look(now + 100) == model.look(now + 100)


def test_nothing_piles_up_while_nobody_looks() -> None:
    # The program computes, and the progress thread drives, which does not ask.
    due, model = Due(), Model()
    for turn in range(10_000):
        for each in (due, model):
            each.given(batch(turn % 3, 1.0, 1.0), float(turn))
            each.answered(turn % 3, turn + 0.5)
            each.given(batch(3 + turn % 30, 1e6, 1e6), float(turn))
            each.answered(3 + turn % 30, turn + 0.75)
            each.given(batch(3 + turn % 30, 1e6, 1e6), float(turn))
    assert len(due._order) <= 4 * 33 + FEW
    assert due.look(2e6) == model.look(2e6)


def test_what_is_not_wanted_any_more_is_forgotten() -> None:
    due = Due()
    for turn in range(1000):
        due.given(batch(1, 1.0, 1.0), float(turn))
        due.look(turn + 0.5)
        due.answered(1, turn + 0.75)
    due.look(2000.0)
    assert not due._order
    assert not due._wanted


class Counted(float):
    """A time that counts how often it is compared."""

    compared = 0

    def __lt__(self, other: float) -> bool:
        Counted.compared += 1
        return float(self) < float(other)

    def __add__(self, other: float) -> Counted:
        return Counted(float(self) + float(other))


def test_ten_thousand_workers_cost_the_logarithm() -> None:
    due, workers = Due(), 10_000
    chance = Random(0)
    for worker in range(workers):
        due.given(batch(worker, 1.0, chance.random()), Counted(0.0))
    Counted.compared = 0
    rounds = 2000
    for turn in range(rounds):
        now = 1.0 + turn / rounds
        worker = turn % workers
        due.answered(worker, Counted(now))
        due.given(batch(worker, 1.0, chance.random()), Counted(now))
        due.look(now)
    # The logarithm of 10,000 is 13; one entry goes in and about one comes out at each turn.
    assert Counted.compared < 40 * (rounds + workers)
