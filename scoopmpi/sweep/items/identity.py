"""Who an item is: a digest of its values, the names of the columns and the command.

A later run takes an item as done only where its number and this are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

SIZE = 8
"""Bytes of a digest: of 10^7 items two are alike once in 400,000 tables, and the number counts."""


class Identity:
    """Gives the digests of the items of one sweep.

    columns: their names. command: the digest of the command.
    """

    def __init__(self, columns: Sequence[str], command: bytes) -> None:
        self._begun = blake2b(command, digest_size=SIZE)
        self._begun.update(_joined(columns))

    def of(self, values: Sequence[str]) -> bytes:
        """Return the digest of an item with these values."""
        hashed = self._begun.copy()
        hashed.update(_joined(values))
        return hashed.digest()


def _joined(words: Sequence[str]) -> bytes:
    return b"".join(b"%d:" % len(word) + word for word in map(_encoded, words))


def _encoded(word: str) -> bytes:
    return word.encode(errors="surrogateescape")
