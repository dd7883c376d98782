"""The last of the words that were said of each number, for 10^7 numbers: 17 bytes each.

Words come in the order in which they were said. Numpy sorts, and is imported with the first of
them only: each worker opens this file, few have a log.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import NamedTuple

_PENDING = 1 << 20
"""Words that wait to be sorted in, at least: so 10^7 are sorted few times, and take little more."""


class Word(NamedTuple):
    """Says what is known of a number: two numbers whose meaning is the giver's."""

    digest: int
    state: int


class LastWords:
    """Keeps one word of each number, the last; read once all are in."""

    def __init__(self) -> None:
        self._numbers, self._digests, self._states = array("q"), array("Q"), bytearray()
        self._sorted = 0
        self._next = 0

    def add(self, number: int, digest: int, state: int) -> None:
        """Take a word; number: less than 2**63, digest: less than 2**64, state: less than 256."""
        self._numbers.append(number)
        self._digests.append(digest)
        self._states.append(state)
        if len(self._numbers) - self._sorted > max(_PENDING, self._sorted):
            self.settle()

    def settle(self) -> None:
        """Leave one word of each number, in the order of numbers."""
        if len(self._numbers) == self._sorted:
            return
        import numpy

        numbers = numpy.frombuffer(self._numbers, numpy.int64)
        order = numpy.argsort(numbers, kind="stable")
        inside = numbers[order]
        last = order[numpy.append(inside[1:] != inside[:-1], True)]
        numbers, digests, states = (
            numpy.frombuffer(kept, kind)[last]
            for kept, kind in (
                (self._numbers, numpy.int64), (self._digests, numpy.uint64),
                (self._states, numpy.uint8),
            )
        )  # fmt: skip
        self._numbers, self._digests = array("q", numbers.tobytes()), array("Q", digests.tobytes())
        self._states = bytearray(states.tobytes())
        self._sorted = len(self._numbers)

    def __len__(self) -> int:
        """Return how many numbers there are."""
        return len(self._numbers)

    def of(self, number: int) -> Word | None:
        """Return the last word on a number; fastest where numbers are asked for in their order."""
        place, numbers = self._next, self._numbers
        if place >= len(numbers) or numbers[place] != number:
            place = bisect_left(numbers, number)
            if place >= len(numbers) or numbers[place] != number:
                return None
        self._next = place + 1
        return Word(self._digests[place], self._states[place])

    def count(self, state: int) -> int:
        """Return on how many numbers the last word has this state."""
        return self._states.count(state)
