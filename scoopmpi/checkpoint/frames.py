"""Frames to bytes and back, for the file: lengths first, then all bytes in a row.

Nothing is pickled or unpickled here, and what a frame means is not known. What is read back is
what `payload.unpack` takes: buffers that travelled beside a pickle are writable again, as they
are when they come from a worker.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ..wire.payload import Frame

PIECE = 64 << 20
"""Bytes in a row of the file; SQLite takes no more than 1e9 (sqlite.org/limits.html, no. 1)."""
SMALL = 1 << 16
"""Members up to here are joined; larger ones are written from where they are."""


class Encoded(NamedTuple):
    """Frames as they stand in the file.

    head: for each frame the number of its members, 0 where it is no tuple; then their lengths.
    pieces: all bytes, none of them empty or longer than PIECE.
    """

    head: bytes
    pieces: list[Any]
    size: int


class Damaged(Exception):
    """The bytes are not those that were written."""


def encoded(frames: Iterable[Frame]) -> Encoded:
    """Return frames as bytes.

    Buffers are copied, as the object that is unpickled from them is the user's to change; the
    pickles themselves are read only.
    """
    counts, members = array("Q"), []
    for frame in frames:
        if type(frame) is tuple:
            counts.append(len(frame))
            members.append(frame[0])
            members += [part if type(part) is bytes else bytes(raw(part)) for part in frame[1:]]
        else:
            counts.append(0)
            members.append(frame)
    lengths = array("Q", [len(m) if type(m) is bytes else raw(m).nbytes for m in members])
    head = array("Q", [len(counts)]) + counts + lengths
    return Encoded(head.tobytes(), list(_pieces(members)), sum(lengths) + 8 * len(head))


def raw(part: Any) -> memoryview:
    """Return the bytes of a member, as one row."""
    view = memoryview(part)
    return view if view.ndim == 1 and view.itemsize == 1 else view.cast("B")


def _pieces(members: Iterable[Any]) -> Iterator[Any]:
    small: list[Any] = []
    held = 0
    for member in members:
        view = member if type(member) is bytes else raw(member)
        if len(view) <= SMALL:
            small.append(view)
            held += len(view)
            if held > PIECE - SMALL:
                yield b"".join(small)
                small, held = [], 0
            continue
        if held:
            yield b"".join(small)
            small, held = [], 0
        view = raw(view)
        for start in range(0, len(view), PIECE):
            yield view[start : start + PIECE]
    if held:
        yield b"".join(small)


def decoded(head: bytes, pieces: Iterable[bytes]) -> list[Frame]:
    """Return the frames again. Raises Damaged where head and pieces do not belong together."""
    numbers = array("Q")
    if len(head) % numbers.itemsize or not head:
        raise Damaged
    numbers.frombytes(head)
    count = numbers[0]
    counts, lengths = numbers[1 : count + 1], numbers[count + 1 :]
    if len(counts) != count or sum(max(1, members) for members in counts) != len(lengths):
        raise Damaged
    parts, place = _Row(pieces), iter(lengths)
    frames = [
        tuple(parts.take(next(place), number > 0) for number in range(members))
        if members
        else parts.take(next(place), False)
        for members in counts
    ]
    parts.end()
    return frames


class _Row:
    """All bytes of some pieces in a row."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._piece, self._place = b"", 0

    def take(self, length: int, writable: bool) -> Any:
        """Return the next bytes, as bytes or, if they are to be written to, in their own memory."""
        end = self._place + length
        if end <= len(self._piece):
            found = memoryview(self._piece)[self._place : end]
            self._place = end
            return bytearray(found) if writable else bytes(found)
        if length > (1 << 50):
            raise Damaged
        memory = bytearray()  # grows with what is there: a wrong length must not take all memory
        while len(memory) < length:
            if self._place == len(self._piece):
                self._next()
            wanted = length - len(memory)
            memory += memoryview(self._piece)[self._place : self._place + wanted]
            self._place = min(len(self._piece), self._place + wanted)
        return memory

    def _next(self) -> None:
        try:
            self._piece, self._place = next(self._pieces), 0
        except StopIteration:
            raise Damaged from None

    def end(self) -> None:
        if self._place != len(self._piece) or next(self._pieces, None) is not None:
            raise Damaged
