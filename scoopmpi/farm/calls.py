"""Submitted calls on rank 0: an open-ended job, each task with its own function and future.

Both ways of a call are short enough for one file: what is sent of it is settled when it is
submitted, its outcome goes to the future. Maps are the other job of rank 0's own (`map_job`).
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections import deque
from collections.abc import Callable, Set
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ..concurrency.signal_scopes import scopes
from ..tasks.future import Ended, Future, end_together
from ..tasks.outcomes import OutcomeRange, Raised, opened
from ..tasks.packed import Function, Tasks, numbers_in
from ..tasks.unfinished import Unheard
from ..tasks.wrapped import Retry
from ..wire import errors, failure, lent, payload
from ..wire.messages import CANCELLED, Origin
from ..wire.payload import Frame

if TYPE_CHECKING:
    from ..tasks.record import CallRecord

logger = logging.getLogger("scoopmpi")

scopes.callers.add(Future._call.__code__)


class Call(NamedTuple):
    """One submitted call that has no outcome yet; it goes to the future, and to the record.

    sealed: what is sent of it (`seal`). record: keeps the outcome, where one is kept.
    common: must live as long as it, where it has something in common with others.
    code: the place of its function's code, where somebody asks how long that takes.
    function: what is called, where that cannot be read from `sealed` without the arguments.
    group: that it belongs to.
    """

    future: Future[Any]
    sealed: Frame | list[Any]
    record: CallRecord | None = None
    limit: float | None = None
    retry: Retry | None = None
    common: tuple[Any, ...] = ()
    code: object = None
    function: Callable[..., Any] | None = None
    group: int | None = None


def seal(
    fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], origin: Origin
) -> Frame | list[Any]:
    """Pack a call as it is now; where nobody can change it, a list, to be packed with others.

    In that its function is a frame by itself, as a name may mean another function later.
    A frame with buffers still has the caller's own.
    Raises what packing raises.
    """
    if type(args) is tuple and payload.small(args) and (not kwargs or _small(kwargs)):
        name = payload.pack_named(fn)
        if name is not None:
            return [name, args, kwargs.copy() if kwargs else None, origin]
    if lent.has_large_bytes(args) or (kwargs and lent.has_large_bytes(kwargs.values())):
        args = tuple(map(lent.beside, args))
        kwargs = {name: lent.beside(value) for name, value in kwargs.items()}
    return payload.pack((fn, args, kwargs, origin))


def _small(kwargs: dict[str, Any]) -> bool:
    return payload.small(tuple(kwargs)) and payload.small(tuple(kwargs.values()))


def _opened(sealed: Frame | list[Any], common: tuple[Any, ...]) -> list[Any]:
    """Return a call as it was submitted: function, arguments, keywords, origin."""
    if type(sealed) is list:
        name, args, kwargs, origin = sealed
        return [payload.unpack_named(name), args, kwargs or {}, origin]
    if common:
        from .in_common import whole  # late: loaded where a call has large buffers

        sealed = whole(sealed, common)
    return list(payload.unpack(sealed))


class CallStream:
    """All submitted calls of a program, one after the other.

    number: of the job on its farm.
    """

    kind, name = "calls", "a submitted call"
    packing_runs_code, delivery_runs_code = False, True
    function: Function | None = None
    origin: Origin | None = None
    size = progress = None
    first = 0

    def __init__(self, number: int) -> None:
        self.number = number
        self._calls: dict[int, Call] = {}
        self._count = 0
        self._unheard = Unheard()
        self._moving = threading.Lock()  # as any thread may say that the farm has ended
        self.fresh: deque[Call] = deque()
        """Calls that the scheduler has not been told of, which have no number yet."""

    def add(self, call: Call) -> None:
        """Take one more call; any thread may do so, without the farm's lock."""
        self.fresh.append(call)

    def take_fresh(self) -> int:
        """Return how many calls are new to the scheduler, which is told of them now."""
        with self._moving:
            count = len(self.fresh)
            for index in range(self._count, self._count + count):
                self._calls[index] = self.fresh.popleft()
            self._count += count
        return count

    @property
    def waiting(self) -> int:
        """Return how many calls have no outcome."""
        with self._moving:  # else a call that moves meanwhile would be in neither
            return len(self._calls) + len(self.fresh)

    def count_left(self) -> tuple[int, int]:
        """Return how many calls have neither an outcome nor been cancelled, and how many came.

        Who waits for cancelled ones hears of it: nobody will hand them out.
        """
        with self._moving:
            calls = [*self._calls.values(), *self.fresh]
            count = self._count + len(self.fresh)
        for call in calls:
            if call.future.cancelled():
                call.future.hand_out()
        return sum(not call.future.done() for call in calls), count

    def codes(self, start: int, stop: int) -> set[object]:
        """Return the places of the functions of some calls that have no outcome."""
        calls = map(self._calls.get, range(start, stop))
        return {call.code for call in calls if call is not None}

    @property
    def fresh_codes(self) -> set[object]:
        """Return those of all calls that the scheduler has not been told of."""
        with self._moving:
            return {call.code for call in self.fresh.copy()}  # more may come meanwhile

    def codes_left(self) -> set[object]:
        """Return those of all calls that have no outcome."""
        with self._moving:
            return {call.code for call in (*self._calls.values(), *self.fresh)}

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
            function, args, kwargs, _ = _opened(call.sealed, call.common)
            return errors.words(shown.called(function, args, kwargs), None)
        except BaseException:  # a hostile object, which may even call sys.exit
            return self.name

    def called(self, start: int, stop: int) -> str:
        """Return the name of the function of the calls `start` to `stop - 1`.

        Nothing where they are of several, or it is not known.
        """
        found: Any = None
        for index in range(start, stop):
            call = self._calls.get(index)
            if call is not None:
                own = call.sealed[0] if type(call.sealed) is list else call.function
                same = own is found or (type(own) is bytes is type(found) and own == found)
                if found is not None and not same:
                    return ""
                found = own
        try:
            function = payload.unpack_named(found) if type(found) is bytes else found
            return "" if found is None else failure.describe(function)
        except Exception:  # a hostile object
            return ""

    def packed(self, start: int, stop: int) -> Tasks:
        """Return the calls `start` to `stop - 1` as they are sent, without those cancelled.

        One frame for all where nobody can change any of them.
        """
        calls: list[Frame | list[Any]] = []
        plain = True
        numbers: set[int] = set()
        for index in range(start, stop):
            call = self._calls.get(index)
            if call is None or not call.future.hand_out():  # or the farm has ended
                calls.append(CANCELLED)
            else:
                calls.append(call.sealed)
                if type(call.sealed) is not list:
                    plain = False
                    if call.common:
                        numbers.update(numbers_in(call.sealed))
        if plain:
            return Tasks(True, payload.pack_plain((calls,)))
        frames = [payload.pack_plain(each) if type(each) is list else each for each in calls]
        return Tasks(False, tuple(frames), tuple(numbers))

    # Back.

    def delivered(self, part: OutcomeRange) -> None:
        """Set the futures; their callbacks, the user's code, run here."""
        if part.plain:
            self._values_came(part.start, payload.unpack(part.outcomes), part.reproducible)
            return
        failed = frozenset(part.failed)
        ended: list[Ended] = []
        unkept: list[Callable[[], None]] = []
        problem: BaseException | None = None
        for index, frame in enumerate(part.outcomes, part.start):
            call = self._calls.pop(index, None)
            if call is None or call.future.done():
                continue  # cancelled, or the farm is closing and has said so already
            raised = index - part.start in failed
            try:
                if call.record is not None and part.reproducible:
                    call.record.came(False, frame, raised)
            except BaseException as error:  # no memory, or a handler of the user's for the log
                problem = error
            outcome = opened(frame, raised, index)
            if type(outcome) is not Raised:
                ended.append((call.future, outcome, None))
            else:
                ended.append((call.future, None, outcome.error))
                if not call.future.heard:
                    note = partial(self._note_unheard, weakref.ref(call.future))
                    unkept.append(
                        partial(
                            note,
                            partial(_number, call.sealed, call.common, index),
                            index,
                            outcome.error,
                        )
                    )
            del call
        try:
            end_together(ended)
        except BaseException as error:  # sys.exit in a callback
            problem = error
        ended.clear()  # the last that holds the futures which nobody has kept
        for told in unkept:
            told()
        if problem is not None:
            raise problem

    def _note_unheard(
        self, kept: weakref.ref[Any], number: Callable[[], int], index: int, error: BaseException
    ) -> None:
        """Note what a call has raised where nobody has kept its future."""
        if kept() is None:
            self._unheard.note(index, lambda: error, number=number)

    def _values_came(self, start: int, values: list[Any], reproducible: bool) -> None:
        """Set the futures of calls whose outcomes are numbers, strings or such."""
        ended: list[Ended] = []
        kept: list[tuple[CallRecord, Any]] = []
        for index, value in enumerate(values, start):
            call = self._calls.pop(index, None)
            if call is not None:
                if call.record is not None and reproducible and not call.future.done():
                    kept.append((call.record, value))
                ended.append((call.future, value, None))
        try:
            if kept:
                kept[0][0].came_together(kept)
        finally:
            end_together(ended)

    def tell_unheard(self) -> None:
        """Warn of what calls have raised whose futures nobody has kept, once."""
        unheard, self._unheard = self._unheard, Unheard()
        unheard.tell_calls()

    def failed(self, error: BaseException) -> None:
        """Give all futures the error: the farm itself has ended."""
        with self._moving:
            calls = list(self._calls.values())
            self._calls = {}
            while self.fresh:  # one by one, as more may come meanwhile
                calls.append(self.fresh.popleft())
        for call in calls:
            try:
                if call.future.hand_out():  # else it is over, or was cancelled, which is told then
                    call.future.set_exception(error)
            except BaseException:
                logger.exception("a callback of a call that has no result has failed")

    def taken_of(self, groups: Set[int | None]) -> list[Call]:
        """Take out all calls of some groups; those that have no number yet keep their place."""
        with self._moving:
            fresh = self.fresh.copy()  # more may come meanwhile
            found = [index for index, call in list(self._calls.items()) if call.group in groups]
            calls = [call for index in found if (call := self._calls.pop(index, None))]
            return [*calls, *(call for call in fresh if call.group in groups)]

    def closed(self) -> None:
        """Nothing follows: the farm never forgets its calls."""


def _number(sealed: Frame | list[Any], common: tuple[Any, ...], index: int) -> int:
    """Return the number of a call among the program's, which reductions and known ones are not.

    index: its number here, where nobody can open it.
    """
    try:
        return int(_opened(sealed, common)[3][3])
    except BaseException:  # a hostile object
        return index
