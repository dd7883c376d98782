"""Items and how they ended, for tests of what takes their outputs."""

from __future__ import annotations

from scoopmpi.sweep.items.ended import Ended
from scoopmpi.sweep.items.item import Item


def item(number: int, *values: str) -> Item:
    return Item(number, values, b"digest")


def ended(number: int, out: bytes = b"", err: bytes = b"", status: int = 0, why: str = "") -> Ended:
    return Ended(
        number, b"digest", 3, "node7.cluster", status, 1_480_000_000.5, 0.25, why, out, err
    )
