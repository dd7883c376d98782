"""What workers say of nested tasks and of memory: bounded, and nothing is counted twice."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from scoopmpi.tasks.seen import NestedSpan
from scoopmpi.worker import memory
from scoopmpi.worker.memory import Memory
from scoopmpi.worker.nested import spans
from scoopmpi.worker.nested.spans import NestedSpans, thinned
from tests.support.trace_checks import nested

pytestmark = pytest.mark.timeout(60)


class Clock:
    """A time that only moves when the test says so."""

    def __init__(self) -> None:
        self.now = 1.0

    def time(self) -> float:
        return self.now


class Job:
    """A nested job, as far as spans need it."""

    def __init__(self) -> None:
        self.front = 0


class Strand:
    def __init__(self, name: str) -> None:
        self.function = type(name, (), {"__module__": "__main__"})


@pytest.fixture
def clock() -> Clock:
    return Clock()


def run(log: NestedSpans, clock: Clock, chance: random.Random, depth: int) -> int:
    """Run tasks of tasks, on one stack; return how many."""
    ran = 0
    for _ in range(chance.randint(1, 3)):
        job, strand = Job(), Strand(chance.choice("ab"))
        frame = log.begin(job, strand)  # type: ignore[arg-type]
        clock.now += chance.expovariate(10_000)
        job.front += 1
        ran += 1
        if depth and chance.random() < 0.8:
            ran += run(log, clock, chance, depth - 1)
        if chance.random() < 0.05:  # it waits: others run on other stacks
            aside = log.set_aside()
            clock.now += 0.01
            ran += run(log, clock, chance, 1)
            clock.now += 0.01
            log.go_on(aside)
        clock.now += chance.expovariate(10_000)
        log.end(frame)
        clock.now += chance.expovariate(50_000)
    return ran


@pytest.mark.parametrize("seed", range(30))
def test_spans_of_nested_tasks_nest_and_count_each_task(seed: int, clock: Clock) -> None:
    log, chance = NestedSpans(clock.time), random.Random(seed)
    ran = run(log, clock, chance, seed % 12)
    found = log.taken()
    assert sum(span.tasks for span in found) == ran
    assert len(found) <= spans.MOST and all(span.ended > span.began for span in found)
    nested([
        {"ph": "X", "pid": 1, "tid": 1, "ts": span.began, "dur": span.ended - span.began}
        for span in found
    ])  # fmt: skip
    assert log.taken() == ()


def test_short_tasks_in_a_row_are_one_span(clock: Clock) -> None:
    log = NestedSpans(clock.time)
    for number in range(10_000):
        job = Job()
        frame = log.begin(job, Strand("a" if number < 5000 else "b"))  # type: ignore[arg-type]
        clock.now += 0.001
        job.front += 2
        log.end(frame)
        clock.now += 0.00001
    assert [(span.function, span.tasks) for span in log.taken()] == [("a", 10_000), ("b", 10_000)]


def test_what_is_thinned_out_counts_for_what_is_around_it() -> None:
    given = [
        NestedSpan("c", 1.1, 1.2, 3, 3), NestedSpan("b", 1.0, 1.5, 2, 2),
        NestedSpan("a", 0.0, 2.0, 1, 1), NestedSpan("a", 2.1, 2.2, 7, 1),
        NestedSpan("c", 3.1, 3.2, 11, 3),
    ]  # fmt: skip
    kept, left = thinned(given, 0.3)
    assert [(span.function, span.tasks) for span in kept] == [("b", 5), ("a", 8)]
    assert left == {3: 11}


def test_a_peak_is_of_the_function_that_took_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "LOOK", 0.0)
    looks = Memory()
    if looks._forget is None:
        pytest.skip("this system does not forget what a process took at most")
    looks.begins("small")
    looks.look(1.0)
    looks.begins("large")
    assert len(b"x" * 200_000_000) == 200_000_000
    resident, peak = looks.look(1.0)
    assert peak > resident + 150_000_000 and resident > 1_000_000
    assert len(b"x" * 200_000_000) == 200_000_000  # of "large" still, and nobody looks
    looks.begins("small")
    assert looks.look(1.0)[1] < peak - 100_000_000


def test_looks_are_seldom_but_for_a_function_that_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "LOOK", 3600.0)
    looks = Memory()
    looks.begins("a")
    assert looks.look(0.0)[0] and not looks.look(1.0)[0]
    looks.begins("b")
    assert not looks.look(0.001)[0] and looks.look(0.1)[0] and not looks.look(0.1)[0]


def test_a_system_that_tells_nothing_is_asked_otherwise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(memory, "_opened", lambda path, flags: None)
    resident, peak = Memory().look(0.0)
    assert resident == peak > 1_000_000
