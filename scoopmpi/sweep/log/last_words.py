"""The last of the words that were said of each number, for 10^7 numbers: 17 bytes each.

Words come in the order in which they were said. Numpy sorts, and is imported with the first of
them only: each worker opens this file, few have a log.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from numpy import ndarray

_PENDING = 1 << 20
"""Words that wait to be sorted in: so 10^7 are copied ten times, each time in 0.05 s."""
_NO_STATE = 255


class Word(NamedTuple):
    """Says what is known of a number: two numbers whose meaning is the giver's."""

    digest: int
    state: int


class LastWords:
    """Keeps one word of each number, the last. It is read once `settle` was called."""

    def __init__(self) -> None:
        # Columns in the order of numbers, one word of each; the first is of no number.
        self._numbers = memoryview(array("q", [-1]))
        self._digests = memoryview(array("Q", [0]))
        self._states = memoryview(array("B", [_NO_STATE]))
        self._said = array("q"), array("Q"), array("B")
        self._next = 0

    def add(self, number: int, digest: int, state: int) -> None:
        """Take a word; number: less than 2**63, digest: less than 2**64, state: less than 255."""
        numbers, digests, states = self._said
        numbers.append(number)
        digests.append(digest)
        states.append(state)
        if len(numbers) >= _PENDING:
            self.settle()

    def settle(self) -> None:
        """Sort in what was said since it was called last."""
        if not self._said[0]:
            return
        import numpy

        said = [numpy.array(column) for column in self._said]
        numbers, digests, states = (column[last_of_each(said[0])] for column in said)
        self._said = array("q"), array("Q"), array("B")
        before = numpy.asarray(self._numbers)
        places = numpy.searchsorted(before, numbers)
        known = before[numpy.minimum(places, len(before) - 1)] == numbers
        old, new = places[known], places[~known]
        self._numbers = numpy.insert(before, new, numbers[~known]).data
        for name, given in (("_digests", digests), ("_states", states)):
            column = numpy.asarray(getattr(self, name))
            column[old] = given[known]
            setattr(self, name, numpy.insert(column, new, given[~known]).data)

    def __len__(self) -> int:
        """Return how many numbers there are."""
        return len(self._numbers) - 1

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
        return bytes(self._states).count(state)


def last_of_each(numbers: ndarray[Any, Any]) -> ndarray[Any, Any]:
    """Return where each number stands for the last time, in the order of numbers."""
    import numpy

    order = numpy.argsort(numbers, kind="stable")
    inside = numbers[order]
    last: ndarray[Any, Any] = order[numpy.append(inside[1:] != inside[:-1], True)[: len(order)]]
    return last
