"""`Future`: what a submitted call will come to. The same for all executors; none is known here.

Thousands are made at a time, so one has a condition, and lists of waiters and callbacks, only when
somebody asks for them: the standard library does so, for its waits (`_condition`, `_waiters`).
The invariant: a future changes while its changer holds `_guard`, and has found under it that there
is no condition, or else holds that condition; a condition comes into being under the guard. So
whoever has got the condition and holds it sees a future that nobody changes, as in the standard
library, and whatever ends it later notifies him. Under the guard nothing is called and nothing
made that the garbage collector looks at, so no code of the user's runs there.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future as PEP3148Future
from concurrent.futures import InvalidStateError
from typing import Any, NoReturn, Protocol, TypeAlias, TypeVar

from ..concurrency.timeouts import seconds
from .scoop_attributes import STANDARD, ScoopAttributes

T = TypeVar("T")
logger = logging.getLogger("concurrent.futures")
_PENDING, _RUNNING, _FINISHED = "PENDING", "RUNNING", "FINISHED"
_CANCELLED, _NOTIFIED = "CANCELLED", "CANCELLED_AND_NOTIFIED"
"""The states of `concurrent.futures`, by the names that its waits compare."""
_OVER = frozenset((_FINISHED, _CANCELLED, _NOTIFIED))
_guard = threading.RLock()  # re-entrant, as a handler of signals may come at any point
os.register_at_fork(after_in_child=_guard._at_fork_reinit)  # type: ignore[attr-defined]

_LAZY = ("_condition", "_waiters")


class Driven(Protocol):
    """A farm, or a worker for its tasks' own calls: it works while somebody waits."""

    def wait_until(self, done: Callable[[], bool], timeout: float | None = None) -> bool:
        """Work until `done()`; False after `timeout` seconds."""


class Future(ScoopAttributes, PEP3148Future[T]):
    """A call that was submitted: a `concurrent.futures.Future` that works while you wait for it.

    `concurrent.futures.wait` and `asyncio.wrap_future` take it too.
    """

    driver: Driven | None = None
    """Works while somebody waits for the future; set by the executor that makes it."""
    on_end: Callable[[Any], None] | None = None
    """Called when the call is over and all callbacks have run; set by who counts it."""

    # Of the class until they differ.
    _state = _PENDING
    _result = _exception = None
    _done_callbacks: Any = ()
    _watched = False  # whether it has a condition

    def __init__(self) -> None:
        pass  # not the base's, which makes all that is not needed yet

    def __getattr__(self, name: str) -> Any:
        """Make what the standard library expects, when it is first asked for."""
        if name not in _LAZY:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        condition, waiters, callbacks = threading.Condition(), list[Any](), list[Any]()
        attributes = vars(self)
        with _guard:
            attributes.setdefault("_waiters", waiters)  # those of a nested call are its own
            if not self._watched:
                if not self._done_callbacks:
                    self._done_callbacks = callbacks
                # At once: with Ctrl-C between the two nobody would ever notify who waits.
                self._watched, self._condition = True, condition
        return attributes[name]

    def __reduce__(self) -> NoReturn:
        raise TypeError("a future stays where its call was submitted: send its result()")

    # For programs.

    def result(self, timeout: float | None = None) -> T:
        """Return the call's value when it is there; works for it meanwhile.

        timeout: seconds to wait; None waits for ever.
        Raises what the call raised, CancelledError where it was cancelled, and TimeoutError after
        `timeout` seconds.
        """
        try:
            if timeout is not None or self._state != _FINISHED:
                timeout = self._drive(timeout)
            if self._state != _FINISHED:
                return super().result(timeout)
            if self._exception is not None:
                raise self._exception
            return self._result  # type: ignore[return-value] # there is one, if only None
        finally:
            del self  # no circle of an exception and its traceback

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Return what the call raised, or None; waits and raises as `result` does."""
        timeout = self._drive(timeout)
        return self._exception if self._state == _FINISHED else super().exception(timeout)

    def done(self) -> bool:
        """Return True where the call has ended, or was cancelled."""
        return self._state in _OVER

    def running(self) -> bool:
        """Return True where a worker has been given the call, and it has not ended."""
        return self._state == _RUNNING

    def cancelled(self) -> bool:
        """Return True where the call was cancelled."""
        return self._state in (_CANCELLED, _NOTIFIED)

    def cancel(self) -> bool:
        """Have the call not run; return False where it runs already or is done."""
        from ..concurrency.signal_scopes import calling  # late: a file for workers

        with calling:  # all callbacks are called, and who counts it is told
            with _guard:
                before = self._state
                if quick := not self._watched and before == _PENDING:
                    self._state = _CANCELLED
            try:
                if quick:
                    self._invoke_callbacks()
                return quick or super().cancel()
            finally:
                if self.cancelled() and self.on_end is not None:
                    self.on_end(self)

    def add_done_callback(
        self, fn: Callable[[Any], object], inCallbackType: str = STANDARD,
        inCallbackGroup: object = None,
    ) -> None:  # fmt: skip
        """Have `fn(future)` called when the future is done, in this process.

        inCallbackType, inCallbackGroup: accepted, as SCOOP has them.
        """
        first = [fn]
        with _guard:
            watched = self._watched
            if waits := not watched and self._state not in _OVER:
                if self._done_callbacks:
                    self._done_callbacks.append(fn)
                else:
                    self._done_callbacks = first
        if watched:
            with self._condition:
                if waits := self._state not in _OVER:
                    self._done_callbacks.append(fn)
        if not waits:
            self._call(fn)

    def _call(self, fn: Callable[[Any], object]) -> None:
        """Call a callback, whose exceptions are logged; not what ends the program, or a signal's.

        Nobody else's code would get that: where the standard library calls back, no signal comes.
        """
        try:
            fn(self)
        except Exception as error:
            from ..concurrency.signal_scopes import came_of_signal  # late: a file for workers

            if came_of_signal(error):
                raise
            logger.exception("exception calling callback for %r", self)

    def _invoke_callbacks(self) -> None:
        """Call all callbacks, whatever one of them raises; that comes out last."""
        problem: BaseException | None = None
        for fn in self._done_callbacks:
            try:
                self._call(fn)
            except BaseException as raised:
                problem = raised
        if problem is not None:
            raise problem

    def _drive(self, timeout: float | None) -> float | None:
        """Work until the call is done, or `timeout` is over; return how long to wait afterwards."""
        if timeout is not None:
            timeout = seconds(timeout)
        if self.driver is None:
            return timeout
        if self._state not in _OVER:
            self.driver.wait_until(self.done, None if timeout is None else max(0.0, timeout))
        return None if timeout is None else 0

    # For executors.

    @property
    def heard(self) -> bool:
        """True where somebody is called when the future is done."""
        return bool(self._done_callbacks)

    def drop_callback(self, fn: Callable[[Any], object]) -> None:
        """Have a callback not called that was added, if the future is not done yet."""
        with _guard:
            watched = self._watched
            if not watched:
                self._drop(fn)
        if watched:
            with self._condition:
                self._drop(fn)

    def _drop(self, fn: Callable[[Any], object]) -> None:
        callbacks = self._done_callbacks
        if self._state in _OVER:
            return  # they are being called: the one behind it would be passed over
        place = len(callbacks) - 1
        while place >= 0 and callbacks[place] is not fn:
            place -= 1
        if place >= 0:
            del callbacks[place]

    def set_running_or_notify_cancel(self) -> bool:
        """Note that the call is handed out; return False where it was cancelled instead."""
        with _guard:
            if quick := not self._watched and self._state in (_PENDING, _CANCELLED):
                self._state = _RUNNING if self._state == _PENDING else _NOTIFIED
        return self._state == _RUNNING if quick else super().set_running_or_notify_cancel()

    def hand_out(self) -> bool:
        """Note that the call is handed out, or once more; return whether it is to be run.

        It is not where it is over, or was cancelled, which is noted then.
        """
        with _guard:
            if quick := not self._watched:
                if self._state == _PENDING:
                    self._state = _RUNNING
                elif self._state == _CANCELLED:
                    self._state = _NOTIFIED
        if not quick and self._state in (_PENDING, _CANCELLED):
            super().set_running_or_notify_cancel()
        return self._state == _RUNNING

    def set_result(self, result: T) -> None:
        """Note that the call has ended with a value."""
        self._set(result, None)

    def set_exception(self, exception: BaseException | None) -> None:
        """Note that the call has ended with an exception."""
        self._set(None, exception)

    def _set(self, result: Any, error: BaseException | None) -> None:
        with _guard:
            if quick := not self._watched and self._state not in _OVER:
                self._result, self._exception = result, error
                self._state = _FINISHED
        if not quick and not (self._watched and self._end(result, error)):
            raise InvalidStateError(f"{self._state}: {self!r}")
        self._over()

    def _end(self, result: Any, error: BaseException | None) -> bool:
        """Note the outcome of a call that is watched, callbacks apart; False where it is over."""
        with self._condition:
            if self._state in _OVER:
                return False
            self._result, self._exception = result, error
            self._state = _FINISHED
            for waiter in self._waiters:
                add = waiter.add_exception if error is not None else waiter.add_result
                add(self)
            self._condition.notify_all()
        return True

    def _over(self) -> None:
        try:
            if self._done_callbacks:
                self._invoke_callbacks()
        finally:
            if self.on_end is not None:
                self.on_end(self)


Ended: TypeAlias = tuple[Future[Any], Any, BaseException | None]
"""A future, and what it has come to: a value, or the error that was raised."""


def end_together(ended: Iterable[Ended]) -> None:
    """Note how calls have ended, but for those that are over already.

    All have their outcomes before the first callback, which may ask for any other's. What a
    callback raises spoils no other's, and comes out last.
    """
    over: list[Future[Any]] = []
    watched: list[Ended] = []
    with _guard:
        for each in ended:
            future = each[0]
            if future._watched:
                watched.append(each)
                over.append(future)
            elif future._state not in _OVER:
                _, future._result, future._exception = each
                future._state = _FINISHED
                if future._done_callbacks or future.on_end is not None:
                    over.append(future)
    before = {id(future) for future, *outcome in watched if not future._end(*outcome)}
    problem: BaseException | None = None
    for future in over:
        try:
            if id(future) not in before:
                future._over()
        except BaseException as raised:  # sys.exit in a callback
            problem = raised
    if problem is not None:
        raise problem
