"""How far a map may run ahead of its consumer, by what its tasks and outcomes weigh.

Numbers only: the ways out (`map_window`, `map_tasks`) and back (`map_outcomes`) tell what they have
seen. No tasks, no outcomes, no locks here.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..wire import payload
from ..wire.payload import Frame

AHEAD_BYTES = 64 << 20
"""Arguments or results that wait at rank 0, for each map: keeps 10 million squares below 150 MB."""
AHEAD_TASKS = 1 << 20
"""Tasks of a map that may be handed out before the consumer has taken their results."""

LIGHT_TASKS = 1 << 14
"""Tasks that are handed out before any outcome has come, where those of the function's latest map
took no time and were numbers: 10,000 squares took a round more without, 1.3 ms instead of 0.8."""


class Ahead:
    """The tasks of one map that may be handed out before their consumer has come so far.

    workers: how many workers the farm has when all have joined.
    light: whether its outcomes are known to weigh next to nothing, from an earlier map.
    """

    def __init__(self, workers: int, light: bool = False) -> None:
        self.released = 0
        """Tasks that were handed to the scheduler, or whose outcomes were known."""
        self._whole = False  # nothing is left to hand out
        self._least = 4 * max(1, workers)
        self._first = max(16 * self._least, LIGHT_TASKS if light else 0)
        self._bytes = 0.0  # of a task's arguments or result, the larger, on average

    def release_up_to(self, task: int, size: int | None) -> None:
        """Note that all tasks before this one have been handed out.

        size: how many there are, None where that is unknown.
        """
        self.released = task
        self._whole = task == size

    def weigh(self, frames: Sequence[Frame], tasks: int) -> None:
        """Learn from the frames of so many tasks, arguments or outcomes."""
        if self._whole:  # as most maps are from their beginning: nobody asks again
            return
        each = sum(map(payload.size, frames)) / tasks
        self._bytes = max(self._bytes * 0.9, each)

    def room(self, taken: int, weighed: bool, reads: bool) -> int:
        """Return how many tasks may be ahead of the consumer.

        taken: tasks whose outcomes he has. weighed: whether any outcomes have come.
        reads: whether the tasks are read from the user's iterators.
        """
        fits = AHEAD_TASKS if not self._bytes else int(AHEAD_BYTES / self._bytes)
        ahead = min(max(fits, self._least), AHEAD_TASKS)
        if not weighed:
            ahead = min(ahead, self._first)
        if reads:
            # An endless or costly generator is read no further than twice what was used of it.
            ahead = min(ahead, max(self._least, 2 * taken))
        return ahead
