"""Nested maps: those that a task makes, kept by the worker on which the task runs.

Unstarted tasks stand in a deque: the worker's own thread takes them from the front and runs them,
`take` takes them from the end, for other workers, in any thread. When it is empty another one takes
its place. Where tasks run, wait and are sent is said in `depth_first` and `work_sharing`; what is
read, in `rows`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Container, Iterable, Sequence
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

from ...tasks import outcomes, packed
from ...tasks.pedigree import Strand, runs_strand, sent
from ...tasks.reorder import ReorderBuffer
from ...tasks.unfinished import Unheard, tell_endless, tell_failed
from ...wire import failure, payload
from ...wire.messages import Offered, Origin, Returned
from ...wire.payload import Frame
from . import isolation
from .fibers import Ended
from .rows import RowSource


class Arrived(NamedTuple):
    """Values of the tasks `start` to `stop - 1`, and what the task behind the last value raised."""

    start: int
    stop: int
    values: list[Any]
    failure: BaseException | None


class TakenRows(NamedTuple):
    """Unstarted tasks from `start` on, for others; `plain` where nobody can change the rows."""

    start: int
    rows: list[tuple[Any, ...]]
    plain: bool


class UnstartedRows(deque[tuple[Any, ...]]):
    """Rows that were read together, of tasks that have not started."""

    __slots__ = ("end", "plain")  # no __init__, which costs a nested map a microsecond
    end: int
    """The number of the task behind the last."""
    plain: bool
    """True where nobody can change the rows."""


_NONE = UnstartedRows()
_NONE.end, _NONE.plain = 0, True


class NestedMap:
    """A map that a task has made.

    scope: the task, for whoever waits.
    ahead: tasks that are read at first, where reading may run code of the user's.
    origin: who has made it.
    Raises TypeError where it cannot be a map.
    """

    any_thread = False

    def __init__(
        self,
        number: int,
        scope: int,
        target: Callable[..., Any],
        iterables: Sequence[Iterable[Any]],
        ahead: int,
        ordered: bool,
        origin: Origin,
    ) -> None:
        self.number, self.scope = number, scope
        self._origin = origin
        self.group = origin[4]
        """That the task belongs to."""
        self.asked = False
        """True where the task has asked for a value."""
        self.unread = False
        """True where nobody takes the values, but the tasks shall run."""
        self.unanswered = 0
        """Tasks that others have."""
        self.running = 0
        """Calls of `run` that have not ended, on different stacks."""
        self._function = isolation.MapFunction(target)
        self.outcomes: ReorderBuffer[Arrived | outcomes.OutcomeRange] = ReorderBuffer(ordered)
        self._source = RowSource(iterables, ahead, self.outcomes)
        self.rows = _NONE
        self.front = 0
        """The first of the unstarted tasks."""
        self._unheard: Unheard | None = None
        self.refill()

    def ask(self) -> None:
        """Take note that the task takes values."""
        self.asked = True

    def leave(self) -> None:
        """Take note that nobody takes the values."""
        self.unread = True

    # Tasks: what goes out.

    def refill(self) -> bool:
        """Read the next rows, when the last are used up; runs the user's iterators."""
        if self.rows or self._source.ended:
            return False
        rows = self._source.next_rows(self.unread)
        if not rows:
            return False
        plain = payload.plain(list(chain.from_iterable(rows)))
        window = UnstartedRows(rows)
        window.end, window.plain = self._source.read, plain
        self.front = window.end - len(rows)
        self.rows = window  # at once, as another thread may be about to take the last ones
        return True

    @runs_strand
    def run(self, until: float, strand: Strand) -> None:
        """Run tasks from the front, one at least, until there are none or the time `until`."""
        self.running += 1  # only the end of the worker leaves this early
        rows, call, target = self.rows, self._function.call, self._function.target
        plain = rows.plain
        start = self.front
        values: list[Any] = []
        strand.origin, strand.function = self._origin, target
        strand.start, strand.values = start, values
        problem: BaseException | None = None
        while True:
            try:
                row = rows.popleft()
            except IndexError:
                break
            index, self.front = self.front, self.front + 1
            try:
                value = call(*row) if plain else call(*isolation.arguments(target, index, row))
                values.append(isolation.own(value, target))
            except Ended:
                raise
            except BaseException as error:
                problem = isolation.raised(error, target, index, row)
                break
            # Another fiber may have gone on with this job while the task waited.
            if self.front != index + 1 or time.monotonic() > until:
                break
        self.running -= 1
        if values or problem is not None:
            stop = start + len(values) + (problem is not None)
            self.outcomes.add(Arrived(start, stop, values, problem))

    def give_up(self, groups: Container[int | None]) -> None:
        """Do nothing: who takes the values ends with its group, and an unread map is dropped."""

    @property
    def portable(self) -> bool:
        """True where its tasks can run elsewhere: its function can be packed."""
        return self._function.portable

    def take(self, most: int) -> TakenRows:
        """Take at most so many unstarted tasks from the end, for others; one thread at a time."""
        rows: list[tuple[Any, ...]] = []
        window = self.rows
        while len(rows) < most:
            try:
                rows.append(window.pop())
            except IndexError:
                break
        rows.reverse()
        window.end -= len(rows)
        self.unanswered += len(rows)
        return TakenRows(window.end, rows, window.plain)

    def offer(self, taken: TakenRows) -> Offered:
        """Pack what `take` gave; runs the user's pickling."""
        function = self._function.packed()
        start, rows = taken.start, taken.rows
        frame: Frame
        if taken.plain:
            frame = payload.pack_columns([list(column) for column in zip(*rows, strict=True)])
        else:
            frame = tuple(
                payload.copied(packed.pack_arguments(function.name, index, row))
                for index, row in enumerate(rows, start)
            )
        return Offered(
            job=self.number,
            start=start,
            stop=start + len(rows),
            code=function.code,
            by_name=function.by_name,
            plain=taken.plain,
            tasks=frame,
            limit=function.limit,
            last=self.unread,
            origin=sent(self._origin, start),
            name=function.name,
        )

    # Outcomes: what comes back.

    def returned(self, message: Returned) -> None:
        """Take in outcomes of tasks that others have run."""
        self.unanswered -= message.stop - message.start
        arrived = outcomes.OutcomeRange(
            start=message.start,
            stop=message.stop,
            plain=message.plain,
            outcomes=message.outcomes,
            failed=message.failed,
        )
        self.outcomes.add(arrived)

    def ready(self) -> bool:
        """Return True where the next values have arrived."""
        return self.outcomes.ready

    def discard(self) -> bool:
        """Throw away what has come of an unread map; return True where that was all."""
        source = self._source
        if source.endless and not source.ended:
            source.end()
            tell_endless(failure.describe(self._function.target), source.read)
        self.outcomes.discard(self._look)
        return source.used_up

    def _look(self, arrived: Arrived | outcomes.OutcomeRange) -> None:
        """Note what tasks of an unread map have raised."""
        self._unheard = self._unheard or Unheard()
        if isinstance(arrived, outcomes.OutcomeRange):
            if arrived.failed:
                first = arrived.failed[0]
                error = partial(failure.unpack, arrived.outcomes[first])
                self._unheard.note(arrived.start + first, error, len(arrived.failed))
        elif (raised := arrived.failure) is not None:
            self._unheard.note(arrived.stop - 1, lambda: raised)

    def tell(self, told: set[str]) -> None:
        """Say what the tasks, and the iterators, of an unread map have raised.

        told: functions whose tasks were told of before.
        """
        name, tasks = failure.describe(self._function.target), self._source.read
        if self._unheard is not None:
            self._unheard.tell(name, tasks, told)
        if self._source.error is not None:
            tell_failed(name, tasks, failure.reason(self._source.error))

    @property
    def exhausted(self) -> bool:
        """True where all values were taken; raises what the user's own iterator raised."""
        source = self._source
        if not source.ended or self.outcomes.taken < source.read:
            return False
        if source.error is not None:
            raise source.error
        return True
