"""The table of tasks: every task of every map once, whatever happens to workers."""

from __future__ import annotations

import csv
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from scoopmpi import futures, task
from scoopmpi.process import identity
from scoopmpi.process.named_files import NameProblem
from scoopmpi.scheduling.batching import Policy
from scoopmpi.tasks import current_executor, stretch
from scoopmpi.tasks.stretch import Timed, lines
from scoopmpi.watching import task_log
from scoopmpi.watching.verbose import Verbose
from scoopmpi.wire.errors import WorkerLost
from scoopmpi.worker.watched import Watch, WatchedBatch
from tests.support.link import Ranks

pytestmark = pytest.mark.timeout(60)
EAGER = Policy(target=0, shortest=0, message=0)
SEEDS = range(10)
Rows = list[dict[str, str]]


class Scene:
    """The ranks of the running test, and how likely a task dies with its worker."""

    ranks: Ranks
    deaths = 0.0


@contextmanager
def logged(path: Path, seed: int, workers: int = 3, retries: int = 20) -> Iterator[Rows]:
    """A farm whose tasks are logged; the rows are there at its end."""
    log = task_log.begun("task_log", str(path))
    policy = EAGER if seed % 2 else Policy()
    readers = (Verbose(), log) if seed % 3 else (log,)
    ranks = Scene.ranks = Ranks(workers, seed, policy, retries, readers)
    for worker in ranks.workers:
        worker.batches.open = partial(WatchedBatch, watch=Watch(True, None, worker.task_ended))
    current_executor.install(ranks.executor)
    before, identity.this.started = identity.this.started, True
    rows: Rows = []
    try:
        yield rows
        ranks.settle()
        log.farm_closed(0)
        rows += read(path)
    finally:
        identity.this.started = before
        current_executor.install(None)


def read(path: Path) -> Rows:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def tasks_of(rows: Rows, number: int, *outcomes: str) -> Counter[int]:
    """How often each task of a map is in the table."""
    found: Counter[int] = Counter()
    for row in rows:
        if row["map"] == str(number) and row["outcome"] in outcomes:
            start = int(row["index"])
            found.update(range(start, start + int(row["tasks"])))
    return found


def once(tasks: int) -> Counter[int]:
    return Counter(dict.fromkeys(range(tasks), 1))


def square(x: int) -> int:
    ranks = Scene.ranks
    if len(ranks.workers) > 1 and ranks.link.chance.random() < Scene.deaths:
        ranks.die()
    return x * x


def every_third_raises(x: int) -> int:
    if x % 3 == 0:
        raise ValueError("first line\nsecond line " + "x" * 500)
    return x


def tree(depth: int) -> int:
    return sum(futures.map(tree, [depth - 1] * 3)) if depth else 1


def kills(x: int) -> int:
    if x == 3:
        Scene.ranks.die()
    return x


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("deaths", [0.0, 0.05])
def test_each_task_of_each_map_is_there_once(seed: int, deaths: float, tmp_path: Path) -> None:
    Scene.deaths = deaths
    began = time.monotonic()
    with logged(tmp_path / "log", seed, workers=6) as rows:
        list(futures.map(square, range(100)))
        list(futures.map(square, iter(range(40))))
    assert [tasks_of(rows, number, "ok") for number in (1, 2)] == [once(100), once(40)]
    assert 0 < sum(float(row["seconds"] or 0) for row in rows) < time.monotonic() - began
    assert {row["outcome"] for row in rows} <= {"ok", "lost"}
    assert bool(tasks_of(rows, 1, "lost") + tasks_of(rows, 2, "lost")) <= bool(deaths)
    again = [row for row in rows if row["attempt"] != "1" and row["outcome"] == "ok"]
    assert bool(again) <= bool(deaths)


@pytest.mark.parametrize("seed", SEEDS)
def test_calls_with_their_names_and_what_they_raise(seed: int, tmp_path: Path) -> None:
    Scene.deaths = 0.0
    with logged(tmp_path / "log", seed) as rows:
        calls = [futures.submit(every_third_raises, x) for x in range(30)]
        calls += [futures.submit(square, x) for x in range(5)]
        cancelled = calls[-1].cancel()
        for call in calls[: -1 if cancelled else None]:
            call.exception()
    failed = tasks_of(rows, 0, "failed")
    assert failed == Counter(dict.fromkeys(range(0, 30, 3), 1))
    assert tasks_of(rows, 0, "ok", "failed", "cancelled") == once(35)
    assert tasks_of(rows, 0, "cancelled") == Counter({34: 1} if cancelled else {})
    texts = {row["error"] for row in rows if row["outcome"] == "failed"}
    assert len(texts) == 1 and texts.pop().startswith("ValueError: first line second line xxx")
    assert all(len(row["error"]) <= 200 for row in rows)
    named = {row["function"].rpartition(".")[2] for row in rows if row["outcome"] == "ok"}
    assert named == {"every_third_raises", "square"}


@pytest.mark.parametrize("seed", SEEDS)
def test_tasks_of_tasks_are_there_where_they_change_workers(seed: int, tmp_path: Path) -> None:
    with logged(tmp_path / "log", seed, workers=4) as rows:
        assert sum(futures.map(tree, [3, 3])) == 54
    assert tasks_of(rows, 1, "ok") == once(2)
    assert {row["function"].rpartition(".")[2] for row in rows} == {"tree"}
    assert all(float(row["seconds"]) >= 0 for row in rows)


def raises_at_first(x: int) -> int:
    if x % 4 == 1 and task.attempt < 3:
        raise OSError("not yet")
    return x


@pytest.mark.parametrize("seed", SEEDS)
def test_each_attempt_of_a_task_that_raised_has_a_line(seed: int, tmp_path: Path) -> None:
    with logged(tmp_path / "log", seed) as rows:
        assert list(futures.map(raises_at_first, range(20), retries=2)) == list(range(20))
    assert tasks_of(rows, 1, "ok") == once(20)
    assert tasks_of(rows, 1, "failed") == Counter(dict.fromkeys(range(1, 20, 4), 2))
    again = [row for row in rows if row["index"] == "1" and row["outcome"] != "ok"]
    assert [row["attempt"] for row in again] == ["1", "2"]
    assert {row["error"] for row in again} == {"OSError: not yet"}


@pytest.mark.parametrize("retries", [0, 2])
def test_a_task_that_kills_is_lost_at_each_attempt(retries: int, tmp_path: Path) -> None:
    with (
        logged(tmp_path / "log", 1, workers=5, retries=retries) as rows,
        pytest.raises(WorkerLost),
    ):
        list(futures.map(kills, range(8)))
    lost = [row for row in rows if row["outcome"] == "lost" and row["index"] == "3"]
    assert [row["attempt"] for row in lost] == [str(n) for n in range(1, retries + 2)]
    assert {row["error"] for row in lost} == {"its worker died"}


def test_short_tasks_share_a_line_and_long_ones_do_not() -> None:
    seconds = [0.001, 0.002, 0.02, 0.001, 0.001, 0.001, 0.009, 0.0, 0.01, 0.01]
    tasks = [Timed(n, time, "g" if n == 7 else "f") for n, time in enumerate(seconds)]
    made = lines(tasks, {4: ("failed", "why")}, 2, 100.0)
    assert [(line.tasks, round(line.seconds, 3), line.outcome) for line in made] == [
        (2, 0.003, "ok"), (1, 0.02, "ok"), (1, 0.001, "ok"), (1, 0.001, "failed"),
        (2, 0.010, "ok"), (1, 0.0, "ok"), (1, 0.01, "ok"), (1, 0.01, "ok"),
    ]  # fmt: skip
    assert [line.began for line in made] == [100, 102, 103, 104, 105, 107, 108, 109]
    assert made[3].error == "why" and {line.attempt for line in made} == {2}
    assert lines([], {}, 1, 0.0) == []


def test_an_exception_whose_text_raises_is_told() -> None:
    class Bad(Exception):
        def __str__(self) -> str:
            raise SystemExit

    assert "Bad" in stretch.shortened(Bad())


def test_the_file_of_a_former_run_is_kept_and_that_of_a_crash_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "log"
    for goes_on, told in ((False, ""), (False, f"is now {path}.1\n"), (True, "")):
        log = task_log.begun("task_log", str(path), goes_on)
        log.tasks_recalled(1, 0, 3)
        log.farm_closed(0)
        assert capsys.readouterr().err.endswith(told)
    assert len(read(path)) == 2 and len(read(tmp_path / "log.1")) == 1
    assert read(path)[0]["outcome"] == "cached"


def test_a_log_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    for name in (tmp_path, tmp_path / "no" / "log"):
        with pytest.raises(NameProblem, match=f"--task-log {name} cannot be written: "):
            task_log.begun("--task-log", str(name))
