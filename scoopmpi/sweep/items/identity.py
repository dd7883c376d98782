"""Who an item is: a digest of its values, the names of the columns and the command.

A later run takes an item as done only where its number and this are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from os import fsencode

SIZE = 8
"""Bytes of a digest: of 10^7 items two are alike once in 400,000 tables, and the number counts."""


class Identity:
    """Gives the digests of the items of one sweep.

    columns: their names. command: the digest of the command.
    """

    def __init__(self, columns: Sequence[str], command: bytes) -> None:
        self._begun = blake2b(command, digest_size=SIZE)
        self._begun.update(b"%d:" % len(command) + _joined(columns) + b"\0\0")

    def of(self, values: Sequence[str]) -> bytes:
        """Return the digest of an item with these values, one for each column."""
        hashed = self._begun.copy()
        hashed.update(_joined(values))
        return hashed.digest()


def _joined(words: Sequence[str]) -> bytes:
    """Return the bytes of words as they stand in the file; no value of an item has a NUL."""
    return fsencode("\0".join(words))
