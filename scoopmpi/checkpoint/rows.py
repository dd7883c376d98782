"""A part of a job's outcomes as rows of the file: what stands in them, and whether it is right.

Every part has a checksum of all that it says, its place and its function included: SQLite notices
damage of its own structure only. Nothing here knows SQL.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from hashlib import blake2b
from itertools import chain
from typing import Any, NamedTuple

from . import frames


class Saved(NamedTuple):
    """The outcomes of the tasks `start` to `stop - 1` of a job, as in `messages.Finished`.

    digest: of what they were computed from, by whatever rule the caller has.
    """

    start: int
    stop: int
    digest: bytes
    plain: bool
    outcomes: Any
    failed: tuple[int, ...]


class Row(NamedTuple):
    """A part as it stands in the file; the checksum covers its function's digest too."""

    job: int
    start: int
    stop: int
    digest: bytes
    plain: bool
    failed: bytes
    data: frames.Encoded

    def checksum(self, function: bytes) -> bytes:
        """Return the checksum of all that is in the row."""
        place = self.job, self.start, self.stop, self.plain, self.digest, self.failed, function
        found = blake2b(repr(place).encode(), digest_size=16)
        found.update(self.data.head)
        for piece in self.data.pieces:
            found.update(piece)
        return found.digest()


def row(job: int, part: Saved) -> Row:
    """Return a part ready to be written; its buffers are copied now."""
    data = frames.encoded((part.outcomes,) if part.plain else part.outcomes)
    failed = array("Q", part.failed).tobytes()
    return Row(job, part.start, part.stop, part.digest, part.plain, failed, data)


class Piece(NamedTuple):
    """A row of the table `parts` as it was read: in a damaged file of any types.

    The first piece of a part has all its facts, the others have their place and data only.
    """

    job: Any
    start: Any
    piece: Any
    stop: Any
    digest: Any
    plain: Any
    failed: Any
    size: Any
    checksum: Any
    head: Any
    data: Any


class Pieces:
    """The rows of one part, as they are read.

    rows: those behind `first`, of this part and of the next ones.
    """

    def __init__(self, rows: Iterator[Piece], first: Piece) -> None:
        self._rows, self.first = rows, first
        self._behind: Piece | None = None
        self.known = blake2b(digest_size=16)

    def __iter__(self) -> Iterator[bytes]:
        for number, row in enumerate(chain([self.first], self._rows)):
            if row.start != self.first.start:
                self._behind = row
                return
            if row.piece != number or type(row.data) is not bytes:
                raise frames.Damaged
            self.known.update(row.data)
            yield row.data

    def next(self) -> Piece | None:
        """Return the first row of the next part."""
        if self._behind is not None:
            return self._behind
        return next((row for row in self._rows if row.start != self.first.start), None)


def decoded(pieces: Pieces, job: int, function: bytes) -> Saved | None:
    """Return a part; None where it is damaged."""
    first = pieces.first
    start, stop, digest, plain = first.start, first.stop, first.digest, first.plain
    failed, head = first.failed, first.head
    kinds = tuple(map(type, (start, stop, digest, plain, failed, head)))
    if first.piece != 0 or kinds != (int, int, bytes, int, bytes, bytes) or not 0 <= start <= stop:
        return None
    place = job, start, stop, bool(plain), digest, failed, function
    pieces.known.update(repr(place).encode() + head)
    try:
        found = frames.decoded(head, pieces)
    except frames.Damaged:
        return None
    if pieces.known.digest() != first.checksum or len(failed) % 8 or plain not in (0, 1):
        return None
    failures = tuple(array("Q", failed))
    return Saved(start, stop, digest, bool(plain), found[0] if plain else tuple(found), failures)
