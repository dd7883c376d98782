"""Submitted calls on rank 0: an open-ended job, each task with its own function and future."""

from __future__ import annotations

import logging
from concurrent.futures import Future as PEP3148Future
from typing import TYPE_CHECKING, Any, NamedTuple

from ..tasks.outcomes import OutcomeRange, Raised, opened
from ..tasks.packed import Function, Tasks
from ..wire import payload
from ..wire.messages import CANCELLED, Frame

if TYPE_CHECKING:
    from ..tasks.record import CallRecord

logger = logging.getLogger("scoopmpi")


NO_CALL = (None, CANCELLED, None, None)


class Call(NamedTuple):
    """One submitted call that has no outcome yet; it goes to the future, and to the record."""

    future: PEP3148Future[Any]
    frame: Frame
    record: CallRecord | None = None
    limit: float | None = None


class CallStream:
    """All submitted calls of a program: an open-ended job, every task with its own function."""

    function: Function | None = None
    first = 0

    def __init__(self) -> None:
        self._calls: dict[int, Call] = {}
        self._count = 0
        self._begun = 0  # every call before this one was handed out at least once

    def add(self, call: Call) -> None:
        self._calls[self._count] = call
        self._count += 1

    def limit(self, index: int) -> float | None:
        """Seconds that a call may take."""
        call = self._calls.get(index)
        return None if call is None else call.limit

    @property
    def waiting(self) -> int:
        return len(self._calls)

    def packed(self, start: int, stop: int) -> Tasks:
        frames = []
        for index in range(start, stop):
            future, frame, *_ = self._calls.get(index, NO_CALL)
            if future is None:  # the farm has ended
                begun = False
            elif index < self._begun:  # handed out before and given back
                begun = not future.cancelled()
            else:
                begun = future.set_running_or_notify_cancel()
            frames.append(frame if begun else CANCELLED)
        self._begun = max(self._begun, stop)
        return Tasks(False, tuple(frames))

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
                    call.future.set_exception(outcome.error)
                else:
                    call.future.set_result(outcome)
            except BaseException as error:  # sys.exit in a callback
                problem = error
        if problem is not None:
            raise problem

    def failed(self, error: BaseException) -> None:
        """No outcome will come any more: the farm itself has ended."""
        calls, self._calls = self._calls, {}
        for call in calls.values():
            try:
                if not call.future.done():
                    call.future.set_exception(error)
            except BaseException:
                logger.exception("a callback of a call that has no result has failed")
