"""How far a map may run ahead of its consumer, by what its tasks and outcomes weigh.

Numbers only: the ways out (`map_window`, `map_tasks`) and back (`map_outcomes`) tell what they have
seen. What has come is counted; what is under way is estimated. Tasks that were handed to the
scheduler before it was known what they weigh are held back there, by the `gate`. No tasks, no
outcomes, no locks here.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..scheduling.weights import Weight
from ..wire import payload
from ..wire.payload import Frame

AHEAD_BYTES = 64 << 20
"""Arguments or results that wait at rank 0, for each map: keeps 10 million squares below 150 MB."""
BEHIND_BYTES = 4 * AHEAD_BYTES
"""The same where the consumer waits for a task that takes longer than those behind it."""
AHEAD_TASKS = 1 << 20
"""Tasks of a map that may be handed out before the consumer has taken their results."""
LEAST, BEHIND = 2, 4
"""Tasks for each worker that may be ahead of the consumer whatever they weigh: one runs, one is on
its way. Behind a task that takes longer so many: with durations that differ exponentially 8 workers
are busy for .73, .88, .96, .98 of the time with 2, 3, 4, 8 (simulated)."""
FIRST = 64
"""Tasks for each worker that are handed out before any outcome has come."""
READ = 4
"""Tasks for each worker that are read from a generator before any outcome was taken."""

A_NUMBER = 64
"""Bytes of an outcome that is a number or two, with its share of the frame's head: `AHEAD_TASKS` of
these are `AHEAD_BYTES`."""
LIGHT_TASKS = 1 << 14
"""Tasks that are handed out before any outcome has come, where those of the function's latest map
took no time and were numbers: 10,000 squares took a round more without, 1.3 ms instead of 0.8."""
LARGE = 1 << 16
"""Bytes from which on a batch of outcomes is counted until the consumer takes it, and tasks are
handed out one by one as he does: to count each batch of numbers would slow down small maps."""


class Ahead:
    """The tasks of one map that may be handed out before their consumer has come so far.

    workers: how many workers the farm has when all have joined.
    light: whether its outcomes are known to weigh next to nothing, from an earlier map.
    weight: what a task weighed in that one. most: tasks that may be ahead in any case.
    """

    def __init__(
        self, workers: int, light: bool = False, weight: float = 0.0, most: int = AHEAD_TASKS
    ) -> None:
        self.released = 0
        """Tasks that were handed to the scheduler, or whose outcomes were known."""
        self.narrow = weight >= LARGE
        """True where tasks that were handed to the scheduler may have to be held back."""
        self._whole = False  # nothing is left to hand out
        workers = max(1, workers)
        self._least, self._behind, self._read = LEAST * workers, BEHIND * workers, READ * workers
        self._first = max(FIRST * workers, LIGHT_TASKS if light else 0)
        self._weight = Weight(weight)
        self._most = most
        self.outcomes = 0
        """How many tasks have their outcome here, or had it."""
        self._waiting = 0  # bytes of large outcomes that the consumer has not taken

    def release_up_to(self, task: int, size: int | None) -> None:
        """Note that all tasks before this one have been handed out.

        size: how many there are, None where that is unknown.
        """
        self.released = task
        self._whole = task == size

    def weigh(self, frames: Sequence[Frame], tasks: int) -> None:
        """Learn from the frames of the arguments of so many tasks."""
        if self._whole:  # as most maps are from their beginning: their arguments are here anyway
            return
        self._weight.sent(sum(map(payload.size, frames)) / tasks)
        self.narrow = self.narrow or self._weight.larger >= LARGE

    def came(self, size: int, tasks: int, taken: int) -> None:
        """Learn from outcomes that have come.

        size: their bytes. taken: tasks whose outcomes the consumer has.
        """
        self.outcomes += tasks
        if size <= A_NUMBER * tasks and not self._weight.larger:
            return
        self._weight.came(size / tasks)
        if size >= LARGE:
            self._waiting += size
            self.narrow = True
        elif not self.narrow:
            self.narrow = self._weight.larger * (self.released - taken) > AHEAD_BYTES

    def took(self, size: int) -> None:
        """Note that the consumer has taken outcomes of so many bytes, which came together."""
        if size >= LARGE:
            self._waiting -= size

    def room(self, taken: int, ready: bool, weighed: bool, reads: bool) -> int:
        """Return how many tasks may be ahead of the consumer.

        taken: tasks whose outcomes he has. ready: whether the next one is there.
        weighed: whether any outcomes have come.
        reads: whether the tasks are read from the user's iterators.
        """
        each, waiting = self._weight.larger, self._waiting
        ahead = AHEAD_TASKS
        if each:
            here = self.outcomes - taken if waiting else 0
            ahead = max(here + int((AHEAD_BYTES - waiting) / each), self._least)
            if waiting and not ready:  # as many go on as if nothing was here
                most = max(here + int((BEHIND_BYTES - waiting) / each), self._behind)
                ahead = min(here + max(int(AHEAD_BYTES / each), self._least), most)
        ahead = min(ahead, self._most)
        if not weighed:
            ahead = min(ahead, self._first)
        if reads:
            # An endless or costly generator is read no further than twice what was used of it.
            ahead = min(ahead, max(self._read, 2 * taken))
        return ahead

    def gate(self, taken: int, ready: bool, weighed: bool) -> int | None:
        """Return from which task on those are held back that were handed out; None: none is.

        taken, ready, weighed: as for `room`.
        """
        end = taken + self.room(taken, ready, weighed, reads=False)
        return None if self._whole and end >= self.released else end
