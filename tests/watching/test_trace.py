"""A trace of a farm: every task of every job in it once, whatever happens to workers and clocks."""

from __future__ import annotations

import heapq
import json
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from scoopmpi import futures
from scoopmpi.process import identity
from scoopmpi.process.named_files import NameProblem
from scoopmpi.scheduling.batching import Policy
from scoopmpi.tasks import current_executor
from scoopmpi.tasks.seen import NestedSpan, Seen
from scoopmpi.watching import grown_file
from scoopmpi.watching.tally import Tally
from scoopmpi.watching.trace import form, writing
from scoopmpi.watching.trace.book import Book
from scoopmpi.wire.errors import WorkerLost
from tests.support.link import Ranks
from tests.support.trace_checks import Event, checked, end, loaded, spans, total

pytestmark = pytest.mark.timeout(60)
EAGER = Policy(target=0, shortest=0, message=0)
SEEDS = range(8)
NAME = f"{__name__}."


class Scene:
    """The ranks of the running test, and how likely a task dies with its worker."""

    ranks: Ranks
    deaths = 0.0


@contextmanager
def traced(path: Path, seed: int, workers: int = 4, retries: int = 50) -> Iterator[Tally]:
    """A farm that is traced; its file is there at its end."""
    tally = Tally()
    trace = writing.begun("--trace", str(path), {"command": "test"})
    policy = EAGER if seed % 2 else Policy()
    ranks = Scene.ranks = Ranks(workers, seed, policy, retries, [tally, trace])
    current_executor.install(ranks.executor)
    before, identity.this.started = identity.this.started, True
    try:
        yield tally
        ranks.settle()
        trace.farm_closed(0)
    finally:
        identity.this.started = before
        current_executor.install(None)


def square(x: int) -> int:
    ranks = Scene.ranks
    if len(ranks.workers) > 1 and ranks.link.chance.random() < Scene.deaths:
        ranks.die()
    return x * x


def every_third_raises(x: int) -> int:
    if x % 3 == 0:
        raise ValueError("no threes")
    return x


def tree(depth: int) -> int:
    return sum(futures.map(tree, [depth - 1] * 3)) if depth else 1


def kills(x: int) -> int:
    Scene.ranks.die()
    return x


def by_job(found: list[Event], what: str = "tasks") -> Counter[int]:
    counts: Counter[int] = Counter()
    for each in found:
        counts[each["args"]["job"]] += each["args"].get(what, 0)
    return counts


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("deaths", [0.0, 0.05])
def test_each_task_counts_once_and_all_spans_nest(seed: int, deaths: float, tmp_path: Path) -> None:
    Scene.deaths = deaths
    path = tmp_path / "trace.json"
    with traced(path, seed) as tally:
        list(futures.map(square, range(100)))
        list(futures.map(square, iter(range(40))))
        calls = [futures.submit(square, number) for number in range(30)]
        assert sum(call.result() for call in calls) == sum(x * x for x in range(30))
        list(futures.map(tree, [3, 2, 3]))
        found = futures.map(every_third_raises, range(9), return_exceptions=True)
        assert sum(isinstance(each, ValueError) for each in found) == 3
    events = loaded(path)
    batches, said = spans(events), end(events)
    counts = by_job(batches)
    assert [counts[job] for job in (1, 2, 0, 3, 4)] == [100, 40, 30, 3, 9]
    assert total(batches, "failed") == tally.total.failed == said["totals"]["failed"]
    assert total(batches, "tasks") == tally.total.finished == said["totals"]["finished"]
    assert {each["name"] for each in batches if each["args"]["job"] == 0} == {NAME + "square"}
    lost = [each for each in events if each.get("cat") == "loss" and "tasks" in each["args"]]
    assert sum(each["args"]["tasks"] for each in lost) == tally.total.lost
    assert bool(lost) <= bool(deaths)


@pytest.mark.parametrize("seed", SEEDS)
def test_tasks_of_tasks_are_counted_where_they_ran(seed: int, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    with traced(path, seed):
        assert list(futures.map(tree, [4, 3, 4])) == [81, 27, 81]
    batches = spans(loaded(path))
    here = total(batches, "nested")
    elsewhere = sum(each["args"]["tasks"] for each in batches if each["args"]["job"] < 0)
    assert here + elsewhere == 2 * (3 + 9 + 27 + 81) + (3 + 9 + 27)
    assert {each["name"] for each in batches if each["args"]["job"] < 0} <= {NAME + "tree"}
    assert {each["name"] for each in spans(loaded(path), "nested")} <= {NAME + "tree"}


def test_a_batch_that_was_lost_has_a_span_up_to_the_loss(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    with traced(path, 1, workers=3, retries=0), pytest.raises(WorkerLost):
        list(futures.map(kills, range(3)))
    events = loaded(path)
    lost = [each for each in spans(events) if each["args"]["end"] == "lost"]
    assert lost and all(each["args"]["unended"] for each in lost) and not total(lost, "tasks")
    marks = [each for each in events if each.get("cat") == "loss"]
    assert {each["s"] for each in marks if each["name"].endswith("is lost")} == {"p"}


# Events as they might come, without a farm.


class Told:
    """A book, and what it has said so far."""

    def __init__(self, full: int = 1000, hosts: int = 1, workers: int = 4) -> None:
        self.lines: list[str] = []
        self.book = Book(self.lines.append, 0.0, "head", full)
        for worker in range(1, workers + 1):
            self.hear(0.0, "worker_joined", worker, f"node{worker % hosts}", 100 + worker)

    def hear(self, at: float, event: str, *facts: Any) -> None:
        self.book.hear(at, event, facts)

    def closed(self, at: float) -> list[Event]:
        self.hear(at, "farm_closed", 0)
        self.book.close(at, 0)
        return checked([json.loads(line) for line in self.lines])


def run(told: Told, batches: int, chance: random.Random, functions: int = 1) -> float:
    """Have workers run batches of some 10 ms; return when they have ended."""
    workers = list(told.book._places)
    for job in range(1, functions + 1):
        told.hear(0.0, "job_begun", job, "map", f"f{job}", 10 * batches, None)
    free: list[tuple[float, int, tuple[Any, ...]]] = [(0.0, each, ()) for each in workers]
    at, starts, looked = 0.0, Counter[int](), 0.0
    for number in range(batches + len(workers)):
        at, worker, ran = heapq.heappop(free)
        if ran:
            told.hear(at, "tasks_finished", *ran)
        if number >= batches:
            continue
        job = chance.randint(1, functions)
        start, began = starts[job], at + chance.random() / 1000
        ended = began + chance.expovariate(100)
        failed = chance.random() < 0.1
        seen = Seen(((began, ended),), peak=chance.randint(1, 9))
        told.hear(at, "tasks_assigned", job, worker, start, 10, 1)
        done = (job, worker, start, 10, int(failed), ended - began, seen)
        heapq.heappush(free, (ended + chance.random() / 1000, worker, done))
        starts[job] += 10
        if at > looked + 0.5:
            looked = at
            told.book.look(at)
    return at


@pytest.mark.parametrize("functions", [1, 2, 7])
def test_many_batches_are_put_together_and_nothing_is_lost(functions: int) -> None:
    told, batches = Told(full=500, workers=8), 20_000
    events = told.closed(run(told, batches, random.Random(1), functions))
    found = spans(events)
    said = end(events)
    assert total(found, "tasks") == 10 * batches and total(found, "batches") == batches
    assert total(found, "failed") == said["totals"]["failed"] > 0
    busy = sum(each["seconds"] for each in said["functions"].values())
    assert total(found, "busy") == pytest.approx(1e6 * busy, rel=1e-3)
    doublings = 12  # from 10 ms up to 40 s, which is longer than the run
    assert 500 < len(found) < 500 + doublings * 60
    assert 0 < said["coarsened"] < 40
    assert max(each["args"]["batches"] for each in found) > 10


def test_marks_jobs_and_counters_are_bounded() -> None:
    told = Told()
    for number in range(1, 60_001):
        at = number / 1000
        told.hear(at, "job_begun", number, "map", "f", 1, None)
        told.hear(at, "constants_set", number, 8)
        told.hear(at, "tasks_assigned", number, 1, 0, 1, 1)
        told.hear(at, "job_ended", number)
    events = told.closed(61.0)
    kinds = Counter((each["ph"], each.get("cat")) for each in events)
    left = end(events)["left_out"]
    assert 20_000 <= kinds["b", "job"] < 30_000 and kinds["b", "job"] + left["job"] == 60_000
    assert kinds["i", "constants"] + left["constants"] == 60_000
    assert kinds["i", "constants"] < 30_000 and kinds["C", None] < 30_000


def test_a_worker_that_says_nothing_has_spans_by_what_rank_0_knows() -> None:
    told = Told(workers=2)
    told.hear(1.0, "job_begun", 1, "map", "f", 9, None)
    told.hear(1.0, "tasks_assigned", 1, 1, 0, 2, 1)
    told.hear(1.5, "tasks_assigned", 1, 1, 2, 2, 1)
    told.hear(3.0, "tasks_finished", 1, 1, 0, 2, 0, 1.75, None)
    told.hear(4.0, "tasks_finished", 1, 1, 2, 1, 1, -1.0, None)
    told.hear(4.0, "tasks_handed_back", 1, 1, 3, 1)
    told.hear(4.5, "tasks_assigned", 1, 2, 3, 1, 1)
    told.hear(6.0, "tasks_finished", 9, 2, 0, 1, 0, 0.5, None)  # of a job that nobody knows
    told.hear(6.5, "tasks_lost", 1, 2, 3, 1, 1, False)
    told.hear(6.5, "worker_lost", 2, "node")
    found = [
        (each["tid"], each["ts"] / 1e6, each["dur"] / 1e6, each["args"]["end"])
        for each in spans(told.closed(8.0))
    ]
    assert found == [
        (1, 1.25, 1.75, "whole"), (1, 3.0, 1.0, "part"), (2, 5.5, 0.5, "whole"),
        (2, 6.0, 0.5, "lost"),
    ]  # fmt: skip


def test_hosts_whose_clocks_are_wrong_are_brought_together() -> None:
    told, wrong = Told(workers=2, hosts=2), {1: 3600.0, 2: -0.25}
    told.hear(0.0, "job_begun", 1, "map", "f", 20, None)
    for start in range(20):
        worker, at = 1 + start % 2, start + 1.0
        told.hear(at, "tasks_assigned", 1, worker, start, 1, 1)
        began, ended = at + wrong[worker] + 0.001, at + wrong[worker] + 0.9
        nested = (NestedSpan("g", began + 0.1, ended, 1, 1),)
        seen = Seen(((began, ended),), nested)
        told.hear(at + 0.901, "tasks_finished", 1, worker, start, 1, 0, 0.9, seen)
    events = told.closed(30.0)
    for number, each in enumerate(spans(events)):
        assert abs(each["ts"] - 1e6 * (number + 1.001)) < 2000 and each["dur"] == 899_000
    for number, each in enumerate(spans(events, "nested")):
        assert abs(each["ts"] - 1e6 * (number + 1.101)) < 2000


def test_what_is_guessed_and_what_is_said_never_overlap() -> None:
    """A batch that nobody has asked for its times seems to end when rank 0 hears of it."""
    told = Told(workers=1)
    told.hear(0.0, "job_begun", 1, "map", "f", 9, None)
    for start in range(3):
        told.hear(0.0, "tasks_assigned", 1, 1, start, 1, 1)
    told.hear(2.0, "tasks_finished", 1, 1, 0, 1, 0, 1.0, None)
    nested = (NestedSpan("g", 1.6, 1.7, 1, 1), NestedSpan("g", 1.9, 2.5, 1, 1))
    told.hear(3.5, "tasks_finished", 1, 1, 1, 1, 0, 1.5, Seen(((1.5, 3.0),), nested))
    told.hear(4.0, "tasks_finished", 1, 1, 2, 1, 0, 1.5, Seen(((0.5, 1.2), (3.1, 3.9))))
    found = [(each["ts"], each["dur"]) for each in spans(told.closed(5.0))]
    assert found == [
        (1_000_000, 1_000_000), (2_000_000, 1_000_000), (500_000, 500_000), (3_100_000, 800_000),
    ]  # fmt: skip


def test_a_task_that_was_set_aside_has_a_span_for_each_part_and_a_life() -> None:
    told = Told(workers=1)
    told.hear(0.0, "job_begun", 1, "map", "f", 3, None)
    told.hear(0.0, "tasks_assigned", 1, 1, 0, 2, 1)
    told.hear(1.0, "task_waits", 1, 1, 0)
    told.hear(1.0, "tasks_assigned", 1, 1, 2, 1, 1)
    told.hear(3.0, "tasks_finished", 1, 1, 2, 1, 0, 2.0, Seen(((1.0, 3.0),)))
    nested = (NestedSpan("g", 0.25, 1.0, 5, 1), NestedSpan("g", 3.5, 4.0, 2, 1))
    seen = Seen(((0.1, 1.0), (3.0, 4.0)), nested)
    told.hear(4.5, "tasks_finished", 1, 1, 0, 2, 1, 1.9, seen)
    events = told.closed(5.0)
    assert [(each["ts"], each["args"]["end"], each["args"]["tasks"]) for each in spans(events)] == [
        (1_000_000, "whole", 1), (100_000, "waits", 0), (3_000_000, "whole", 2),
    ]  # fmt: skip
    assert total(spans(events), "nested") == 7 and len(spans(events, "nested")) == 2
    life = [(each["ph"], each["ts"]) for each in events if each.get("cat") == "task"]
    assert life == [("b", 100_000), ("e", 4_000_000)]


def test_tasks_that_are_tried_again_count_when_they_end() -> None:
    told = Told(workers=1)
    told.hear(0.0, "job_begun", 1, "map", "f", 3, None)
    told.hear(0.0, "tasks_assigned", 1, 1, 0, 3, 1)
    told.hear(1.0, "tasks_put_off", 1, 1, 0, 2, -1.0, None)
    told.hear(1.0, "tasks_finished", 1, 1, 0, 1, 0, 1.0, Seen(((0.0, 1.0),)))
    told.hear(1.0, "tasks_assigned", 1, 1, 1, 2, 2)
    told.hear(2.0, "tasks_put_off", 1, 1, 1, 2, 1.0, Seen(((1.0, 2.0),)))
    told.hear(2.0, "tasks_assigned", 1, 1, 1, 2, 3)
    told.hear(3.0, "tasks_finished", 1, 1, 1, 2, 0, 1.0, Seen(((2.0, 3.0),)))
    found = [each["args"] for each in spans(told.closed(4.0))]
    assert [(each["tasks"], each.get("again", 0), each["attempt"]) for each in found] == [
        (1, 2, 1), (0, 2, 2), (2, 0, 3),
    ]  # fmt: skip


def test_what_is_held_back_before_the_end_of_the_job_is_marked() -> None:
    told = Told(workers=1)
    told.hear(0.0, "job_begun", 1, "map", "f", 9, None)
    told.hear(1.0, "job_paused", 1, True)
    told.hear(2.0, "program_stopped", 9, 60.0)
    events = told.closed(3.0)
    marks = [(each["name"], each["ts"]) for each in events if each.get("cat") == form.STOP]
    assert marks == [
        ("map 1 of f held back", 1_000_000), ("stopped before the end of the job", 2_000_000),
    ]  # fmt: skip


def test_what_runs_stands_at_the_end_of_the_file(tmp_path: Path) -> None:
    trace = writing.begun("--trace", str(tmp_path / "t.json"), {})
    book, file = trace._file.book, trace._file
    trace.worker_joined(1, "node", 7)
    trace.job_begun(1, "map", "f", 1, None)
    trace.tasks_assigned(1, 1, 0, 1, 1)
    file._hear()
    book.look(book.now + 60)
    behind = [json.loads(line.lstrip(",")) for line in _lines(file._to_stand_behind())[:-1]]
    assert [each["args"]["end"] for each in behind] == [form.RUNNING]
    assert _lines(file._to_stand_behind())[-1] == "]}"
    trace.farm_closed(0)
    (span,) = spans(loaded(tmp_path / "t.json"))
    assert span["args"]["end"] == form.RUNNING


def _lines(data: bytes) -> list[str]:
    return data.decode().splitlines()


def test_a_book_that_fails_is_told_of_once_and_the_file_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(grown_file, "GATHER", 0.01)
    trace = writing.begun("--trace", str(tmp_path / "t.json"), {})
    trace.worker_joined(1, "node", 7)
    monkeypatch.setattr(trace._file.book, "job_begun", lambda: None)
    for _ in range(3):
        trace.job_begun(1, "map", "f", 1, None)
    trace.farm_closed(0)
    assert len([line for line in caplog.messages if "it ends here, the run goes on" in line]) == 1
    assert json.loads((tmp_path / "t.json").read_text())["traceEvents"]


def test_the_file_of_a_former_run_is_put_aside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "t.json"
    path.write_text(older := form.head({"command": "older"}))
    writing.begun("--trace", str(path), {}).farm_closed(0)
    assert (tmp_path / "t.json.1").read_text() == older
    assert f"{path}.1" in capsys.readouterr().err
    loaded(path)
    with pytest.raises(NameProblem, match="no plain file"):
        writing.begun("--trace", "/dev/null", {})
    with pytest.raises(NameProblem, match="No such file or directory"):
        writing.begun("--trace", str(tmp_path / "none" / "t.json"), {})
