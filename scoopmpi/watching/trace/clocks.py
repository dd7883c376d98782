"""The clock of a worker's host, brought to rank 0's: what is in the file is in one time.

A batch runs after it was assigned and before rank 0 hears of it, by rank 0's clock. So each answer
says between which two bounds the other clock's error lies. As long as none is possible none is
taken: hosts whose clocks agree to within a message's way are left alone. Pure.
"""

from __future__ import annotations

from math import inf

_STEPS = 1000
"""Corrections that are kept: what comes later than so many is brought to the oldest of them."""
_WITHIN = 1e-4
"""Seconds that a correction goes beyond what is needed, if it may: so there are few."""


class HostClock:
    """Brings the times of one host to rank 0's clock; all are seconds since 1970.

    Times in order stay in order, whatever corrections come between: spans that nest still nest.
    """

    def __init__(self) -> None:
        self._low, self._high = -inf, inf
        self._latest = -inf
        # From when on by that clock, what is added, and what is never gone below.
        self._steps: list[tuple[float, float, float]] = [(-inf, 0.0, -inf)]

    @property
    def error(self) -> float:
        """Seconds that are added now."""
        return self._steps[-1][1]

    def learn(self, began: float, ended: float, assigned: float, heard: float) -> None:
        """Take in when a batch ran by this clock, and between which times it did by rank 0's."""
        low, high = assigned - began, heard - ended
        self._low, self._high = max(self._low, low), min(self._high, high)
        if self._low > self._high:  # the clocks drift, or one was set: only the latest counts
            self._low, self._high = low, max(low, high)
        error = self.error
        if not self._low <= error <= self._high:
            pad = min(_WITHIN, (self._high - self._low) / 2)
            self._correct(min(max(error, self._low + pad), self._high - pad))
        self._latest = max(self._latest, ended)

    def _correct(self, error: float) -> None:
        """Add so much from now on: what is in the file already stays right beside it."""
        self._steps.append((self._latest, error, self.here(self._latest)))
        if len(self._steps) > _STEPS:
            del self._steps[1]

    def here(self, time: float) -> float:
        """Return a time of this host by rank 0's clock."""
        for since, error, least in reversed(self._steps):
            if time >= since:
                return max(time + error, least)
        return time  # no number
