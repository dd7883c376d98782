"""Outputs that wait for their turn, on disk: in unnamed files, which no end of a run leaves behind.

What has been taken is given back a file at a time. Where an output lies is written down in a file
too: memory stays flat, however many wait.
"""

from __future__ import annotations

import os
import tempfile
from struct import Struct
from typing import BinaryIO, NamedTuple

SEGMENT = 64 << 20
"""Bytes of a file, at least."""
MOST = 16
"""A file grows to this part of all that waits, so that there are never many of them."""
_PLACE = Struct("<QQ")
"""The number of a file, from 1, and where in it; zeros: nothing waits there."""
_LENGTHS = Struct("<QQ")
"""Of stdout and stderr, which follow."""


class Output(NamedTuple):
    """What an item has written."""

    out: bytes
    err: bytes


class _Segment:
    """One file, and how many outputs in it are still to be taken."""

    def __init__(self) -> None:
        self.file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115
        self.size = 0
        self.waiting = 0


class Spool:
    """Keeps outputs by their places, each of which is used once. All raise OSError."""

    def __init__(self, segment: int = SEGMENT) -> None:
        self._least = segment
        self._places: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115
        self._segments: dict[int, _Segment] = {}
        self._last = 0
        self._size = 0
        self.waiting = 0
        """How many outputs it keeps."""

    def add(self, place: int, output: Output) -> None:
        """Keep an output; nothing is kept where it raises."""
        segment = self._open()
        data = _LENGTHS.pack(len(output.out), len(output.err))
        _written(segment.file.fileno(), (data, *output), segment.size)
        where = _PLACE.pack(self._last, segment.size)
        _written(self._places.fileno(), (where,), place * _PLACE.size)
        size = len(data) + len(output.out) + len(output.err)
        segment.size += size
        segment.waiting += 1
        self._size += size
        self.waiting += 1

    def take(self, place: int) -> Output | None:
        """Return what waits at a place, and forget it; None where nothing does."""
        if not self.waiting:
            return None
        where = os.pread(self._places.fileno(), _PLACE.size, place * _PLACE.size)
        number, start = _PLACE.unpack(where) if len(where) == _PLACE.size else (0, 0)
        if not number:
            return None
        segment = self._segments[number]
        out, err = _LENGTHS.unpack(_read(segment.file.fileno(), _LENGTHS.size, start))
        start += _LENGTHS.size
        fd = segment.file.fileno()
        output = Output(_read(fd, out, start), _read(fd, err, start + out))
        self._forget(number, segment)
        return output

    def close(self) -> None:
        """Give the disk back."""
        for segment in self._segments.values():
            segment.file.close()
        self._places.close()
        self.waiting = 0

    def _open(self) -> _Segment:
        """Return the file that grows now."""
        segment = self._segments.get(self._last)
        if segment is None or segment.size > max(self._least, self._size // MOST):
            self._last += 1
            segment = self._segments[self._last] = _Segment()
        return segment

    def _forget(self, number: int, segment: _Segment) -> None:
        self.waiting -= 1
        segment.waiting -= 1
        if segment.waiting:
            return
        segment.file.close()
        del self._segments[number]
        self._size -= segment.size
        if not self._segments:
            os.ftruncate(self._places.fileno(), 0)


def _written(fd: int, pieces: tuple[bytes, ...], start: int) -> None:
    for piece in pieces:
        rest = memoryview(piece)
        while rest:
            count = os.pwrite(fd, rest, start)
            rest, start = rest[count:], start + count


def _read(fd: int, size: int, start: int) -> bytes:
    """Return bytes that are there: one read gives less than 2 GiB."""
    found = os.pread(fd, size, start)
    while len(found) < size:
        more = os.pread(fd, size - len(found), start + len(found))
        if not more:
            raise OSError("a temporary file is shorter than it was")
        found += more
    return found
