"""Readers come, hear, fail and go; the farm goes on."""

from __future__ import annotations

import logging

import pytest

from scoopmpi import futures
from scoopmpi.process import identity
from scoopmpi.tasks import current_executor
from scoopmpi.watching.door import EVENTS, Door
from scoopmpi.watching.observer import Observer
from scoopmpi.watching.tally import Tally
from tests.support.link import Ranks


class Hears(Observer):
    """Notes which events it has heard, and fails at one of them."""

    def __init__(self, fails_at: str = "") -> None:
        self.heard: list[str] = []
        self._fails_at = fails_at

    def worker_joined(self, worker: int, host: str, pid: int) -> None:
        self._hear("worker_joined")

    def job_begun(
        self, job: int, kind: str, name: str, size: int | None, progress: bool | str | None
    ) -> None:
        self._hear(f"{kind} {size}")

    def job_ended(self, job: int) -> None:
        self._hear("job_ended")

    def tasks_assigned(self, job: int, worker: int, start: int, tasks: int, attempt: int) -> None:
        self._hear("tasks_assigned")

    def _hear(self, event: str) -> None:
        self.heard.append(event)
        if event == self._fails_at:
            raise ZeroDivisionError("a fault of the reader's")


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process is a rank of a farm."""
    monkeypatch.setattr(identity.this, "started", True)


def square(x: int) -> int:
    return x * x


def test_each_event_reaches_those_who_hear_it() -> None:
    first, second = Hears(), Hears()
    door = Door([first])
    assert door.open and not Door().open
    door.worker_joined(1, "n1", 17)
    door.add(second)
    door.job_begun(1, "map", "square", 3, None)
    door.farm_closed(0)  # neither has it
    door.remove(first)
    door.job_ended(1)
    assert first.heard == ["worker_joined", "map 3"]
    assert second.heard == ["map 3", "job_ended"]
    door.remove(second)
    assert not door.open
    assert len(EVENTS) > 15 and "tasks_finished" in EVENTS


@pytest.mark.parametrize("fails_at", ["worker_joined", "tasks_assigned", "job_ended"])
def test_a_reader_that_fails_is_left_out_and_told_of_once(
    fails_at: str, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = Hears(fails_at), Hears()
    ranks = Ranks(2, 1, readers=[bad, good])
    current_executor.install(ranks.executor)
    try:
        with caplog.at_level(logging.WARNING, logger="scoopmpi"):
            for _ in range(2):
                assert list(futures.map(square, range(50))) == [x * x for x in range(50)]
            ranks.settle()
    finally:
        current_executor.install(None)
    told = [each.getMessage() for each in caplog.records]
    assert len(told) == 1 and f"Hears has failed at {fails_at}" in told[0]
    assert "the run goes on: ZeroDivisionError: a fault of the reader's" in told[0]
    assert bad.heard.count(fails_at) == 1 and good.heard.count(fails_at) > 1
    assert good.heard.count("job_ended") == 2


def test_a_reader_that_comes_late_hears_of_what_is_there() -> None:
    ranks = Ranks(2, 1)
    current_executor.install(ranks.executor)
    late, tally = Hears(), Tally()
    try:
        values = futures.map(square, iter(range(300)))
        assert next(values) == 0
        for reader in (late, tally):
            ranks.farm.observe(reader)
        assert sum(values) == sum(x * x for x in range(300))
        ranks.farm.ignore(late)
        heard = list(late.heard)
        assert list(futures.map(square, [2])) == [4]
        ranks.settle()
    finally:
        current_executor.install(None)
    assert late.heard == heard
    assert heard[:4] == ["worker_joined", "worker_joined", "calls None", "map None"]
    assert {each.counts.left for each in tally.functions.values()} == {0}
    assert tally.total.running == 0 and tally.total.finished > 200


@pytest.mark.parametrize("size", [0, 1, 64, 1000])
def test_the_size_of_a_generator_is_told_once_it_is_known(size: int) -> None:
    sizes: list[int] = []

    class Sizes(Observer):
        def job_begun(
            self, job: int, kind: str, name: str, size: int | None, progress: bool | str | None
        ) -> None:
            sizes.extend([] if size is None else [size])

        def job_sized(self, job: int, size: int) -> None:
            sizes.append(size)

    tally = Tally()
    ranks = Ranks(2, 1, readers=[Sizes(), tally])
    current_executor.install(ranks.executor)
    try:
        assert len(list(futures.map(square, (x for x in range(size))))) == size
        ranks.settle()
    finally:
        current_executor.install(None)
    assert sizes == [size]
    assert (tally.total.known, tally.total.finished) == (size, size)
