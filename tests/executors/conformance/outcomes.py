"""Cases about strange outcomes, strange arguments and strange seconds."""

from __future__ import annotations

import asyncio
import concurrent.futures as standard
import datetime
import decimal
import fractions
import gc
import itertools
import math
import sys
from typing import Any

import numpy
import pytest

from .face import SECONDS, case, square

KINDS = (
    StopIteration, StopAsyncIteration, GeneratorExit, asyncio.CancelledError,
    standard.CancelledError, KeyboardInterrupt, SystemExit,
)  # fmt: skip


def raises(kind: type[BaseException], value: int) -> int:
    raise kind(value)


def stops(x: int) -> int:
    """A function in which nothing of the program is used."""
    if x == 3:
        raise StopIteration(x)
    return x


def exhausts(x: int) -> int:
    return next(iter(range(x, 3)))


def stop_value(error: BaseException | None) -> Any:
    """The value of the StopIteration behind an error."""
    if error is None or isinstance(error, StopIteration):
        return getattr(error, "value", None)
    return stop_value(error.__context__) or stop_value(error.__cause__)


@case
def what_a_call_raises_arrives_as_it_was(face: Any) -> None:
    with face.make() as executor:
        for kind in KINDS:
            future = executor.submit(raises, kind, 3)
            error = standard.Future.exception(future, SECONDS)
            assert type(error) is kind and error.args == (3,)
            with pytest.raises(kind):
                future.result(SECONDS)
        assert executor.submit(stops, 3).exception(SECONDS).value == 3
        assert isinstance(executor.submit(exhausts, 5).exception(SECONDS), StopIteration)
        assert executor.submit(square, 2).result(SECONDS) == 4


@case
def what_a_task_of_a_map_raises_arrives_as_it_was(face: Any) -> None:
    with face.make() as executor:
        for kind in KINDS[1:]:
            for more in ({}, {"ordered": False}, {"buffersize": 2}):
                with pytest.raises(kind) as caught:
                    list(executor.map(raises, [kind], [3], **more))
                assert caught.value.args == (3,)


@case
def a_tasks_stop_iteration_ends_no_map_in_silence(face: Any) -> None:
    with face.make() as executor:
        for task in (stops, exhausts):
            for more in ({}, {"buffersize": 2}):
                values = executor.map(task, range(6), **more)
                assert [next(values) for _ in range(3)] == [0, 1, 2]
                with pytest.raises(RuntimeError) as caught:
                    next(values)
                assert stop_value(caught.value) == (3 if task is stops else None)
        values = executor.map(raises, itertools.repeat(StopIteration), [8])
        with pytest.raises(RuntimeError, match="StopIteration: 8"):
            list(values)


# Ranges.


@case
def ranges_of_any_length_are_columns(face: Any) -> None:
    huge, back = 2**70, range(2**64, 0, -(2**62))
    with face.make() as executor:
        for column in (range(10, 0, -1), range(huge, huge + 5), range(0), range(5, 1), back):
            assert list(executor.map(square, column)) == [x * x for x in column]
        for more in ({}, {"buffersize": 3}):
            for column in (range(2**63), range(-huge, huge), range(huge, 0, -3)):
                values = executor.map(square, column, **more)
                first = list(itertools.islice(values, 20))
                assert first == [x * x for x in itertools.islice(column, 20)]
                del values
        assert list(executor.map(pow, [2, 3], range(1, 2**80))) == [2, 9]
        assert list(executor.map(pow, range(2**80), iter([1, 2, 3]))) == [0, 1, 8]


# Seconds.

WRONG: tuple[Any, ...] = (
    "1", b"1", [1], True, 1j, decimal.Decimal(1), datetime.timedelta(seconds=1), object(),
)  # fmt: skip
LONG: tuple[Any, ...] = (
    None, math.inf, 1e300, 10**400, 60, 60.0, fractions.Fraction(60), numpy.float32(60),
    numpy.int64(60),
)  # fmt: skip


@case
def seconds_are_numbers_and_errors_name_them(face: Any) -> None:
    told: list[Any] = []
    before, sys.unraisablehook = sys.unraisablehook, told.append
    try:
        with face.make() as executor:
            future = executor.submit(square, 2)
            for wrong in WRONG:
                for call in (future.result, future.exception):
                    with pytest.raises(TypeError, match="timeout is"):
                        call(wrong)
                for more in ({}, {"buffersize": 2}, {"ordered": False}):
                    with pytest.raises(TypeError, match="timeout is"):
                        executor.map(square, [1, 2], timeout=wrong, **more)
                    with pytest.raises(TypeError, match="task_timeout is"):
                        executor.map(square, [1, 2], task_timeout=wrong, **more)
            for call in (future.result, lambda t: executor.map(square, [1], timeout=t)):
                with pytest.raises(ValueError, match="timeout is nan"):
                    call(math.nan)
            gc.collect()
    finally:
        sys.unraisablehook = before
    assert not told, "Exception ignored in …"


@case
def seconds_may_be_numbers_of_any_kind(face: Any) -> None:
    with face.make() as executor:
        for seconds in LONG:
            assert executor.submit(square, 3).result(seconds) == 9
            assert executor.submit(square, 3).exception(seconds) is None
            assert list(executor.map(square, [1, 2], timeout=seconds)) == [1, 4]
            assert list(executor.map(square, [1, 2], timeout=seconds, buffersize=1)) == [1, 4]
        done = executor.submit(square, 3)
        done.result(SECONDS)
        for over in (0, -1, -math.inf):
            assert done.result(over) == 9
