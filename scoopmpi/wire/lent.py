"""Frames of which parts are lent: large buffers that many tasks have in common, by their numbers.

On the wire such a frame is a tuple that begins with None; behind it come the pickle and its
buffers, and in the place of each that is lent a `Part`. Who lends, and how it gets to all hosts, is
said in `constants.lending`. Workers load it where something is lent to them.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from .payload import Frame, LentFrame

LENT = 1 << 18
"""Bytes from which a buffer is looked at: to map one costs a task 10 us, to send it 50."""
LARGE_BYTES = 1 << 20
"""Length from which bytes travel beside a pickle, with a frame for each task: less are copied into
the pickle of a whole batch in 0.1 ms."""
PRIVATE, READ_ONLY, BYTES = range(3)
"""How who opens a lent buffer may use it: as his own, as it is, or as an object of type bytes."""
Part: TypeAlias = tuple[int, int, int]
"""Stands in a frame for a lent buffer: its number, its place under that, how it may be used."""


def use(part: pickle.PickleBuffer) -> int:
    """Return how who opens a buffer may use it, if it is lent."""
    view = memoryview(part)
    if type(view.obj) is bytes:
        return BYTES
    return READ_ONLY if view.readonly else PRIVATE


def large_parts(frames: Sequence[Frame]) -> list[tuple[int, int]]:
    """Return where large buffers are in frames: which frame, which part of it."""
    return [
        (index, place)
        for index, frame in enumerate(frames)
        if type(frame) is tuple
        for place in range(1, len(frame))
        if memoryview(frame[place]).nbytes >= LENT
    ]


# Bytes, which pickle takes into itself, each time anew.


class Beside:
    """Stands in a row for bytes that travel beside its pickle, and arrives as these bytes."""

    __slots__ = ("value",)

    def __init__(self, value: bytes) -> None:
        self.value = value

    def __reduce__(self) -> tuple[Any, ...]:
        return _as_bytes, (pickle.PickleBuffer(self.value),)


def _as_bytes(buffer: Any) -> bytes:
    return buffer if type(buffer) is bytes else bytes(buffer)


def has_large_bytes(values: Iterable[Any]) -> bool:
    """True where there are large bytes among these, or in tuples among them."""
    return any(
        len(value) >= LARGE_BYTES if type(value) is bytes else has_large_bytes(value)
        for value in values
        if type(value) is bytes or type(value) is tuple
    )


def swollen(frames: Iterable[Frame]) -> bool:
    """True where one of the pickles is so long that there may be large bytes in it."""
    return any(
        (len(frame[0]) if type(frame) is tuple else memoryview(frame).nbytes) > LARGE_BYTES
        for frame in frames
        if type(frame) is not bytes
    )


def beside(value: Any) -> Any:
    """Return a value as it is packed: large bytes, in tuples too, travel beside the pickle."""
    if type(value) is bytes:
        return Beside(value) if len(value) >= LARGE_BYTES else value
    if type(value) is tuple and has_large_bytes(value):
        return tuple(map(beside, value))
    return value


def framed(parts: Iterable[Any]) -> Frame:
    """Return a frame of a pickle and its buffers, some of which are lent: a `Part` for each."""
    return (None, *parts)


def on_loan(frame: Frame, lender: Callable[[Part], Any]) -> Frame:
    """Return a frame as it can be unpacked: where parts of it are lent the lender opens them."""
    if type(frame) is tuple and frame[0] is None:
        return LentFrame(frame[1:], lender)
    return frame
