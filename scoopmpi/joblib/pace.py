"""How many calls of a `Parallel` go into one batch: seconds in, a number out.

A batch is a task of the farm, which costs rank 0 about 0.2 ms with what joblib does for it, twice
that on a core that it shares. So it has to last long enough for rank 0 to keep all workers fed, and
no longer, as what is in a batch is begun late. All that a call costs counts: where it runs, where
it is packed, where it is read.
"""

from __future__ import annotations

LEAST = 0.03
"""Seconds of a batch. Rank 0 shares a core with a worker on a laptop: 1000 calls of 1 ms on 2 cores
took 0.58 s with 5 ms, 0.54 with 20, 0.53 with 30; joblib itself makes the last ones shorter."""
RANK_0_COST = 0.0003
"""Seconds of rank 0 for a batch: with so many for each worker it is busy for two thirds."""
GROWTH = 16
"""How many times longer than the last ones a batch may be: they may have been the quick ones."""
LATE = 5
"""A batch that lasts so many times as long as it was made for hands on what is left of it."""


class Pace:
    """Learns what calls cost. at_a_time: how many batches run at a time."""

    def __init__(self, at_a_time: int) -> None:
        self._at_a_time = at_a_time
        self._batch_seconds = max(LEAST, at_a_time * RANK_0_COST)
        self._size = 1
        self._read = 0.0

    @property
    def late(self) -> float:
        """Seconds after which a batch has been made for too many calls."""
        return LATE * self._batch_seconds

    def ran(self, calls: int, seconds: float) -> None:
        """Note how long a batch of so many calls has taken, where it ran or was packed."""
        fitting = int(self._batch_seconds * calls / seconds) if seconds > 0 else self._size * GROWTH
        # A batch that was made before says nothing about more calls than that.
        self._size = max(1, min(fitting, max(self._size, calls * GROWTH)))

    def read(self, calls: int, seconds: float) -> None:
        """Note how long it took to read the arguments of so many calls."""
        self._read = max(seconds / calls, self._read / 2)

    @property
    def size(self) -> int:
        """How many calls the next batch should have; joblib reads so many for each worker."""
        most = self._size
        if self._read * self._at_a_time * most > self._batch_seconds:
            most = int(self._batch_seconds / (self._read * self._at_a_time))
        return max(1, most)
