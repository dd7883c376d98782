"""Frames of which parts are lent: large buffers that many tasks have in common, by their numbers.

On the wire such a frame is a tuple that begins with None; behind it come the pickle and its
buffers, and in the place of each that is lent a `Part`. Who lends, and how it gets to all hosts, is
said in `constants.lending`. Loaded where something is large.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from .payload import Frame, LentFrame

LENT = 1 << 18
"""Bytes from which a buffer is looked at: to map one costs a task 10 us, to send it 50."""
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


def framed(parts: Iterable[Any]) -> Frame:
    """Return a frame of a pickle and its buffers, some of which are lent: a `Part` for each."""
    return (None, *parts)


def on_loan(frame: Frame, lender: Callable[[Part], Any]) -> Frame:
    """Return a frame as it can be unpacked: where parts of it are lent the lender opens them."""
    if type(frame) is tuple and frame[0] is None:
        return LentFrame(frame[1:], lender)
    return frame
