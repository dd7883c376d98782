"""The door to what runs tasks: what a map may be asked for, and what every executor answers."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from scoopmpi.executors.farm_executor import FarmExecutor
from scoopmpi.tasks import current_executor
from scoopmpi.tasks.executor import Executor, MapOptions, map_options
from scoopmpi.tasks.serial import SerialExecutor
from scoopmpi.worker.nested.executor import NestedExecutor
from tests.support.link import Ranks


def test_what_was_asked_for_is_one_value() -> None:
    options = map_options(abs, [[1]], 10, ordered=False, task_timeout=2)
    assert options == MapOptions(timeout=10, ordered=False, task_timeout=2)
    assert map_options(abs, [[1]], math.inf) == MapOptions()
    with pytest.raises(AttributeError):
        options.timeout = 1.0  # type: ignore[misc]


def test_a_deadline_counts_from_when_it_is_asked() -> None:
    assert MapOptions().deadline() is None
    deadline = MapOptions(timeout=60).deadline()
    assert deadline is not None and 59 < deadline - time.monotonic() <= 60


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ({"fn": 7}, TypeError, "the first argument must be a function, 7 is not callable"),
        ({"iterables": ()}, TypeError, "map needs at least one iterable of arguments"),
        ({"timeout": "1"}, TypeError, "timeout is '1', it must be a number of seconds"),
        ({"timeout": math.nan}, ValueError, "timeout is nan, it must be a number of seconds"),
        ({"task_timeout": True}, TypeError, "task_timeout is True, it must be a number"),
        ({"task_timeout": 0}, ValueError, "task_timeout is 0, it must be above 0, or None"),
    ],
)
def test_what_cannot_be_asked_for(asked: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        map_options(**{"fn": abs, "iterables": ([1],), **asked})


@pytest.fixture
def executors() -> Iterator[list[Executor]]:
    """The serial one, a worker's, and a farm's on two workers."""
    ranks = Ranks(2, 1)
    ranks.settle()
    current_executor.install(ranks.executor)
    yield [SerialExecutor(), ranks.workers[0].nested, ranks.executor]
    current_executor.install(None)


def test_each_executor_answers_the_same_questions(executors: list[Executor]) -> None:
    serial, nested, farm = executors
    assert isinstance(nested, NestedExecutor) and isinstance(farm, FarmExecutor)
    assert [each.workers for each in executors] == [1, 2, 2]
    assert [each.any_thread_waits for each in executors] == [False, False, True]
    assert [each.fork is None for each in executors] == [True, False, True]
    assert serial.constants_backend is None
    assert None not in (nested.constants_backend, farm.constants_backend)
    for each in executors:
        assert each.interruption is None and not each.unfinished.waits()
        each.wait_for_workers()
        each.shutdown()


@pytest.mark.parametrize("ordered", [True, False])
def test_values_can_be_finished_and_kept(executors: list[Executor], ordered: bool) -> None:
    serial, _, farm = executors
    for each in (serial, farm):
        results = each.results(abs, [range(-3, 0)], MapOptions(ordered=ordered))
        results.finish(keep=True)
        found = [value for values in results for value in values]
        assert sorted(found) == [1, 2, 3] and (not ordered or found == [3, 2, 1])
        assert sorted(each.map(abs, range(-3, 0), ordered=ordered)) == [1, 2, 3]


def test_a_forked_child_is_no_rank_and_runs_tasks_in_place(executors: list[Executor]) -> None:
    assert current_executor.current() is executors[-1]
    child = os.fork()
    if not child:
        os._exit(not isinstance(current_executor.current(), SerialExecutor))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert current_executor.current() is executors[-1]
