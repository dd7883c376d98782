"""Submitted calls on rank 0: an open-ended job, each task with its own function and future.

Both ways of a call are short enough for one file: its frame is made when it is submitted, its
outcome goes to the future. Maps are the other job of rank 0's own (`map_job`).
"""

from __future__ import annotations

import logging
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ..tasks.future import Future
from ..tasks.outcomes import OutcomeRange, Raised, opened
from ..tasks.packed import Function, Tasks
from ..tasks.unfinished import Unheard
from ..tasks.wrapped import Retry
from ..wire import errors, payload
from ..wire.messages import CANCELLED, Origin
from ..wire.payload import Frame

if TYPE_CHECKING:
    from ..tasks.record import CallRecord

logger = logging.getLogger("scoopmpi")


class Call(NamedTuple):
    """One submitted call that has no outcome yet; it goes to the future, and to the record."""

    future: Future[Any]
    frame: Frame
    record: CallRecord | None = None
    limit: float | None = None
    retry: Retry | None = None


class CallStream:
    """All submitted calls of a program, one after the other.

    number: of the job on its farm.
    """

    kind, name = "calls", "a submitted call"
    packing_runs_code, delivery_runs_code = False, True
    function: Function | None = None
    origin: Origin | None = None
    first = 0

    def __init__(self, number: int) -> None:
        self.number = number
        self._calls: dict[int, Call] = {}
        self._count = 0
        self._unheard = Unheard()
        self._begun = 0  # every call before this one was handed out at least once
        self.fresh = 0
        """Calls that the scheduler has not been told of."""

    def add(self, call: Call) -> None:
        """Take one more call."""
        self._calls[self._count] = call
        self._count += 1
        self.fresh += 1

    def take_fresh(self) -> int:
        """Return how many calls are new to the scheduler, which is told of them now."""
        count, self.fresh = self.fresh, 0
        return count

    @property
    def waiting(self) -> int:
        """Return how many calls have no outcome."""
        return len(self._calls)

    # Out.

    def limit(self, task: int) -> float | None:
        """Return the seconds that a call may take, None where there is no limit."""
        call = self._calls.get(task)
        return None if call is None else call.limit

    def retry(self, task: int) -> Retry | None:
        """Return how a call that raises is tried again, None where it is not."""
        call = self._calls.get(task)
        return None if call is None else call.retry

    def words(self, task: int) -> str:
        """Return a call's function and arguments in the words of messages."""
        from ..wire import shown  # late: nothing may fail

        call = self._calls.get(task)
        if call is None:
            return self.name
        try:
            function, args, kwargs, _ = payload.unpack(call.frame)
            return errors.words(shown.called(function, args, kwargs), None)
        except BaseException:  # a hostile object, which may even call sys.exit
            return self.name

    def packed(self, start: int, stop: int) -> Tasks:
        """Return the frames of the calls `start` to `stop - 1`, without those cancelled."""
        frames = []
        for index in range(start, stop):
            call = self._calls.get(index)
            if call is None:  # the farm has ended
                begun = False
            elif index < self._begun:  # handed out before and given back
                begun = not call.future.cancelled()
            else:
                begun = call.future.set_running_or_notify_cancel()
            frames.append(call.frame if call is not None and begun else CANCELLED)
        self._begun = max(self._begun, stop)
        return Tasks(False, tuple(frames))

    # Back.

    def delivered(self, part: OutcomeRange) -> None:
        """Set the futures; their callbacks, the user's code, run here."""
        failed = frozenset(part.failed) if part.failed else ()
        frames = payload.unpack(part.outcomes) if part.plain else part.outcomes
        problem: BaseException | None = None
        for place, frame in enumerate(frames):
            index = part.start + place
            call = self._calls.pop(index, None)
            if call is None or call.future.done():
                continue  # cancelled, or the farm is closing and has said so already
            outcome = frame if part.plain else opened(frame, place in failed, index)
            if call.record is not None and part.reproducible:
                call.record.came(part.plain, frame, place in failed)
            try:
                if isinstance(outcome, Raised):
                    heard = call.future.heard
                    kept, number = weakref.ref(call.future), partial(_number, call.frame, index)
                    call.future.set_exception(outcome.error)
                    del call  # the last that holds the future, where nobody has kept it
                    if kept() is None and not heard:
                        error = partial(getattr, outcome, "error")
                        self._unheard.note(index, error, number=number)
                else:
                    call.future.set_result(outcome)
            except BaseException as raised:  # sys.exit in a callback
                problem = raised
        if problem is not None:
            raise problem

    def tell_unheard(self) -> None:
        """Warn of what calls have raised whose futures nobody has kept, once."""
        unheard, self._unheard = self._unheard, Unheard()
        unheard.tell_calls()

    def failed(self, error: BaseException) -> None:
        """Give all futures the error: the farm itself has ended."""
        calls, self._calls = self._calls, {}
        for call in calls.values():
            try:
                if not call.future.done():
                    call.future.set_exception(error)
            except BaseException:
                logger.exception("a callback of a call that has no result has failed")

    def closed(self) -> None:
        """Nothing follows: the farm never forgets its calls."""


def _number(frame: Frame, index: int) -> int:
    """Return the number of a call among the program's, which reductions and known ones are not.

    index: its number here, where nobody can open it.
    """
    try:
        return int(payload.unpack(frame)[3][3])
    except BaseException:  # a hostile object
        return index
