"""The items of a sweep over the in-memory link: whoever dies or fails, each ends for good once."""

from __future__ import annotations

import itertools
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest

from scoopmpi.executors.farm_results import FarmResults
from scoopmpi.scheduling.batching import Policy
from scoopmpi.scheduling.ranges import Batch
from scoopmpi.sweep import halting
from scoopmpi.sweep.asked import SweepOptions
from scoopmpi.sweep.command.command import Call
from scoopmpi.sweep.conducting import course, signalled
from scoopmpi.sweep.conducting.course import Course
from scoopmpi.sweep.conducting.preparing import Parts
from scoopmpi.sweep.conducting.scripts import Scripts
from scoopmpi.sweep.conducting.workers import Workers
from scoopmpi.sweep.former import Former
from scoopmpi.sweep.items.array import Numbers
from scoopmpi.sweep.items.ended import Ended
from scoopmpi.sweep.items.identity import Identity
from scoopmpi.sweep.items.item import Item
from scoopmpi.sweep.running.plan import Plan
from scoopmpi.tasks import current_executor
from tests.support.link import PATIENCE, Ranks

pytestmark = pytest.mark.filterwarnings("ignore:the program was not started by scoopmpi")
SEEDS = range(8)
ITEMS = 60


class Nothing:
    """A command that is not started."""

    name = "nothing"

    def digest(self) -> bytes:
        return b""

    def call(self, variables: Any) -> Call:
        return Call(["true"])


class Outputs:
    """A sink that counts."""

    def __init__(self) -> None:
        self.expected_numbers: list[int] = []
        self.ended: list[Ended] = []
        self.shown = 0
        self.commands: set[str] = set()

    def expected(self, item: Item) -> None:
        self.expected_numbers.append(item.number)

    def add(self, ended: Ended) -> None:
        self.ended.append(ended)

    def show(self) -> None:
        self.shown = len(self.ended)

    def close(self, hurry: bool = False) -> int:
        return 0

    def told(self, ended: Ended, command: str) -> None:
        self.commands.add(command)

    @property
    def numbers(self) -> list[int]:
        return sorted(ended.number for ended in self.ended)


class World:
    """A sweep on some workers, each on a host of its own; what an item does is a function of it."""

    def __init__(self, ranks: Ranks) -> None:
        self.ranks = ranks
        self.outputs = Outputs()
        self.begun: Counter[int] = Counter()
        self.status: Callable[[int, str], int] = lambda number, host: 0
        self.course: Course | None = None

    def runs(self, number: int, rank: int) -> Ended:
        self.begun[number] += 1
        host = self.ranks.farm.members.host(rank)
        status = self.status(number, host)
        return Ended(number, b"", rank, host, status, 0.0, 0.001)

    def given_when_it_comes(self, number: int) -> set[int]:
        """The items that workers have, or have had, when the answer of one comes to rank 0."""
        scheduler, given = self.ranks.farm._scheduler, set[int]()
        finished = scheduler.finished

        def heard(worker: int, batch: Batch, *facts: Any) -> Any:
            if not given and batch.start < number <= batch.stop:
                held = [each for rank in (1, 2, 3) for each in scheduler.held(rank)]
                given.update(self.begun, *(range(each.start + 1, each.stop + 1) for each in held))
            return finished(worker, batch, *facts)

        scheduler.finished = heard  # type: ignore[method-assign, assignment]
        return given

    def sweep(self, items: int = ITEMS, source: Any = None, **options: Any) -> Course:
        source = source or Numbers(f"1-{items}")
        halt = halting.read(options["halt"]) if "halt" in options else None
        joblog: Any = SimpleNamespace(ended=self.outputs.told)
        parts = Parts(
            SweepOptions(**options), source, Identity(source.columns, b""),
            Plan(Nothing(), source.columns), Scripts(), halt, None, joblog, self.outputs,
            Former(None, False),
        )  # fmt: skip
        made = self.course = Course(parts, Workers())
        made.run()
        return made


world: World


class Runs:
    """In the place of the runner: what an item does is decided by the test."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.__qualname__ = "runs"

    def __call__(self, item: Item) -> Ended:
        worker = world.ranks.acting
        assert worker is not None
        return world.runs(item.number, worker.rank)


@pytest.fixture(params=SEEDS)
def ranks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    global world
    names = (f"n{rank}" for rank in itertools.count(1))  # of workers in their order, as they join
    seed = request.param
    eager = Policy(target=0, shortest=0, message=0)  # every budget is over at once
    with monkeypatch.context() as patch:
        patch.setattr(socket, "gethostname", lambda: next(names))
        world = World(Ranks(3, seed, eager if seed % 2 else Policy(), successors=True))
    monkeypatch.setattr(course, "Runner", Runs)
    current_executor.install(world.ranks.executor)
    yield world
    current_executor.install(None)
    world.ranks.settle()
    world.ranks.farm._scheduler.check()


def test_all_items_run_once_and_are_told_in_order(ranks: World) -> None:
    made = ranks.sweep(batch="a script")
    assert (made.well, list(made.failed)) == (ITEMS, [])
    assert ranks.outputs.commands == {"true 'a script'"}, "in the joblog"
    assert ranks.outputs.expected_numbers == list(range(1, ITEMS + 1))
    assert ranks.outputs.numbers == list(range(1, ITEMS + 1))
    assert set(ranks.begun.values()) == {1}


def test_what_fails_is_tried_again_and_the_last_try_counts(ranks: World) -> None:
    ranks.status = lambda number, host: int(number == 7 or ranks.begun[number] < number % 3)
    made = ranks.sweep(retries=2)
    assert list(made.failed) == [7]
    assert ranks.begun[7] == 3
    assert ranks.outputs.numbers == list(range(1, ITEMS + 1))


def test_the_host_on_which_all_fails_is_left_out_and_no_item_fails(
    ranks: World, capsys: pytest.CaptureFixture[str]
) -> None:
    ranks.status = lambda number, host: int(host == "n2")
    made = ranks.sweep(items=400)
    assert (made.well, list(made.failed)) == (400, [])
    assert ranks.outputs.numbers == list(range(1, 401))
    assert "host n2 is left out" in capsys.readouterr().err


@pytest.mark.parametrize("suspected", [False, True])
def test_a_host_that_is_alone_at_first_is_left_out_when_others_have_joined(
    ranks: World, suspected: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """suspected: whether so much has failed by then that the others are waited for, for long."""
    channels, turn = ranks.ranks.link.channels, ranks.ranks.turn
    late = {rank: channels[rank, 0].popleft() for rank in (2, 3)}
    alone, turns = ranks.ranks.workers[0].rank, itertools.count()

    def turn_after_turn() -> None:
        assert ranks.course is not None
        waited_for = ranks.course._hosts.suspected is not None
        long = PATIENCE + 1000 if suspected else 100
        if late and (waited_for or not suspected) and next(turns) > long:
            for rank in tuple(late):
                channels[rank, 0].append(late.pop(rank))
        turn()

    ranks.ranks.turn = turn_after_turn  # type: ignore[method-assign]
    ranks.status = lambda number, host: int(host == ranks.ranks.farm.members.host(alone))
    made = ranks.sweep(items=400)
    assert (made.well, list(made.failed), late) == (400, [], {})
    assert ranks.outputs.numbers == list(range(1, 401))
    assert capsys.readouterr().err.count("fails at once on host n2: waiting 30 s") == suspected


def test_where_all_fails_everywhere_all_has_failed(
    ranks: World, capsys: pytest.CaptureFixture[str]
) -> None:
    ranks.status = lambda number, host: 1
    made = ranks.sweep(items=200)
    assert sorted(made.failed) == list(range(1, 201))
    assert "left out" not in capsys.readouterr().err


def test_workers_die_and_each_item_ends_once(ranks: World) -> None:
    chance = ranks.ranks.link.chance

    def status(number: int, host: str) -> int:
        if number % 20 == 0 and ranks.begun[number] == 1 and chance.random() < 0.5:
            ranks.ranks.die()
        return int(number % 9 == 0)

    ranks.status = status
    made = ranks.sweep()
    assert sorted(made.failed) == list(range(9, ITEMS + 1, 9))
    assert ranks.outputs.numbers == list(range(1, ITEMS + 1))


def test_an_item_that_kills_its_workers_is_lost_and_has_its_number(ranks: World) -> None:
    def status(number: int, host: str) -> int:
        if number == 17:
            ranks.ranks.die()
        return 0

    ranks.status = status
    made = ranks.sweep()
    assert list(made.failed) == [17]
    lost = next(ended for ended in ranks.outputs.ended if ended.number == 17)
    assert (lost.why, lost.well) == ("lost", False)
    assert ranks.outputs.numbers == list(range(1, ITEMS + 1))


def test_the_host_is_left_out_while_workers_die(ranks: World) -> None:
    """Also where only that one is left: then items have failed, and none hangs."""
    chance = ranks.ranks.link.chance

    def status(number: int, host: str) -> int:
        if host != "n2" and chance.random() < 0.01:
            ranks.ranks.die()
        return int(host == "n2")

    ranks.status = status
    made = ranks.sweep(items=300)
    assert made.well + len(made.failed) == 300
    assert ranks.outputs.numbers == list(range(1, 301))


@pytest.mark.parametrize(("halt", "more"), [("soon,fail=1", True), ("now,fail=1", False)])
def test_a_sweep_ends_early_and_what_has_ended_is_told_once(
    ranks: World, halt: str, more: bool
) -> None:
    allowed = ranks.given_when_it_comes(20)
    ranks.status = lambda number, host: int(number == 20)
    made = ranks.sweep(items=3000, halt=halt)
    assert set(ranks.begun) <= allowed, "what workers had is all that may begin"
    assert made.halted
    numbers = ranks.outputs.numbers
    assert 20 in numbers and len(numbers) == len(set(numbers)) < 3000
    assert made.well + len(made.failed) == len(numbers)
    if more:  # all that has begun has ended, and is told
        assert numbers == sorted(ranks.begun)


def test_a_sweep_ends_when_enough_is_done(ranks: World) -> None:
    made = ranks.sweep(items=3000, halt="soon,success=10")
    assert made.halted and 10 <= made.well < 3000


def test_where_items_are_read_further_rank_0_keeps_no_more_than_a_window(ranks: World) -> None:
    most = 0

    def status(number: int, host: str) -> int:
        nonlocal most
        assert ranks.course is not None
        most = max(most, len(ranks.course.supply._at))
        return 0

    ranks.status = status
    ranks.sweep(items=6000)
    assert 0 < most <= Workers().window


@pytest.mark.parametrize("halt", ["soon,fail=3", "soon,fail=50%", "soon,success=30%"])
def test_tries_and_deaths_hold_up_no_sweep_that_may_halt(ranks: World, halt: str) -> None:
    """Tasks wait for a decision behind each failure, also where there is nothing to decide."""
    chance = ranks.ranks.link.chance

    def status(number: int, host: str) -> int:
        if number % 25 == 0 and ranks.begun[number] == 1 and chance.random() < 0.5:
            ranks.ranks.die()
        return int(number % 10 == 0 or (number % 3 == 0 and ranks.begun[number] < 3))

    ranks.status = status
    made = ranks.sweep(items=200, halt=halt, retries=3)
    assert made.halted == (halt != "soon,fail=50%")
    assert len(ranks.outputs.numbers) == made.well + len(made.failed)
    if not made.halted:
        assert sorted(made.failed) == list(range(10, 201, 10))


def test_what_has_come_is_taken_in_when_a_signal_ends_the_sweep(
    ranks: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    came: list[Any] = []
    taken = FarmResults.outcomes

    def outcomes(results: FarmResults) -> list[Any]:
        found = taken(results)
        came.extend(found)
        return found

    over = ranks.outputs.add

    def add(ended: Ended) -> None:
        if len(ranks.outputs.ended) == 7:
            ranks.ranks.farm.interrupt(SystemExit(143))
        over(ended)

    monkeypatch.setattr(FarmResults, "outcomes", outcomes)
    monkeypatch.setattr(ranks.outputs, "add", add)
    with pytest.raises(SystemExit):
        ranks.sweep(items=3000)
    assert ranks.course is not None
    assert ranks.outputs.numbers == sorted(ended.number for ended in came)
    assert 7 < ranks.course.well == len(came) < 3000


@pytest.mark.parametrize("status", [-signal.SIGTERM, 128 + signal.SIGTERM])
def test_who_ends_all_of_a_job_has_items_run_again(
    ranks: World, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """The signal of an item comes before that of the sweep; where none comes it has failed."""
    monkeypatch.setattr(signalled, "LATER", 0.05)
    ranks.status = lambda number, host: status if number in (5, 9) else 0
    made = ranks.sweep()
    assert sorted(made.failed) == [5, 9]
    monkeypatch.setattr(signalled, "LATER", 60.0)
    over = ranks.outputs.add

    def add(ended: Ended) -> None:
        if ended.number == 30:
            ranks.ranks.farm.interrupt(SystemExit(143))
        over(ended)

    monkeypatch.setattr(ranks.outputs, "add", add)
    with pytest.raises(SystemExit):
        ranks.sweep()
    assert ranks.course is not None and not ranks.course.failed


class Asked:
    """Items each of which is made when the one before it has ended."""

    columns = ("ITEM",)
    variables: Mapping[str, str] = MappingProxyType({})
    size = None

    def __init__(self, outputs: Outputs, items: int) -> None:
        self._outputs, self._items = outputs, items

    def __iter__(self) -> Iterator[Item]:
        for number in range(1, self._items + 1):
            yield Item(number, (str(number),))
            until = time.monotonic() + 20
            while number not in self._outputs.numbers:
                assert time.monotonic() < until, "it waits for the next item"
                time.sleep(0.001)


def test_who_makes_items_may_wait_for_the_ones_before(ranks: World) -> None:
    made = ranks.sweep(source=Asked(ranks.outputs, 6))
    assert (made.well, ranks.outputs.numbers) == (6, [1, 2, 3, 4, 5, 6])


def test_what_has_come_is_shown_at_once(ranks: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(course, "LOOK", 60.0)
    made = ranks.sweep()
    assert ranks.outputs.shown == made.well > 0
