"""The outcomes of a map, on their way back from the workers to its consumer.

They are kept packed, as they came, in the order in which the consumer wants them. Called without
the farm's lock, as a checkpoint pickles what it compares. Nothing here packs tasks, or knows
workers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from ..tasks.arguments import Source
from ..tasks.outcomes import OutcomeRange
from ..tasks.reorder import ReorderBuffer
from ..tasks.unfinished import Unheard
from ..wire import failure, payload
from .ahead import A_NUMBER, Ahead

if TYPE_CHECKING:  # workers come by here without a checkpoint
    from ..tasks.record import MapRecord


class MapOutcomes:
    """What has come of one map.

    waiting: keeps the outcomes until the consumer takes them.
    source: the arguments, of which those that were answered are dropped. guard: held meanwhile.
    ahead: learns what outcomes weigh. record: of the map in a checkpoint.
    go_on: called after outcomes, where tasks are left to hand out or outcomes to throw away.
    """

    def __init__(
        self,
        waiting: ReorderBuffer[OutcomeRange],
        source: Source,
        guard: threading.RLock,
        ahead: Ahead,
        record: MapRecord | None,
        go_on: Callable[[], None],
    ) -> None:
        self._waiting = waiting
        self._source, self._guard, self._ahead = source, guard, ahead
        self._record, self._go_on = record, go_on
        self._front = 0  # every task before this one has its outcome
        self._beyond: dict[int, int] = {}  # ranges behind the front that have theirs
        self.error: BaseException | None = None
        """Why no outcome comes any more."""
        self.left = False
        """True where nobody takes the values, but the tasks shall run."""
        self.unheard: Unheard | None = None
        """What tasks have raised of which the values were thrown away."""
        self.light = True
        """True where no outcome has weighed more than a number or two."""
        self._watch: Callable[[OutcomeRange], object] = bool

    def delivered(self, part: OutcomeRange) -> None:
        """Take outcomes that have come from a worker."""
        if self._record is not None and part.reproducible:
            with self._guard:
                columns = self._source.columns(part.start, part.stop)
                self._record.came(part, columns)
        self.add(part)
        source = self._source
        ahead = self._ahead
        more = not source.streamed and ahead.released < source.read
        if self.left or more or ahead.narrow:
            self._go_on()

    def add(self, part: OutcomeRange) -> None:
        """Keep outcomes, from a worker or a checkpoint, for the consumer."""
        size, tasks = payload.weight(part.plain, part.outcomes), part.stop - part.start
        if self.light and not (part.plain and size <= A_NUMBER * tasks):
            self.light = False
        with self._guard:
            self._ahead.came(size, tasks, self._waiting.taken)
            if self._source.streamed:
                self._answered(part)
            self._waiting.add(part)

    def _answered(self, part: OutcomeRange) -> None:
        """Drop the arguments of tasks of which nobody asks again; with the guard held."""
        if self._ahead.narrow or not self._waiting.ordered:  # one that is slow keeps no others
            self._source.forget(part.start, part.stop)
        self._beyond[part.start] = part.stop
        while self._front in self._beyond:
            self._front = self._beyond.pop(self._front)
        self._source.drop_before(self._front)

    def take(self) -> OutcomeRange | None:
        """Give the consumer the next outcomes, None where they have not arrived."""
        part = self._waiting.take()
        if part is not None and self._ahead.narrow:
            with self._guard:
                self._ahead.took(payload.weight(part.plain, part.outcomes))
        return part

    @property
    def count(self) -> int:
        """Return how many tasks have their outcome here, or had it; whoever reads may take them."""
        with self._guard:
            return self._ahead.outcomes

    def closed(self) -> None:
        """Note that the farm has forgotten the map: nothing is to go on."""
        self._go_on = _nothing

    def failed(self, error: BaseException) -> None:
        """Note that no outcome will come any more: the farm itself has ended."""
        self.error = error

    def leave(self) -> None:
        """Note that nobody will take the values."""
        self.left = True

    def watch(self, thrown_away: Callable[[OutcomeRange], object]) -> None:
        """Have a function be shown what is thrown away."""
        self._watch = thrown_away

    def discard(self) -> None:
        """Throw away what has come."""
        while (part := self.take()) is not None:
            if part.failed:
                self._note(part)
            self._watch(part)

    def _note(self, part: OutcomeRange) -> None:
        """Note what tasks have raised of which the values are thrown away."""
        place = part.failed[0]
        error = partial(failure.unpack, part.outcomes[place])
        with self._guard:
            self.unheard = self.unheard or Unheard()
            self.unheard.note(part.start + place, error, len(part.failed))


def _nothing() -> None:
    """Do nothing."""
