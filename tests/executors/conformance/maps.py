"""Cases about maps."""

from __future__ import annotations

import concurrent.futures as standard
import itertools
import os
import tempfile
import weakref
from typing import Any

import pytest

from .face import (
    SECONDS,
    case,
    fails_at_three,
    gate,
    leaves_a_mark,
    parallel,
    passes,
    square,
    until,
)  # fmt: skip


@case
def map_is_the_builtin_map(face: Any) -> None:
    with face.make() as executor:
        assert list(executor.map(pow, range(10), range(10))) == list(map(pow, range(10), range(10)))
        assert list(executor.map(pow, range(10), itertools.repeat(2), chunksize=3)) == [
            x * x for x in range(10)
        ]
        assert list(executor.map(square, [])) == []


class Value:
    def __init__(self, x: int) -> None:
        self.x = x


@case
def values_are_not_kept_alive(face: Any) -> None:
    with face.make() as executor:
        for value in executor.map(Value, range(300)):
            reference = weakref.ref(value)
            del value
            until(lambda reference=reference: reference() is None)  # type: ignore[misc]


@case
def a_strict_map_wants_iterables_of_one_length(face: Any) -> None:
    with face.make() as executor:
        assert list(executor.map(pow, [2, 3], [3, 2], strict=True)) == [8, 9]
        assert list(executor.map(square, range(3), strict=True)) == [0, 1, 4]
        for columns in (([2, 3], [3]), (iter([2]), [3, 2]), (range(2, 4), iter([3]))):
            values = executor.map(pow, *columns, strict=True)
            assert next(values) == 8
            with pytest.raises(ValueError, match=r"argument 2 is (shorter|longer)"):
                next(values)
        with pytest.raises(ValueError, match="argument 2 is shorter"):
            list(executor.map(pow, [2, 3], [3], strict=True, buffersize=1))


@case
def values_come_in_any_order_where_asked_for(face: Any) -> None:
    with face.make() as executor:
        for asked in ({"unordered": True}, {"ordered": False}):
            assert sorted(executor.map(square, range(50), **asked)) == [x * x for x in range(50)]
            values = executor.map(square, range(50), buffersize=3, **asked)
            assert sorted(values) == [x * x for x in range(50)]


@case
def starmap_unpacks(face: Any) -> None:
    with face.make() as executor:
        assert list(executor.starmap(pow, [(2, 3), [3, 2], (5, 1, 3)])) == [8, 9, 2]
        rows = zip(range(30), itertools.repeat(2), strict=False)
        assert list(executor.starmap(pow, rows, None, 4)) == [x * x for x in range(30)]
        assert sorted(executor.starmap(pow, [(2, 3), (3, 2)], unordered=True)) == [8, 9]
        assert list(executor.starmap(pow, iter([(2, 3), (3, 2)]), buffersize=1)) == [8, 9]
        with pytest.raises(TypeError):
            list(executor.starmap(pow, [(1, 2, 3, 4)]))
        with pytest.raises(ValueError, match="chunksize"):
            executor.starmap(pow, [(2, 3)], chunksize=0)


@case
def map_raises_in_its_place_and_ends(face: Any) -> None:
    with face.make() as executor:
        values = executor.map(fails_at_three, range(6))
        assert [next(values) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(LookupError, match="no 3"):
            next(values)
        with pytest.raises(StopIteration):
            next(values)


@parallel
def map_keeps_its_timeout(face: Any) -> None:
    with face.make() as executor, gate() as closed:
        values = executor.map(passes, [closed.path], timeout=0.05)
        with pytest.raises(standard.TimeoutError):
            next(values)
        closed.open()
        assert executor.submit(square, 2).result(SECONDS) == 4


@case
def sizes_of_map_are_checked(face: Any) -> None:
    with face.make() as executor:
        for size in (0, -3):
            with pytest.raises(ValueError, match="chunksize"):
                executor.map(square, [1], chunksize=size)
            with pytest.raises(ValueError, match="buffersize"):
                executor.map(square, [1], buffersize=size)
        for wrong in ("1", 1.5):
            with pytest.raises(TypeError, match="buffersize"):
                executor.map(square, [1], buffersize=wrong)
        for size in (None, 4):
            with pytest.raises(TypeError):
                executor.map(square, buffersize=size)


@case
def a_buffer_bounds_what_is_read_ahead(face: Any) -> None:
    with face.make() as executor:
        for size in (1, 2, 10):
            read = itertools.count()
            values = executor.map(square, read, buffersize=size)
            for x in range(5):
                assert next(values) == x * x
            assert next(read) <= 5 + size
            del values
        assert list(executor.map(square, range(50), buffersize=7)) == [x * x for x in range(50)]
        assert list(executor.map(square, [], buffersize=7)) == []
        assert list(executor.map(square, range(3), buffersize=70)) == [0, 1, 4]


@case
def a_buffer_raises_in_its_place(face: Any) -> None:
    with face.make() as executor:
        values = executor.map(fails_at_three, range(6), buffersize=2)
        assert [next(values) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(LookupError, match="no 3"):
            next(values)


@case
def a_map_that_nobody_reads_is_run(face: Any) -> None:
    with tempfile.TemporaryDirectory() as place:
        with face.make() as executor:
            executor.map(leaves_a_mark, [place] * 50, range(50))
            executor.map(leaves_a_mark, itertools.repeat(place), (x for x in range(50, 60)))
        assert sorted(map(int, os.listdir(place))) == list(range(60))


@case
def values_of_a_map_outlive_the_executor(face: Any) -> None:
    with face.make() as executor:
        whole = executor.map(square, range(3000))
        begun = executor.map(square, (x for x in range(100)))
        assert next(begun) == 0
        failing = executor.map(fails_at_three, range(6))
    assert list(whole) == [x * x for x in range(3000)]
    assert list(begun) == [x * x for x in range(1, 100)]
    assert [next(failing) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(LookupError, match="no 3"):
        next(failing)


@case
def an_error_of_the_users_iterator_comes_after_the_shutdown_too(face: Any) -> None:
    def numbers() -> Any:
        yield from range(4)
        raise OSError("no more numbers")

    with face.make() as executor:
        values = executor.map(square, numbers())
    assert [next(values) for _ in range(4)] == [0, 1, 4, 9]
    with pytest.raises(OSError, match="no more numbers"):
        next(values)
