"""How much of a long run is told in full: what bounds a file that would grow with every batch.

So many events come one by one. From then on those are put together that are shorter than a
duration, which doubles each time that some more have come. Pure.
"""

from __future__ import annotations

SPANS, MORE_SPANS = 250_000, 30_000
"""Spans that are told one by one, and how many more each doubling allows: where they are of 50 ms,
1000 workers come to 14 doublings in a day. That is 670,000 events and 150 MB; Perfetto shows a
million."""
SHORTEST = 0.001
"""Seconds below which spans are put together at least."""
OTHERS, MORE_OTHERS = 20_000, 2_000
"""The same for marks of one category, for jobs, and for values of counters."""


class Ration:
    """Says what is told one by one.

    full, more: events that come before the first duration, and before each next one.
    first: the least that duration is, in seconds.
    """

    def __init__(self, full: int, more: int, first: float) -> None:
        self._left = self._full = full
        self._more, self._first = more, first
        self._seconds = 0.0
        self.shortest = 0.0
        """Seconds below which events are put together, or left out; 0 while none are."""

    def spend(self, events: int = 1, seconds: float = 0.0) -> None:
        """Take note of events that are told. seconds: how long they are, all together."""
        self._left -= events
        self._seconds += seconds
        while self._left <= 0:
            self._left += self._more
            # At once as long as they are on average, so that it does not take ten steps to matter.
            self.shortest = 2 * self.shortest or max(self._first, self._seconds / self._full)
