"""When a worker may run out of work: until then rank 0 sleeps, and then it looks often.

Each pause used to grow with the time without a message, though an answer was due at a known moment:
tasks of 100 ms waited 8 ms each. Expectations come with each assignment; what has not been expected
is found as before, by looking again after a while. No clock of its own, no messages.
"""

from __future__ import annotations

from heapq import heappop, heappush

from ..scheduling.scheduler import Assignment


class Due:
    """For each worker the time from which on it should be looked after; times of one clock."""

    def __init__(self) -> None:
        self._ends: dict[int, float] = {}  # when a worker has run all that it holds
        self._wanted: dict[int, float] = {}
        self._order: list[tuple[float, int]] = []  # with entries that are no more wanted
        self._passed = 0.0

    def given(self, assignment: Assignment, now: float) -> None:
        """Note that a worker gets a batch."""
        worker, expected = assignment.worker, assignment.expected
        if assignment.waits:
            begins = max(now, self._ends.get(worker, now))
            # Half of the second one is left to send a third.
            wanted = begins + expected / 2
        else:
            begins = now
            wanted = now + assignment.surely
        self._ends[worker] = begins + expected
        self._wanted[worker] = wanted
        heappush(self._order, (wanted, worker))

    def next(self, now: float) -> tuple[float, float | None]:
        """Return the latest time at which somebody was due, and the next one, None if nobody is."""
        order, wanted = self._order, self._wanted
        while order:
            time, worker = order[0]
            if wanted.get(worker) == time:
                if time > now:
                    return self._passed, time
                del wanted[worker]
                self._passed = time
            heappop(order)
        return self._passed, None
