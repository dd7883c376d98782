"""Nested calls: those that a task submits, kept by the worker on which the task runs.

As with maps, the worker's own thread takes unstarted calls from the front and runs them, and others
get them from the end. Callbacks of futures, which are the user's code, run where outcomes are set:
in `run`, and in what `returned` gives.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Container
from functools import partial
from typing import Any, NamedTuple

from ...tasks import outcomes
from ...tasks.future import Future
from ...tasks.limit import seconds_of
from ...tasks.pedigree import Strand, runs_strand, sent
from ...wire import failure, payload
from ...wire.messages import CANCELLED, Offered, Origin, Returned
from ...wire.payload import Frame
from . import isolation
from .fibers import Ended

logger = logging.getLogger("scoopmpi")


class Call(NamedTuple):
    """A submitted call.

    plain: its function and arguments, where nobody can change them.
    frame: else the call, packed.
    limit: seconds that it may take, if there is a limit.
    origin: who has submitted it.
    """

    future: Future[Any]
    plain: tuple[Callable[..., Any], tuple[Any, ...]] | None
    frame: Frame | None
    origin: Origin
    limit: float | None = None


def packed(future: Future[Any], fn: Any, args: Any, kwargs: Any, origin: Origin) -> Call:
    """Make a call, packed unless nobody can change it; raises what packing raises."""
    if not kwargs and payload.plain(args) and payload.by_name(fn):
        return Call(future, (fn, args), None, origin)
    frame = payload.copied(payload.pack((fn, args, kwargs, sent(origin))))
    return Call(future, None, frame, origin, seconds_of(fn))


class TakenCalls(NamedTuple):
    """Unstarted calls from `start` on, for others."""

    start: int
    rows: list[Call]


class NestedCalls:
    """Calls that a task has submitted, one after the other.

    scope: the task. group: that it belongs to.
    """

    unread = False
    any_thread = True

    def __init__(self, number: int, scope: int, group: int | None = None) -> None:
        self.number, self.scope, self.group = number, scope, group
        self.rows: deque[Call] = deque()
        self.unanswered = 0
        self.portable = True  # each call is packed by itself, or an error in its place
        self._growing = True  # until others get some: indices must stay in a row
        self.front = self._end = 0
        self._elsewhere: dict[int, Future[Any]] = {}

    def add(self, call: Call, scope: int) -> bool:
        """Add a call of the task `scope`; return False where it needs a job of its own."""
        if scope != self.scope or not self._growing:
            return False
        self._end += 1
        self.rows.append(call)
        return True

    @runs_strand
    def run(self, until: float, strand: Strand) -> None:
        """Run calls from the front, one at least, until there are none or the time `until`."""
        while True:
            try:
                call = self.rows.popleft()
            except IndexError:
                return
            index, self.front = self.front, self.front + 1
            future = call.future
            if not future.set_running_or_notify_cancel():
                continue
            function: Any = "a submitted call"
            strand.origin = call.origin
            args: Any = ()
            kwargs: Any = {}
            try:
                if call.plain is None:
                    function, args, kwargs, _ = isolation.opened(call.frame, function)
                    strand.function = function
                    value = function(*args, **kwargs)
                else:
                    function, args = call.plain
                    strand.function = function
                    value = function(*args)
                value = isolation.own(value, function)
            except Ended:
                raise
            except BaseException as error:
                problem = isolation.raised(error, function, index, args, kwargs)
                _ended(future, outcomes.Raised(problem))
            else:
                _ended(future, value)
            if time.monotonic() > until:
                return

    def give_up(self, groups: Container[int | None]) -> None:
        """Cancel the unstarted calls of some groups."""
        for call in self.rows.copy():
            if call.origin[4] in groups:
                call.future.cancel()

    def take(self, most: int) -> TakenCalls:
        """Take at most so many unstarted calls from the end, for others."""
        calls: list[Call] = []
        while len(calls) < most:
            try:
                calls.append(self.rows.pop())
            except IndexError:
                break
        calls.reverse()
        self._growing = self._growing and not calls
        self._end -= len(calls)
        self.unanswered += len(calls)
        for index, call in enumerate(calls, self._end):
            self._elsewhere[index] = call.future
        return TakenCalls(self._end, calls)

    def offer(self, taken: TakenCalls) -> Offered:
        """Pack what `take` gave, a cancelled call as nothing to run; runs the user's pickling."""
        start, calls = taken.start, taken.rows
        frames = tuple(map(_frame, calls))
        limits = [call.limit for call in calls if call.limit is not None]
        limit = max(limits) if len(limits) == len(calls) else None
        last = any(call.future.on_end is not None for call in calls)  # of an executor
        return Offered(
            job=self.number,
            start=start,
            stop=start + len(calls),
            code=None,
            by_name=False,
            plain=False,
            tasks=frames,
            limit=limit,
            last=last,
        )

    def returned(self, message: Returned) -> Callable[[], None]:
        """Return what sets the outcomes of calls that others have run.

        It is to be run in a fiber, as it runs the user's unpickling and callbacks.
        """
        self.unanswered -= message.stop - message.start
        return partial(self._set_outcomes, message)

    def _set_outcomes(self, message: Returned) -> None:
        plain, failed = message.plain, frozenset(message.failed)
        frames = payload.unpack(message.outcomes) if plain else message.outcomes
        for place, frame in enumerate(frames):
            index = message.start + place
            future = self._elsewhere.pop(index)
            if future.cancelled():
                continue
            outcome = frame if plain else outcomes.opened(frame, place in failed, index)
            _ended(future, outcome)


def _ended(future: Future[Any], outcome: Any) -> None:
    try:
        if isinstance(outcome, outcomes.Raised):
            future.set_exception(outcome.error)
        else:
            future.set_result(outcome)
    except Ended:
        raise
    except BaseException:  # a callback may call sys.exit: neither the waiter's nor a neighbour's
        logger.exception("a callback of a call has failed")


def _frame(call: Call) -> Frame:
    if not call.future.set_running_or_notify_cancel():
        return CANCELLED
    if call.plain is None:
        return call.frame
    function, args = call.plain
    try:
        return payload.pack((function, args, {}, sent(call.origin)))
    except BaseException as error:
        problem = failure.call_unpicklable(error, function)
        return payload.pack(failure.Unpicklable(str(problem), error))
