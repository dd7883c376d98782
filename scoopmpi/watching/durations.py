"""How long tasks of one function take: a histogram that stays small, whatever there is to count.

Bins are logarithmic, ten for each factor of ten: a quantile is the mean of its bin, so that of
tasks that take equally long it is right, else mostly within 12 %; counts and the longest task are
exact. Numbers only.
"""

from __future__ import annotations

import math
from collections import Counter

BINS = 10
"""Bins for each factor of ten."""
_SHORTEST = 1e-7
"""Seconds of the first bin: less is not measured."""


class Durations:
    """Counts tasks by the seconds that they took."""

    def __init__(self) -> None:
        self.tasks = 0
        self.seconds = 0.0
        self.longest = 0.0
        self.bins: Counter[int] = Counter()
        """Tasks by bin; bin n is about 10 ** (n / BINS) seconds and above."""
        self.within: dict[int, float] = {}
        """The seconds of the tasks of a bin, all together, as far as they are known."""

    def add(self, seconds: float, tasks: int = 1) -> None:
        """Count tasks that took so many seconds each: of a batch, what they took on average."""
        self.tasks += tasks
        self.seconds += seconds * tasks
        self.longest = max(self.longest, seconds)
        number = math.floor(math.log10(max(seconds, _SHORTEST)) * BINS)
        self.bins[number] += tasks
        self.within[number] = self.within.get(number, 0.0) + seconds * tasks

    def quantile(self, share: float) -> float:
        """Return the seconds that this share of the tasks did not exceed, 0.0 without tasks."""
        left = share * self.tasks
        for number in sorted(self.bins):
            left -= self.bins[number]
            if left <= 0 and share < 1:
                return min(self._mean(number), self.longest)
        return self.longest

    def _mean(self, number: int) -> float:
        known = self.within.get(number)
        return 10 ** ((number + 0.5) / BINS) if known is None else known / self.bins[number]
