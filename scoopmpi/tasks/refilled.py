"""Rows of arguments whose iterator changes an object that it has given out, and gives it out again.

A map reads ahead, so all its tasks would get what the last of these rows made of the object: 58 of
60 tasks did, as with pools that read their arguments first. Where the first two rows have an object
in common, or reading the second changes the first, each row is copied as it is read: one copy for
as long as an object stays as it is. What is done with the rows is not known here.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any, TypeAlias

from ..concurrency.signal_scopes import uninterrupted
from ..wire import payload
from ..wire.payload import Frame

Place: TypeAlias = tuple[int, ...]
"""Where something is in a row: its column, then its place in each tuple there."""


class Rows:
    """Reads rows, and copies what changes behind them.

    moving: for each column whether something may change what it has given out.
    """

    def __init__(self, rows: Iterator[tuple[Any, ...]], moving: Sequence[bool]) -> None:
        self._rows, self._moving = rows, moving
        self._kept: dict[Place, _Kept] = {}  # of the latest row
        self._first = True
        self._second: list[Any] = []  # read with the first: a row, or what reading it has raised
        self._looks = True

    @property
    def further(self) -> Iterator[tuple[Any, ...]]:
        """Return what to read from now on: the rows as they come, where nothing changes."""
        return self if self._looks or self._second else self._rows

    def __iter__(self) -> Rows:
        return self

    def __next__(self) -> tuple[Any, ...]:
        row = self._second.pop() if self._second else next(self._rows)
        if isinstance(row, BaseException):
            raise row
        if not self._looks:
            return row
        first, self._first = self._first, False
        return self._first_row(row) if first else _with(row, self._look(row))

    def _first_row(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        if payload.plain(row):
            self._looks = False
            return row
        before = self._look(row)
        second: Any = None
        try:
            second = next(self._rows)
        except BaseException as error:  # to be raised in its place, behind this row
            second = error
        self._second.append(second)
        again = isinstance(second, tuple) and self._again(row, second)
        if again or self._look(row) != before:
            return _with(row, before)
        self._looks = False
        self._kept.clear()
        return row

    def _look(self, row: tuple[Any, ...]) -> dict[Place, _Kept]:
        """Return what may be changed in a row as it is now; the same where it was so before."""
        found: dict[Place, _Kept] = {}
        for place, value in self._objects(row):
            # What cannot be packed is told of where its task is.
            with uninterrupted, suppress(Exception):
                frame = payload.pack(value)
                kept = self._kept.get(place)
                same = kept is not None and kept.equals(frame)
                found[place] = kept if kept is not None and same else _Kept(frame)
        self._kept = found
        return found

    def _again(self, row: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
        """True where two rows have an object in common that may be changed."""
        known = {id(value) for _, value in self._objects(row)}
        return any(id(value) in known for _, value in self._objects(other))

    def _objects(self, row: tuple[Any, ...]) -> Iterator[tuple[Place, Any]]:
        """Give what may be changed in a row, and in tuples there, with its place."""
        for column, value in enumerate(row):
            if self._moving[column]:
                yield from _changeable(value, (column,))


class _Kept:
    """An object as it was."""

    def __init__(self, frame: Frame) -> None:
        self._parts = [bytearray(part) for part in _parts(frame)]

    @cached_property
    def copy(self) -> Any:
        """Return the object, in memory of its own; made when it is needed, which is seldom."""
        return pickle.loads(self._parts[0], buffers=self._parts[1:])

    def equals(self, frame: Frame) -> bool:
        """True where a frame is of the same object, unchanged."""
        parts = _parts(frame)
        # A bytearray compares by memcmp, two memoryviews byte by byte: 0.5 and 12 ms for 16 MiB.
        return len(parts) == len(self._parts) and all(map(bytearray.__eq__, self._parts, parts))


def _parts(frame: Frame) -> list[Any]:
    """Return the pickle and the buffers of a frame."""
    parts = frame if type(frame) is tuple else (frame,)
    return [part.raw() if type(part) is pickle.PickleBuffer else part for part in parts]


def _changeable(value: Any, place: Place) -> Iterator[tuple[Place, Any]]:
    if type(value) is tuple:
        for number, part in enumerate(value):
            yield from _changeable(part, (*place, number))
    elif type(value) not in payload.atoms():
        yield place, value


def _with(row: tuple[Any, ...], kept: dict[Place, _Kept]) -> tuple[Any, ...]:
    """Return a row with copies in the place of what was kept."""
    return tuple(_replaced(value, (column,), kept) for column, value in enumerate(row))


def _replaced(value: Any, place: Place, kept: dict[Place, _Kept]) -> Any:
    if type(value) is tuple:
        parts = enumerate(value)
        return tuple(_replaced(part, (*place, number), kept) for number, part in parts)
    if place not in kept:
        return value
    with uninterrupted:
        try:
            return kept[place].copy
        except Exception:  # what cannot be unpacked is told of where its task is
            return value
