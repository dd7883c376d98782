"""Nested maps: those that a task makes, kept by the worker on which the task runs.

Unstarted tasks stand in a deque: the worker's own thread takes them from the front and runs them,
`taken` takes them from the end, for other workers. Who runs, waits and sends is said in `executor`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple

from ...tasks import outcomes, packed
from ...tasks.arguments import endless, sized, snapshot
from ...tasks.unfinished import tell_endless, tell_failed
from ...wire import failure, payload
from ...wire.messages import Frame, Offered
from . import isolation
from .fibers import Ended

WINDOW = 1 << 16
"""Tasks of a map that are looked at in advance: 8 MB of rows."""


class Arrived(NamedTuple):
    """Values of the tasks `start` to `stop - 1`, and what the task behind the last value raised."""

    start: int
    stop: int
    values: list[Any]
    failure: BaseException | None


class NestedMap:
    """A map that a task has made.

    scope: the task, for whoever waits.
    """

    def __init__(
        self,
        number: int,
        scope: int,
        target: Callable[..., Any],
        iterables: Sequence[Iterable[Any]],
        ahead: int,
        ordered: bool,
    ) -> None:
        self.number, self.scope = number, scope
        self.rows: deque[tuple[Any, ...]] = deque()
        self.asked = False
        """Whether the task has asked for a value."""
        self.left = False
        """Whether nobody takes the values, but the tasks shall run."""
        self.unanswered = 0  # tasks that others have, counted by the nested executor
        self.running = 0  # times that `run` is running, on different stacks
        self._portable = True
        self._function: packed.Function | None = None
        fixed = target if payload.by_name(target) else isolation.fixed(target)
        self._target = target if fixed is None else fixed
        self._call = self._copied_target() if fixed is None else fixed
        self._endless = endless(iterables[0]) and all(map(endless, iterables))
        if all(map(sized, iterables)):
            self._window = WINDOW
            self._source = zip(*map(snapshot, iterables), strict=False)
        else:
            self._window = ahead
            self._source = zip(*iterables, strict=False)
        self._ended = self._reading = False
        self._error: BaseException | None = None
        self._read = 0
        self._front = self._end = 0  # the rows are the tasks from front to end
        self._plain = True
        self._ordered = ordered
        self._position = 0  # tasks whose values the consumer has got
        self._waiting: dict[int, Arrived | outcomes.OutcomeRange] = {}
        self._arrivals: deque[Arrived | outcomes.OutcomeRange] = deque()
        self.refill()

    # Tasks.

    def refill(self) -> bool:
        """Read the next window of rows, when the last is used up; runs the user's iterators."""
        if self._ended or self.rows or self._enough_read or self._reading:
            return False
        rows: list[tuple[Any, ...]] = []
        self._reading = True  # it may wait for other tasks meanwhile
        try:
            rows.extend(islice(self._source, self._window))  # keeps what came before an error
            self._ended = len(rows) < self._window
        except Exception as error:
            self._error, self._ended = error, True
        finally:
            self._reading = False
        self._window = min(max(self._window, self._position), WINDOW)  # as far ahead as was used
        self._plain = payload.plain(chain.from_iterable(rows))
        self._front, self._end = self._read, self._read + len(rows)
        self._read = self._end
        self.rows.extend(rows)
        return bool(rows)

    @property
    def _enough_read(self) -> bool:
        return not self.left and self._read - self._position > 2 * self._window

    def run(self, until: float) -> None:
        """Run tasks from the front, one at least, until there are none or the time `until`."""
        self.running += 1  # only the end of the worker leaves this early
        rows, call = self.rows, self._call
        start, values = self._front, []
        problem: BaseException | None = None
        while True:
            try:
                row = rows.popleft()
            except IndexError:
                break
            index, self._front = self._front, self._front + 1
            try:
                value = (
                    call(*row)
                    if self._plain
                    else call(*isolation.arguments(self._target, index, row))
                )
                values.append(isolation.own(value, self._target))
            except Ended:
                raise
            except BaseException as error:
                problem = isolation.raised(error, self._target, index)
                break
            # Another fiber may have gone on with this job while the task waited.
            if self._front != index + 1 or time.monotonic() > until:
                break
        self.running -= 1
        if values or problem is not None:
            stop = start + len(values) + (problem is not None)
            self.arrived(Arrived(start, stop, values, problem))

    @property
    def portable(self) -> bool:
        """Whether its tasks can run elsewhere; one whose function cannot be packed stays here."""
        if self._function is None and self._portable:
            try:
                self._function = packed.pack_function(self._target)
            except BaseException:  # a hostile __reduce__ may even call sys.exit
                self._portable = False
        return self._portable

    def taken(self, most: int) -> tuple[int, list[Any], bool]:
        """Unstarted tasks from the end for others: the first's index, the rows, whether plain."""
        rows: list[tuple[Any, ...]] = []
        while len(rows) < most:
            try:
                rows.append(self.rows.pop())
            except IndexError:
                break
        rows.reverse()
        self._end -= len(rows)
        return self._end, rows, self._plain

    def offered(self, start: int, rows: list[Any], plain: bool) -> Offered:
        """What `taken` gave, packed; runs the user's pickling."""
        assert self._function is not None  # as it is portable
        function = self._function
        frame: Frame
        if plain:
            frame = payload.pack_columns([list(column) for column in zip(*rows, strict=True)])
        else:
            frame = tuple(
                payload.copied(packed.pack_arguments(function.name, index, row))
                for index, row in enumerate(rows, start)
            )
        stop = start + len(rows)
        return Offered(
            self.number, start, stop, function.code, function.by_name, plain, frame,
            function.limit, last=self.left,
        )  # fmt: skip

    # Outcomes.

    def arrived(self, part: Arrived | outcomes.OutcomeRange) -> None:
        """Outcomes have come, from others or of `run`."""
        if self._ordered:
            self._waiting[part.start] = part
        else:
            self._arrivals.append(part)

    def discard(self) -> bool:
        """Throw away what has come of a map that was left; whether that was all."""
        if self._endless and not self._ended:
            self._ended = True
            tell_endless(failure.describe(self._target), self._read)
        arrived = self._arrivals
        while self._waiting or arrived:  # others may come meanwhile, by another thread
            part = self._waiting.popitem()[1] if self._waiting else arrived.popleft()
            self._position += part.stop - part.start
        return self._ended and not self._reading and self._position >= self._read

    def ready(self) -> bool:
        """Whether `next_values` has something to give."""
        return self._position in self._waiting if self._ordered else bool(self._arrivals)

    def next_values(self) -> tuple[list[Any], BaseException | None]:
        """Values for the consumer up to a failure, and that failure; runs the user's unpickling."""
        waiting, arrivals = self._waiting, self._arrivals
        part = waiting.pop(self._position) if self._ordered else arrivals.popleft()
        self._position += part.stop - part.start
        if isinstance(part, Arrived):
            return part.values, part.failure
        return outcomes.values(part)

    def tell(self) -> None:
        """Say what the iterators of a map have raised that nobody reads."""
        if self._error is not None:
            reason = failure.reason(self._error)
            tell_failed(failure.describe(self._target), self._read, reason)

    @property
    def exhausted(self) -> bool:
        """Whether the consumer has everything; raises what the user's own iterator raised."""
        if not self._ended or self._position < self._read:
            return False
        if self._error is not None:
            raise self._error
        return True

    # Copies.

    def _copied_target(self) -> Callable[..., Any]:
        self._function = packed.pack_function(self._target)
        copy: Callable[..., Any] = payload.unpack(self._function.code)
        return copy
