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

AGAIN = 1 << 63
"""Added to the place of a task whose value, not an exception, says that it failed."""


class Outcome(NamedTuple):
    """One outcome in the file: the number of its part, and its place in that."""

    part: int
    place: int


class Saved(NamedTuple):
    """The outcomes of the tasks `start` to `stop - 1` of a job, as in `messages.Finished`.

    digest: of their arguments. arguments: these, or their keys, as in `arguments`.
    failed: the places of those whose outcome is an exception.
    again: of those whose value says that they failed.
    instead: failures of earlier runs, of whose tasks these are the outcomes now.
    """

    start: int
    stop: int
    digest: bytes
    plain: bool
    outcomes: Any
    failed: tuple[int, ...]
    arguments: bytes = b""
    again: tuple[int, ...] = ()
    instead: tuple[Outcome, ...] = ()


class Row(NamedTuple):
    """A part as it stands in the file; the checksum covers its function's digest too."""

    job: int
    start: int
    stop: int
    digest: bytes
    plain: bool
    failed: bytes
    instead: bytes
    arguments: bytes
    data: frames.Encoded

    def checksum(self, function: bytes) -> bytes:
        """Return the checksum of all that is in the row."""
        facts = (
            self.job, self.start, self.stop, self.plain, self.digest, self.failed, self.instead,
            function,
        )  # fmt: skip
        found = blake2b(repr(facts).encode(), digest_size=16)
        found.update(self.arguments)
        found.update(self.data.head)
        for piece in self.data.pieces:
            found.update(piece)
        return found.digest()

    @property
    def size(self) -> int:
        """Its bytes in memory, and those of a row."""
        own = len(self.failed) + len(self.digest) + len(self.instead) + len(self.arguments)
        return self.data.size + own + 200


def row(job: int, part: Saved) -> Row:
    """Return a part ready to be written; its buffers are copied now."""
    data = frames.encoded((part.outcomes,) if part.plain else part.outcomes)
    places = [*part.failed, *(place + AGAIN for place in part.again)]
    failed = array("Q", places).tobytes() if places else b""
    instead = array("Q", chain.from_iterable(part.instead)).tobytes() if part.instead else b""
    return Row(
        job, part.start, part.stop, part.digest, part.plain, failed, instead, part.arguments, data
    )


def failures(places: bytes) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the places of exceptions, and of values that are failures, from a row."""
    found = array("Q", places[: len(places) // 8 * 8])
    return (
        tuple(place for place in found if place < AGAIN),
        tuple(place - AGAIN for place in found if place >= AGAIN),
    )


def replaced(instead: bytes) -> list[Outcome]:
    """Return the failures that a row's outcomes have taken the place of."""
    found = array("Q", instead[: len(instead) // 16 * 16])
    return [Outcome(part, place) for part, place in zip(found[::2], found[1::2], strict=True)]


class Piece(NamedTuple):
    """A row of the table `parts` as it was read: in a damaged file of any types.

    The first piece of a part has all its facts, the others have their place and data only.
    """

    part: Any
    piece: Any
    function: Any
    job: Any
    start: Any
    stop: Any
    digest: Any
    plain: Any
    failed: Any
    instead: Any
    size: Any
    checksum: Any
    arguments: Any
    head: Any
    data: Any


class _Pieces:
    """The data of one part's rows, as they are read."""

    def __init__(self, rows: Iterator[Piece], first: Piece) -> None:
        self._rows, self._first = rows, first
        self.known = blake2b(digest_size=16)

    def __iter__(self) -> Iterator[bytes]:
        for number, row in enumerate(chain([self._first], self._rows)):
            if row.piece != number or type(row.data) is not bytes:
                raise frames.Damaged
            self.known.update(row.data)
            yield row.data


def decoded(rows: Iterator[Piece], function: bytes) -> Saved | None:
    """Return the part that stands in some rows; None where it is damaged, or there is none.

    function: the digest of the function that has made it.
    """
    first = next(rows, None)
    if first is None or not _typed(first):
        return None
    pieces = _Pieces(rows, first)
    facts = (
        first.job, first.start, first.stop, bool(first.plain), first.digest, first.failed,
        first.instead, function,
    )  # fmt: skip
    pieces.known.update(repr(facts).encode())
    pieces.known.update(first.arguments)
    pieces.known.update(first.head)
    try:
        found = frames.decoded(first.head, pieces)
    except frames.Damaged:
        return None
    if pieces.known.digest() != first.checksum:
        return None
    failed, again = failures(first.failed)
    outcomes = found[0] if first.plain else tuple(found)
    return Saved(
        first.start, first.stop, first.digest, bool(first.plain), outcomes, failed,
        first.arguments, again, tuple(replaced(first.instead)),
    )  # fmt: skip


def _typed(first: Piece) -> bool:
    numbers = first.job, first.start, first.stop, first.plain
    texts = first.digest, first.failed, first.instead, first.arguments, first.head
    return (
        first.piece == 0
        and {*map(type, numbers)} == {int}
        and {*map(type, texts)} == {bytes}
        and 0 <= first.start <= first.stop
        and first.plain in (0, 1)
        and len(first.failed) % 8 == 0
    )
