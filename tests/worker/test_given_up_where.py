"""A giving up that comes at each line of a batch: it hits the task whose code runs, or waits."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import contextmanager
from types import FrameType
from typing import Any

import joblib.parallel
import pytest

from scoopmpi.executors.reduction import Total, rows_of
from scoopmpi.joblib import batch as joblib_batch
from scoopmpi.joblib.backend import FarmBackend
from scoopmpi.tasks import limit, outcomes
from scoopmpi.tasks.limit import Limited
from scoopmpi.tasks.pedigree import Strand, is_runner, program, runs_strand
from scoopmpi.tasks.wrapped import Starred
from scoopmpi.wire import payload
from scoopmpi.wire.messages import Run
from scoopmpi.worker.given_up import GivenUp
from scoopmpi.worker.running import Running
from scoopmpi.worker.watched import Watch, WatchedBatch

GONE, KEPT = 3, 4
"""Groups of which the first was given up."""


def double(x: int) -> int:
    y = x + x
    return y


def lists(x: int) -> list[int]:
    return [double(x)]


class AtStep:
    """A signal of the progress thread that comes at the nth step: a line, or a function's begin."""

    def __init__(self, step: int, runs: Callable[[], Any]) -> None:
        self.steps, self._step = 0, step
        self._given_up = GivenUp(runs)
        self._given_up.add([GONE])

    def trace(self, frame: FrameType, event: str, _: Any) -> Any:
        if event in ("call", "line"):
            self.steps += 1
            if self.steps == self._step:
                self._given_up.called(frame)
        return self.trace

    @contextmanager
    def comes(self) -> Any:
        before = sys.gettrace()
        sys.settrace(self.trace)
        try:
            yield
        finally:
            sys.settrace(before)


def answered(kind: Any, message: Run, function: Any, step: int) -> tuple[list[Any], int]:
    """What the tasks of a batch have returned or raised, and how many steps that took."""
    more = (Watch(True, None, lambda: None),) if kind is WatchedBatch else ()
    left: list[Any] = []
    batch = kind(message, function, lambda name: None, 0, lambda *_: None, *more)
    signal = AtStep(step, lambda: batch.strand)
    with signal.comes():
        batch.run()
    answer = batch.rest()
    assert (answer.start, answer.stop) == (message.start, message.stop)
    if answer.plain:
        return [*left, *payload.unpack(answer.outcomes)], signal.steps
    found = []
    for place, frame in enumerate(answer.outcomes):
        opened = outcomes.opened(frame, place in answer.failed, place)
        raised = type(opened) is outcomes.Raised
        found.append(type(opened.error).__name__ if raised else opened)
    return found, signal.steps


def calls(*groups: int) -> Run:
    name = payload.pack_named(double)
    made = [[name, (x,), None, (1, 0, 0, x, group)] for x, group in enumerate(groups)]
    return Run(0, 0, len(made), 60.0, 0, 0, None, True, payload.pack_plain((made,)))


def tasks(*origin: Any) -> Run:
    columns = payload.pack_columns([[0, 1, 2]])
    return Run(1, 0, 3, 60.0, 0, 1, None, True, columns, 1, (1, 0, 1, 0, *origin))


def hits(found: list[Any], right: list[Any], mine: list[bool]) -> int:
    """How many were interrupted: only those that may be, and all others are as ever."""
    for value, expected, may_be in zip(found, right, mine, strict=True):
        assert value == expected or (may_be and value == "CancelledError"), found
    return sum(value == "CancelledError" for value in found)


@pytest.mark.parametrize("kind", (Running, WatchedBatch))
@pytest.mark.parametrize(
    ("message", "function", "right", "mine"),
    (
        (calls(GONE, KEPT, GONE), None, [0, 2, 4], [True, False, True]),
        (calls(KEPT, GONE, KEPT), None, [0, 2, 4], [False, True, False]),
        (tasks(GONE), double, [0, 2, 4], [True] * 3),
        (tasks(GONE), lists, [[0], [2], [4]], [True] * 3),
        (tasks(GONE), Limited(double, 60.0), [0, 2, 4], [True] * 3),
        (tasks(KEPT), double, [0, 2, 4], [False] * 3),
    ),
    ids=("calls", "other-calls", "tasks", "values-that-are-packed", "with-a-limit", "kept"),
)
def test_at_each_step_of_a_batch(
    kind: Any, message: Run, function: Any, right: list[Any], mine: list[bool]
) -> None:
    found, steps = answered(kind, message, function, 0)
    assert found == right
    hit = 0
    for step in range(1, steps + 1):
        found, _ = answered(kind, message, function, step)
        hit += hits(found, right, mine)
        assert limit._running is None
    assert hit >= sum(mine)


@runs_strand
def run(strand: Strand, task: Callable[[], Any]) -> Any:
    return task()


def test_at_each_step_of_a_reduction() -> None:
    hit = set()
    for step in range(1, 400):
        strand = Strand.of((1, 0, 0, 0, GONE), None)
        signal = AtStep(step, lambda: strand.inner or strand)  # noqa: B023 (called in this turn)
        total = Total(double, double)
        total._of, total._strand = strand, Strand.of((1, 0, 0, 0, GONE), None)
        rows = rows_of([[1]])
        try:
            with signal.comes():
                run(strand, lambda: total.combined(rows))  # noqa: B023
        except KeyboardInterrupt as error:
            trace = error.__traceback__
            while trace is not None and trace.tb_frame.f_code.co_name != "trace":
                name, trace = trace.tb_frame.f_code.co_name, trace.tb_next
            hit.add(name)
        assert strand.inner is None
        if signal.steps < step:
            break
    assert hit == {"double", "<lambda>"}  # the latter is of this test


class InC:
    """As a function in C, it has no frame of the user's: the one below is what a signal finds."""

    def __init__(self) -> None:
        self.delicate: list[bool] = []

    def __call__(self) -> None:
        frame = sys._getframe().f_back
        self.delicate.append(limit.delicate(frame, is_runner))


def test_a_function_in_c_behind_one_of_ours_is_interrupted() -> None:
    function = InC()
    run(Strand(), lambda: Limited(function, 60.0)())
    run(Strand(), lambda: Starred(function)(()))
    assert function.delicate == [False, False]


def test_what_the_calls_of_a_batch_of_joblibs_find_is_left_as_it_was() -> None:
    setting = joblib_batch.Setting(FarmBackend(0, 1), False, None, 1.0)
    joblib_batch.Batch(double, setting)([(double, (1,), {})])
    before = getattr(joblib.parallel._backend, "config", None)
    hit = 0
    for step in range(1, 3000):
        strand = Strand.of((1, 0, 0, 0, GONE), None)
        signal = AtStep(step, lambda: strand)  # noqa: B023 (called in this turn)
        made = joblib_batch.Batch(double, setting)
        try:
            with signal.comes():
                run(strand, lambda: made([(double, (1,), {})]))  # noqa: B023
        except KeyboardInterrupt:
            hit += 1
        assert getattr(joblib.parallel._backend, "config", None) == before
        if signal.steps < step:
            break
    assert 0 < hit < 20 and program.inner is None
