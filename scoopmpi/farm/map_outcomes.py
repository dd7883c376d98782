"""Maps on rank 0: pack the tasks that go out, hand the outcomes back in order.

A job knows its function, its tasks and its outcomes, and nothing of workers, batches under way
or MPI. The farm calls `packed`, `delivered` and `failed`; the caller's iterator takes the values
out. A map keeps a window of tasks, not a list. Submitted calls are the other job, in `calls`.
"""

from __future__ import annotations

import contextvars
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..tasks.arguments import Source
from ..tasks.outcomes import OutcomeRange
from ..tasks.packed import Function, Tasks, pack_arguments
from ..wire import payload
from ..wire.messages import Frame

if TYPE_CHECKING:  # workers come by here without a checkpoint
    from ..checkpoint.record import MapRecord

AHEAD_BYTES = 64 << 20
"""Arguments or results that wait at rank 0, per job: keeps 10 million squares below 150 MB."""
AHEAD_TASKS = 1 << 20
"""Tasks of a map that may be handed out before the consumer has taken their results."""


class Span(NamedTuple):
    """So many tasks that are handed out next, or whose outcomes are known already."""

    tasks: int
    known: bool


class MapJob:
    """One map: a function over columns of arguments.

    workers: says how many workers there are.
    ordered: whether the consumer wants the outcomes in the order of the tasks or as they come.
    record: of the map in a checkpoint.
    """

    first = 0
    """The index of its first task for the user."""

    def __init__(
        self,
        target: Function,
        iterables: Sequence[Iterable[Any]],
        workers: Callable[[], int],
        ordered: bool = True,
        record: MapRecord | None = None,
    ) -> None:
        self._record = record
        self.function: Function | None = target
        self.error: BaseException | None = None
        self._guard = threading.RLock()  # the caller and the progress thread may act at a time
        self._source = Source(iterables)
        self.context = contextvars.copy_context()
        """In which the user's iterators run, whoever runs them."""
        self._workers = workers
        self._released = 0  # tasks that the scheduler knows of
        self._position = 0  # tasks that the consumer has taken
        self._bytes = 0.0  # of a task's arguments or result, the larger, on average
        self._ordered = ordered
        self.asked = False
        """Whether somebody has asked for a value."""
        self.left = False
        """Whether nobody takes the values, but the tasks shall run."""
        self.watch: Callable[[OutcomeRange], object] = bool  # shown what is thrown away
        self._waiting: dict[int, OutcomeRange] = {}  # by start, where the order matters
        self._arrivals: deque[OutcomeRange] = deque()  # else
        self._front = 0  # every task before this one has its outcome
        self._beyond: dict[int, int] = {}  # spans behind the front that have theirs

    # The farm's side.

    def limit(self, index: int) -> float | None:
        """Seconds that a task may take."""
        return None if self.function is None else self.function.limit

    def packed(self, start: int, stop: int) -> Tasks:
        with self._guard:
            self._source.drop_before(self._front)
            columns = self._source.columns(start, stop)
            if self._record is not None:
                self._record.sent(start, columns)
        frame = payload.pack_columns(columns)
        if frame is not None:
            self._weigh((frame,), stop - start)
            return Tasks(True, frame)
        assert self.function is not None
        name = self.function.name
        rows = enumerate(zip(*columns, strict=True), start)
        frames = tuple(pack_arguments(name, index, row) for index, row in rows)
        self._weigh(frames, stop - start)
        return Tasks(False, frames)

    def delivered(self, part: OutcomeRange) -> None:
        """Outcomes have come from a worker."""
        if self._record is not None and part.lasting:
            with self._guard:
                columns = self._source.columns(part.start, part.stop)
                self._record.came(*part[:5], columns)
        self._arrived(part)

    def _arrived(self, part: OutcomeRange) -> None:
        frames = (part.outcomes,) if part.plain else part.outcomes
        self._weigh(frames, part.stop - part.start)
        with self._guard:
            self._beyond[part.start] = part.stop
            while self._front in self._beyond:
                self._front = self._beyond.pop(self._front)
            if self._ordered:
                self._waiting[part.start] = part
            else:
                self._arrivals.append(part)

    def failed(self, error: BaseException) -> None:
        """No outcome will come any more: the farm itself has ended."""
        self.error = error

    def _weigh(self, frames: Sequence[Frame], tasks: int) -> None:
        each = sum(map(payload.size, frames)) / tasks
        self._bytes = max(self._bytes * 0.9, each)

    # The consumer's side.

    def releasable(self) -> list[Span]:
        """The next tasks, as many as may be handed out now; reads the user's iterators."""
        end = self._position + self._room()
        source = self._source
        if source.size is None:
            source.read_up_to(end)
        with self._guard:
            end = min(source.read, end)
            if self._record is not None and end > self._released:
                return self._recalled(self._record, end)
            count = max(0, end - self._released)
            self._released += count
        return [Span(count, False)] if count else []

    def _recalled(self, record: MapRecord, end: int) -> list[Span]:
        """As many tasks, and all that was saved together with the last of them."""
        spans: list[Span] = []
        while self._released < end:
            start = self._released
            known = record.next_known(start)
            if known is None or known.start > start:
                self._released = end if known is None else min(end, known.start)
                spans.append(Span(self._released - start, False))
            elif self._recall(record, known):
                self._released = known.stop
                spans.append(Span(len(known), True))
        return spans

    def _recall(self, record: MapRecord, tasks: range) -> bool:
        """Take the outcomes of these tasks from the record; False where they do not fit."""
        source = self._source
        if source.size is None:
            source.read_up_to(tasks.stop)  # as the run did that saved them
        fits = tasks.stop <= source.read
        saved = record.recalled(source.columns(tasks.start, tasks.stop) if fits else None)
        if saved is None:
            return False
        self._arrived(
            OutcomeRange(tasks.start, tasks.stop, saved.plain, saved.outcomes, saved.failed)
        )
        return True

    def _room(self) -> int:
        """How many tasks may be ahead of the consumer."""
        fits = AHEAD_TASKS if not self._bytes else int(AHEAD_BYTES / self._bytes)
        at_least = 4 * max(1, self._workers())
        ahead = min(max(fits, at_least), AHEAD_TASKS)
        if not (self._front or self._beyond):
            ahead = min(ahead, 16 * at_least)  # until the first results have been weighed
        if self._source.size is None:
            # An endless or costly generator is read no further than twice what was used of it.
            ahead = min(ahead, max(at_least, 2 * self._position))
        return ahead

    def take(self) -> OutcomeRange | None:
        """The next outcomes for the consumer, None where they have not arrived."""
        if self._ordered:
            part = self._waiting.pop(self._position, None)
        else:
            part = self._arrivals.popleft() if self._arrivals else None
        if part is not None:
            self._position += part.stop - part.start
        return part

    def leave(self) -> None:
        """Nobody will take the values: the tasks run, of endless iterables those that were read."""
        self.left = True
        if self.endless:
            self.read_no_further()

    def cut(self) -> None:
        """The program ends: who still takes values of what is read no further is to hear of it."""
        if self._source.size is None:
            self.left = True
            self.read_no_further()

    def read_no_further(self) -> None:
        """No task follows those that were read from the iterators."""
        if self.endless or self._source.size is None:
            self._source.end_at(self.read)

    def reading_failed(self, error: BaseException) -> None:
        """Reading its iterators has raised what is no Exception: there they end."""
        self._source.error = error
        self._source.end_at(self._source.read)

    def discard(self) -> bool:
        """Throw away what has come of a map that was left; whether that was all."""
        deque(map(self.watch, iter(self.take, None)), maxlen=0)
        return self.over

    @property
    def over(self) -> bool:
        """Whether all outcomes have been taken, by its consumer or by who keeps them for him."""
        return self._source.size is not None and self._position >= self._source.size

    @property
    def ready(self) -> bool:
        """Whether `take` has something, or nothing will ever come."""
        if self.error is not None:
            return True
        return self._position in self._waiting if self._ordered else bool(self._arrivals)

    @property
    def streamed(self) -> bool:
        """Whether the arguments come from the user's iterators."""
        return self._source.streamed

    @property
    def endless(self) -> bool:
        """Whether its iterables are known to have no end."""
        return self._source.endless

    @property
    def read(self) -> int:
        """How many tasks are known."""
        return self._source.read if self.streamed else self._released

    @property
    def taken(self) -> int:
        """How many outcomes have been taken, or thrown away."""
        return self._position

    @property
    def problem(self) -> BaseException | None:
        """What the user's iterators have raised, in a thread of ours or in their own."""
        return self._source.error or self._source.elsewhere

    @property
    def stuck(self) -> bool:
        """Whether its iterators may only work in the thread that has made them."""
        return self._source.size is None and self._source.elsewhere is not None

    @property
    def exhausted(self) -> bool:
        """Whether the consumer has everything; raises what the user's own iterator raised."""
        if self.over and self._source.error is not None:
            raise self._source.error
        return self.over
