"""`concurrent.futures.wait` and `as_completed` inside tasks: a wait that works instead of blocking.

The standard library puts a waiter into each future and blocks on the waiter's event. Blocking
would hold the rank whose turn it is to run the call that is waited for. So the futures of nested
calls replace that event by one whose `wait` drives the nested executor. (`_waiters` and `event` are
private names of the library, the same from Python 3.2 to 3.14; without them such a wait is rescued
by another thread, see `rescue`.)
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol


class Driven(Protocol):
    """Makes progress while somebody waits."""

    def wait_until(self, done: Callable[[], bool], timeout: float | None = None) -> bool:
        """Work until `done()`; return False after `timeout` seconds."""


class WorkingEvent(threading.Event):
    """An event whose waiter works until it is set."""

    def __init__(self, driven: Driven) -> None:
        super().__init__()
        self._driven = driven

    def wait(self, timeout: float | None = None) -> bool:
        """Wait as `threading.Event.wait` does, but work meanwhile."""
        return self._driven.wait_until(self.is_set, timeout)


class Waiters(list[Any]):
    """The waiters of one future."""

    def __init__(self, driven: Driven) -> None:
        self._driven = driven

    def append(self, waiter: Any) -> None:
        """Add a waiter, and have it wait by working."""
        if type(waiter.event) is threading.Event and not waiter.event.is_set():
            waiter.event = WorkingEvent(self._driven)
        super().append(waiter)
