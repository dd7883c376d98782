"""The results of a `Pool` that are asked for later, and the values of its maps one by one.

In the words of `multiprocessing.pool`'s `AsyncResult` and `IMapIterator`. Nothing here knows the
farm: an executor gives the outcomes.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable
from typing import Any

from ..concurrency.timeouts import seconds
from ..tasks.current_executor import current
from ..tasks.outcomes import Raised
from ..wire import failure
from .map_values import MapValues


class AsyncResult:
    """A result that is asked for later; `Pool.apply_async` and `map_async` give it.

    unfinished: where the pool counts its results; this one takes itself out when it is there.
    callback, error_callback: called with the value or the exception when it is there.
    """

    takes_values = True

    def __init__(
        self,
        unfinished: set[AsyncResult],
        callback: Callable[[Any], object] | None,
        error_callback: Callable[[BaseException], object] | None,
    ) -> None:
        self._unfinished = unfinished
        self._callbacks = callback, error_callback
        self._value: Any = None
        self._error: BaseException | None = None
        self._done = False
        self._below = current()
        self._below.unfinished.add(self)
        unfinished.add(self)

    def get(self, timeout: float | None = None) -> Any:
        """Return the value when it is there.

        timeout: seconds to wait; multiprocessing.TimeoutError afterwards. None waits for ever.
        Raises what the call raised.
        """
        timeout = seconds(timeout)
        self.wait(timeout)
        if not self.ready():
            raise multiprocessing.TimeoutError(f"no result after {timeout} s")
        if self._error is not None:
            raise self._error
        return self._value

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the result is there, or `timeout` seconds have passed."""
        timeout = seconds(timeout)
        if not self.ready():
            current().wait_until(self.ready, timeout)

    finish = wait  # for the end of the program

    def ready(self) -> bool:
        """Return whether the call is done."""
        return self._done

    def successful(self) -> bool:
        """Return whether the call has given a value; ValueError before it is done."""
        if not self.ready():
            raise ValueError("the call is not done yet")
        return self._error is None

    def let_go(self) -> None:
        """Have the end of the program not wait for the call."""
        self._below.unfinished.discard(self)

    def finish_with(self, value: Callable[[], Any]) -> None:
        """Note what the call has come to, and call the callback. For the pool.

        value: returns the call's value, or raises what the call has raised.
        """
        callback, error_callback = self._callbacks
        try:
            try:
                self._value = value()
            except BaseException as error:
                self._error = error
                if error_callback is not None:
                    error_callback(error)
            else:
                if callback is not None:
                    callback(self._value)
        finally:
            self._done = True
            self._unfinished.discard(self)
            self._below.unfinished.discard(self)


class ImapValues:
    """An iterator of the values of `imap`.

    A task that raises raises in its place; the values of the next tasks follow.
    """

    def __init__(self, results: MapValues) -> None:
        self._results = results
        self._outcomes: deque[Any] = deque()

    def __iter__(self) -> ImapValues:
        return self

    def __next__(self) -> Any:
        return self.next()

    def next(self, timeout: float | None = None) -> Any:
        """Return the next value; StopIteration behind the last one.

        timeout: seconds to wait; multiprocessing.TimeoutError afterwards, and the value can be
            asked for again. None waits for ever.
        """
        timeout = seconds(timeout)
        if not self._outcomes:
            if not self._results.wait(timeout):
                raise multiprocessing.TimeoutError(f"no result after {timeout} s")
            self._outcomes += self._results.outcomes()
        if not self._outcomes:
            raise StopIteration
        outcome = self._outcomes.popleft()
        if isinstance(outcome, Raised):
            raise failure.raisable(outcome.error)
        return outcome
