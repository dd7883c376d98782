"""`Future`: what a submitted call will come to. The same for all executors; none is known here."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future as PEP3148Future
from typing import Any, Protocol, TypeVar

from ..concurrency.timeouts import seconds
from .scoop_attributes import ScoopAttributes

T = TypeVar("T")


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

    def result(self, timeout: float | None = None) -> T:
        """Return the call's value when it is there; works for it meanwhile.

        timeout: seconds to wait; None waits for ever.
        Raises what the call raised, CancelledError where it was cancelled, and TimeoutError after
        `timeout` seconds.
        """
        return super().result(self._drive(timeout))

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Return what the call raised, or None; waits and raises as `result` does."""
        return super().exception(self._drive(timeout))

    def _drive(self, timeout: float | None) -> float | None:
        """Work until the call is done, or `timeout` is over; return how long to wait afterwards."""
        timeout = seconds(timeout)
        if self.driver is None:
            return timeout
        if not self.done():
            self.driver.wait_until(self.done, None if timeout is None else max(0.0, timeout))
        return None if timeout is None else 0

    def set_result(self, result: T) -> None:
        """Note that the call has ended with a value. For executors."""
        super().set_result(result)
        if self.on_end is not None:
            self.on_end(self)

    def set_exception(self, exception: BaseException | None) -> None:
        """Note that the call has ended with an exception. For executors."""
        super().set_exception(exception)
        if self.on_end is not None:
            self.on_end(self)

    def cancel(self) -> bool:
        """Have the call not run; return False where it runs already or is done."""
        cancelled = super().cancel()
        if cancelled and self.on_end is not None:
            self.on_end(self)
        return cancelled
