"""Which tasks of a map are handed out next: a window ahead of the consumer, not all of them.

The first step of a map's way out. Reading the arguments runs the user's iterators, so nobody holds
the farm's lock meanwhile. Tasks whose outcomes a checkpoint knows are not handed out: their
outcomes go to `map_outcomes` at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from ..concurrency.signal_scopes import uninterrupted
from ..tasks.arguments import Source
from ..tasks.outcomes import OutcomeRange
from ..tasks.reorder import ReorderBuffer
from .ahead import Ahead

if TYPE_CHECKING:  # workers come by here without a checkpoint
    from ..tasks.record import MapRecord


class Span(NamedTuple):
    """So many tasks that are handed out next, or whose outcomes are known already.

    start: the first of them.
    """

    tasks: int
    known: bool
    start: int


class MapWindow:
    """The tasks of one map that are handed out next.

    source: the arguments. guard: held while what was read is looked at.
    ahead: says how many tasks fit. waiting: what the consumer has not taken.
    record: of the map in a checkpoint. recalled: takes the outcomes that it knows.
    """

    def __init__(
        self,
        source: Source,
        guard: threading.RLock,
        ahead: Ahead,
        waiting: ReorderBuffer[OutcomeRange],
        record: MapRecord | None,
        recalled: Callable[[OutcomeRange], None],
    ) -> None:
        self._source, self._guard, self._ahead = source, guard, ahead
        self._waiting = waiting
        self._record, self._recalled = record, recalled

    def next_spans(self) -> list[Span]:
        """Return the next tasks, as many as may be handed out now; reads the user's iterators.

        In a block of `uninterrupted`: what it returns must be handed out.
        """
        source, waiting = self._source, self._waiting
        taken, reads = waiting.taken, source.size is None
        end = taken + self._ahead.room(taken, waiting.ready, waiting.touched, reads)
        if reads:
            source.read_up_to(end)
        with self._guard:
            end, begin = min(source.read, end), self._ahead.released
            if end <= begin:
                return []
            if self._record is not None:
                return self._spans_of(self._record, end)
            self._ahead.release_up_to(end, source.size)
        return [Span(end - begin, False, begin)]

    def _spans_of(self, record: MapRecord, end: int) -> list[Span]:
        """Return the tasks before `end`, and those behind that were saved together with them."""
        source, spans = self._source, []
        begin = self._ahead.released
        reach = record.reach(begin, end)
        if source.size is None:
            source.read_up_to(reach)  # as the run did that saved them
        columns = source.columns(begin, min(reach, source.read))
        with uninterrupted:  # what a signal raises is no failure of packing
            parts, looked = record.known(begin, end, columns)
        end = min(end, looked)
        for part in parts:
            if begin < part.start:
                spans.append(Span(part.start - begin, False, begin))
            spans.append(Span(part.stop - part.start, True, part.start))
            begin = part.stop
            self._ahead.release_up_to(begin, source.size)
            self._recalled(part)
        if begin < end:
            spans.append(Span(end - begin, False, begin))
            self._ahead.release_up_to(end, source.size)
        return spans
