"""What the tasks of a job weigh, learned from what has been sent and what has come.

Numbers only, for batches (`batching.size`) and for the window of a map. No tasks, no frames.
"""

from __future__ import annotations

from typing import NamedTuple

KEPT = 0.9
"""A weight falls by a tenth with each batch that is lighter: where one result in a hundred has
100 MB, the next such one meets batches of ten tasks. An average would have forgotten it."""

LIGHT = 1 << 10
"""Tasks of fewer bytes count as weightless: 8 MiB are 8192 of them; few batches have as many."""


class Weight(NamedTuple):
    """Bytes of a task: of its arguments, and of its result.

    remembered: True where these are of an earlier job: the first result replaces them.
    """

    arguments: float = 0.0
    result: float = 0.0
    remembered: bool = False

    @property
    def larger(self) -> float:
        """Return the larger of both."""
        return max(self.arguments, self.result)

    @property
    def counts(self) -> float:
        """Return the larger of both, 0 where that is next to nothing."""
        larger = max(self.arguments, self.result)
        return larger if larger >= LIGHT else 0.0

    def sent(self, each: float) -> Weight:
        """Return the weight after a batch whose arguments have so many bytes for each task."""
        return Weight(max(KEPT * self.arguments, each), self.result, self.remembered)

    def came(self, each: float) -> Weight:
        """Return the weight after results of so many bytes for each task."""
        return Weight(self.arguments, each if self.remembered else max(KEPT * self.result, each))

    def as_remembered(self) -> Weight:
        """Return the weight for the next job of the same function: the larger, until it knows."""
        return Weight(0.0, self.larger, True)


UNKNOWN = Weight()
