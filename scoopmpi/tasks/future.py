"""`Future`: what a submitted call will come to. The same for all executors; none is known here."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future as PEP3148Future
from typing import Any, Protocol, TypeVar

from ..concurrency.timeouts import seconds
from .scoop_attributes import ScoopAttributes

T = TypeVar("T")


class Driven(Protocol):
    """What makes progress while somebody waits: a farm, or a worker for its tasks' own calls."""

    def wait_until(self, done: Callable[[], bool], timeout: float | None = None) -> bool:
        """Work until `done()`; False after `timeout` seconds."""


class Future(ScoopAttributes, PEP3148Future[T]):
    """A call that was submitted: a `concurrent.futures.Future` that works while you wait for it."""

    _farm: Driven | None = None
    _ended: Callable[[Any], None] | None = None
    """Of the executor that counts its calls; called when all callbacks have run."""

    def result(self, timeout: float | None = None) -> T:
        """The call's value; raises what it raised, or TimeoutError after `timeout` seconds."""
        return super().result(self._drive(timeout))

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """What the call raised, or None; waits up to `timeout` seconds."""
        return super().exception(self._drive(timeout))

    def _drive(self, timeout: float | None) -> float | None:
        """Drive the farm until the call is done; returns how long to wait afterwards."""
        timeout = seconds(timeout)
        if self._farm is None:
            return timeout
        if not self.done():
            self._farm.wait_until(self.done, None if timeout is None else max(0.0, timeout))
        return None if timeout is None else 0

    def set_result(self, result: T) -> None:
        """For executors: the call has ended with a value."""
        super().set_result(result)
        if self._ended is not None:
            self._ended(self)

    def set_exception(self, exception: BaseException | None) -> None:
        """For executors: the call has ended with an exception."""
        super().set_exception(exception)
        if self._ended is not None:
            self._ended(self)

    def cancel(self) -> bool:
        """Have the call not run; False where it runs already or is done."""
        cancelled = super().cancel()
        if cancelled and self._ended is not None:
            self._ended(self)
        return cancelled
