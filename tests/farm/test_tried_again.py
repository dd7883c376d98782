"""Tasks that raise and are tried again, over the in-memory link: one interleaving for each seed."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import TimeoutError as WaitedTooLong
from typing import Any

import pytest

from scoopmpi import MPIExecutor, TaskTimeout, futures
from scoopmpi.farm import put_off
from scoopmpi.process import identity
from scoopmpi.scheduling.batching import Policy
from scoopmpi.tasks import current_executor
from scoopmpi.tasks.outcomes import OutcomeRange
from tests.support.link import Ranks
from tests.support.memory_farm import EAGER, SEEDS

pytestmark = pytest.mark.timeout(60)
RETRY: dict[str, Any] = {"retries": 3, "retry_delay": 0.0005, "retry_on": (OSError, KeyError)}
tries: Counter[Any] = Counter()
attempts: dict[Any, list[int]] = {}


class Scene:
    """The ranks of the running test."""

    ranks: Ranks


@pytest.fixture(params=SEEDS)
def ranks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ranks]:
    """A farm that `futures` speaks to; at the end of the test nothing is under way."""
    monkeypatch.setattr(identity.this, "started", True)
    tries.clear()
    attempts.clear()
    seed = request.param
    found = Scene.ranks = Ranks(1 + seed % 4, seed, EAGER if seed % 2 else Policy(), retries=20)
    current_executor.install(found.executor)
    yield found
    found.settle()
    found.farm._scheduler.check()
    assert found.link.empty
    current_executor.install(None)


def needed(task: int) -> int:
    """How often a task raises before it gives its value."""
    return task % 7 if task % 7 < 6 else 0


def flaky(task: int) -> Any:
    tries[task] += 1
    worker = Scene.ranks.acting
    assert worker is not None
    batch: Any = worker.batches.current
    attempts.setdefault(task, []).append(getattr(batch, "attempt", 0))
    if Scene.ranks.link.chance.random() < 0.2 and batch is not None:
        worker.overdue.turn()
    if tries[task] <= needed(task):
        raise (OSError, KeyError)[task % 2](task)
    return [task] if task % 3 else task


def expected(task: int, retries: int = 3) -> Any:
    if needed(task) > retries:
        return "failed", task
    return [task] if task % 3 else task


def seen(outcome: Any) -> Any:
    return ("failed", outcome.args[0]) if isinstance(outcome, Exception) else outcome


def test_a_map_has_the_values_of_the_last_tries(ranks: Ranks) -> None:
    found = list(futures.map(flaky, range(40), return_exceptions=True, **RETRY))
    assert list(map(seen, found)) == list(map(expected, range(40)))
    assert tries == {task: min(needed(task), 3) + 1 for task in range(40)}
    for numbers in attempts.values():
        assert numbers == list(range(1, len(numbers) + 1))
    lost = next(error for error in found if isinstance(error, Exception))
    assert "attempt 4" in str(lost.__cause__)


def test_in_any_order_and_from_an_iterator(ranks: Ranks) -> None:
    found = futures.map_as_completed(flaky, iter(range(30)), return_exceptions=True, **RETRY)
    assert sorted(map(repr, map(seen, found))) == sorted(map(repr, map(expected, range(30))))


def test_calls_have_retries_of_their_own(ranks: Ranks) -> None:
    calls = [futures.submit(flaky, task, **RETRY | {"retries": task % 3}) for task in range(30)]
    found = [seen(call.exception() or call.result()) for call in calls]
    assert found == [expected(task, task % 3) for task in range(30)]


def test_what_is_not_named_is_not_tried_again(ranks: Ranks) -> None:
    found = futures.map(flaky, range(8), return_exceptions=True, retries=9, retry_on=KeyError)
    for task, outcome in enumerate(found):
        failed = needed(task) > 0 and task % 2 == 0
        assert seen(outcome) == (("failed", task) if failed else expected(task, 9))


def dies_or_raises(task: int) -> int:
    tries[task] += 1
    ranks = Scene.ranks
    if len(ranks.workers) > 1 and ranks.link.chance.random() < 0.1:
        ranks.die()
    if tries[task] <= needed(task) or task == 3:
        raise OSError(task)
    return task


def test_workers_may_die_meanwhile(ranks: Ranks) -> None:
    found = list(futures.map(dies_or_raises, range(30), return_exceptions=True, retries=6))
    assert list(map(seen, found)) == [("failed", 3) if x == 3 else x for x in range(30)]


def nested(task: int) -> Any:
    values = futures.map(flaky_leaf, [10 * task + x for x in range(5)], **RETRY)
    calls = [futures.submit(flaky_leaf, 10 * task + 5 + x, **RETRY) for x in range(2)]
    return [*values, *(call.result() for call in calls)]


def flaky_leaf(task: int) -> int:
    tries[task] += 1
    if tries[task] <= task % 4:
        raise OSError(task)
    return task


def test_tasks_of_tasks_are_tried_again_where_they_are(ranks: Ranks) -> None:
    assert list(futures.map(nested, range(6))) == [
        list(range(10 * task, 10 * task + 7)) for task in range(6)
    ]


def fails(task: int) -> None:
    raise OSError(task)


def test_a_map_that_is_given_up_leaves_no_retry_behind(ranks: Ranks) -> None:
    values = futures.map_as_completed(flaky, range(20), **RETRY | {"retry_delay": 60})
    assert next(values) is not None  # some have raised, and wait for their time
    del values
    ranks.settle()
    assert not ranks.farm.busy


def test_the_timeout_of_a_map_holds_during_a_delay(ranks: Ranks) -> None:
    with pytest.raises(WaitedTooLong):
        list(futures.map(fails, [1], timeout=0.01, retries=5, retry_delay=60))


def test_an_executors_map_and_a_buffer_of_it(ranks: Ranks) -> None:
    for buffersize in (None, 3):
        tries.clear()
        executor = MPIExecutor()
        found = executor.map(
            flaky, range(14), buffersize=buffersize, return_exceptions=True, **RETRY
        )
        assert list(map(seen, found)) == list(map(expected, range(14)))


def outlives(task: int) -> None:
    tries[task] += 1
    time.sleep(30)


@pytest.mark.parametrize(("kind", "times"), [(OSError, 1), (TaskTimeout, 2), (TimeoutError, 2)])
def test_a_limit_is_outlived_again_only_where_that_is_named(
    kind: type[Exception], times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity.this, "started", True)
    tries.clear()
    ranks = Ranks(1, 1)
    current_executor.install(ranks.executor)
    asked = {"retries": 1, "retry_on": kind, "task_timeout": 0.05, "return_exceptions": True}
    (found,) = futures.map(outlives, [7], **asked)
    assert isinstance(found, TaskTimeout) and tries[7] == times
    current_executor.install(None)


def test_the_outcomes_that_are_final_are_those_between() -> None:
    part = OutcomeRange(10, 20, False, tuple("abcdefghij"), (0, 3, 4, 9))
    batches = [put_off.Batch(1, 10, 11), put_off.Batch(1, 13, 14), put_off.Batch(1, 18, 20)]
    first, second = put_off.without(part, batches)
    assert first == OutcomeRange(11, 13, False, ("b", "c"), ())
    assert second == OutcomeRange(14, 18, False, tuple("efgh"), (0,))
    assert put_off.without(part, [put_off.Batch(1, 10, 20)]) == []
    assert list(itertools.chain(put_off.without(part, []))) == [part]
