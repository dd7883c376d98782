"""Large results that leave before their batch ends, over the in-memory link.

Whatever comes between, every value is the task's own, and each task is counted once; one
interleaving for each seed.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from scoopmpi import futures
from scoopmpi.process import identity
from scoopmpi.scheduling.batching import Policy
from scoopmpi.tasks import current_executor
from scoopmpi.watching import task_log
from scoopmpi.wire.messages import Finished
from scoopmpi.wire.payload import pickle
from scoopmpi.worker import answers
from scoopmpi.worker.watched import Watch, WatchedBatch
from tests.support.link import Ranks
from tests.support.memory_farm import EAGER

pytestmark = pytest.mark.timeout(60)
SEEDS = range(16)
LARGE = 4000
KEEN = Policy(target=10.0)
"""Large batches, whatever this machine is doing."""
tries: Counter[int] = Counter()


class Scene:
    """The ranks of the running test, and its tasks' chances."""

    ranks: Ranks
    log: Any
    parts: int
    deaths = looks = 0.0


@pytest.fixture(params=SEEDS)
def ranks(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Ranks]:
    """A farm that `futures` speaks to, and whose tasks are logged for some seeds; settled."""
    monkeypatch.setattr(identity.this, "started", True)
    monkeypatch.setattr(answers, "LEAVES", LARGE)
    monkeypatch.setattr(answers, "UNCOPIED", 3 * LARGE)
    tries.clear()
    seed = request.param
    Scene.log = task_log.begun("task_log", str(tmp_path / "log")) if seed % 3 == 0 else None
    policy = EAGER if seed % 4 == 1 else KEEN
    readers = [Scene.log] if Scene.log else []
    found = Scene.ranks = Ranks(1 + seed % 3, seed, policy, 20, readers)
    Scene.deaths, Scene.looks, Scene.parts = 0.0, 0.2, 0
    count_parts(found, monkeypatch)
    for worker in found.workers if Scene.log else ():
        worker.batches.open = partial(WatchedBatch, watch=Watch(True, None, worker.task_ended))
    current_executor.install(found.executor)
    yield found
    found.settle()
    found.farm._scheduler.check()
    assert found.link.empty
    if policy is KEEN and len(found.workers) == 1:
        assert Scene.parts, "nothing has left before its batch ended"
    current_executor.install(None)


def count_parts(ranks: Ranks, monkeypatch: pytest.MonkeyPatch) -> None:
    router = ranks.farm._loop._router
    handle = router.handle

    def counts(sender: int, message: Any) -> None:
        Scene.parts += isinstance(message, Finished) and message.goes_on
        handle(sender, message)

    monkeypatch.setattr(router, "handle", counts)


def look() -> None:
    """Now and then the progress thread has its turn, as in a long task; or the worker dies."""
    ranks = Scene.ranks
    worker = ranks.acting
    if worker is not None and ranks.link.chance.random() < Scene.looks:
        worker.overdue.turn()
    if worker is not None and len(ranks.workers) > 1 and ranks.link.chance.random() < Scene.deaths:
        ranks.die()


class Interrupted:
    """A result in whose pickling the progress thread has its turn."""

    def __init__(self, memory: Any) -> None:
        self.memory = memory

    def __reduce_ex__(self, protocol: Any) -> Any:
        look()
        return bytes, (pickle.PickleBuffer(self.memory),)


memory = bytearray(3 * LARGE)
"""Of all tasks: each writes into it, and returns it or a part."""


def result(task: int) -> Any:
    look()
    size = (0, 8, LARGE // 2, 3 * LARGE)[task % 4]
    if not size:
        return task
    memory[:size] = bytes([task % 251]) * size
    return Interrupted(memoryview(memory)[:size])


def expected(task: int) -> Any:
    size = (0, 8, LARGE // 2, 3 * LARGE)[task % 4]
    return bytes([task % 251]) * size if size else task


def flaky(task: int) -> Any:
    tries[task] += 1
    if task % 5 == 0 and tries[task] < 2:
        raise OSError(task)
    if task % 7 == 0:
        raise KeyError(task)
    return result(task)


def nested(task: int) -> Any:
    inner = list(futures.map(result, range(task, task + 4)))
    assert inner == [expected(each) for each in range(task, task + 4)]
    return result(task)


def texts(task: int) -> str:
    look()
    return str(task) * (1 if task % 3 else 1 << 17)


def test_values_are_their_tasks_own(ranks: Ranks) -> None:
    assert list(futures.map(result, range(80))) == [expected(task) for task in range(80)]


def test_submitted_calls(ranks: Ranks) -> None:
    calls = [futures.submit(result, task) for task in range(60)]
    assert [call.result() for call in calls] == [expected(task) for task in range(60)]


def test_failures_and_second_tries(ranks: Ranks) -> None:
    found = list(futures.map(flaky, range(60), retries=2, retry_on=OSError, return_exceptions=True))
    for task, value in enumerate(found):
        if task % 7 == 0:
            assert isinstance(value, KeyError)
        else:
            assert value == expected(task)


def test_tasks_that_wait_for_tasks(ranks: Ranks) -> None:
    assert list(futures.map(nested, range(24))) == [expected(task) for task in range(24)]


def test_long_texts(ranks: Ranks) -> None:
    found = list(futures.map(texts, range(20)))
    assert found == [str(task) * (1 if task % 3 else 1 << 17) for task in range(20)]


def test_workers_that_die(ranks: Ranks) -> None:
    Scene.deaths = 0.02
    assert list(futures.map(result, range(60))) == [expected(task) for task in range(60)]
    Scene.parts += 1  # they may all have died before


@pytest.mark.parametrize("ranks", SEEDS[::3], indirect=True)
def test_each_task_is_once_in_the_log(ranks: Ranks, tmp_path: Path) -> None:
    list(futures.map(result, range(80)))
    ranks.settle()
    Scene.log.farm_closed(0)
    found: Counter[int] = Counter()
    with (tmp_path / "log").open(newline="") as file:
        for row in csv.DictReader(file):
            assert row["outcome"] == "ok"
            found.update(range(int(row["index"]), int(row["index"]) + int(row["tasks"])))
    assert found == Counter(range(80))
