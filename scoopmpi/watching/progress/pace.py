"""How many tasks end in a second: counted over the last moments. Numbers in, numbers out."""

from __future__ import annotations

from collections import deque

WINDOW = 60.0
"""Seconds over which tasks are counted at most: as long as `estimate` looks back."""
LATELY = 10.0
"""Seconds that are enough where many tasks end."""
MANY = 20
"""Tasks, of which chance makes no more than a fifth."""
STEP = 0.5
"""Seconds between two counts that are remembered."""
ENOUGH = 1.0
"""Seconds after which the first count says something."""


class Pace:
    """Follows the tasks of one line."""

    def __init__(self) -> None:
        self._counts: deque[tuple[float, int]] = deque()

    def note(self, now: float, finished: int) -> None:
        """Note how many tasks have ended until now."""
        counts = self._counts
        if counts and now - counts[-1][0] < STEP:
            return
        counts.append((now, finished))
        while len(counts) > 2 and counts[1][0] <= now - WINDOW:
            counts.popleft()

    def rate(self, now: float, finished: int) -> float | None:
        """Return how many tasks end in a second, None where that is not known yet."""
        found = None
        for since, before in reversed(self._counts):
            if now - since < ENOUGH:
                continue
            ended = finished - before
            found = ended / (now - since) if ended else None
            if now - since >= LATELY and ended >= MANY:
                break
        return found
