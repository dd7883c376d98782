"""A lock in whose scope signals wait.

Ctrl-C raises KeyboardInterrupt between any two lines of the main thread; in the middle of the
farm's bookkeeping it would lose a batch for ever. Inside the lock's scope the exception is kept,
and raised when the outermost scope of the main thread ends.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from threading import get_ident


class SignalLock:
    """Holds a lock with `with lock:`; `with lock.uninterrupted:` only keeps signals waiting."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._main = threading.main_thread().ident
        self._depth = 0  # of the main thread
        self._kept: BaseException | None = None
        self.uninterrupted = _Uninterrupted(self._enter, self._leave)
        """Keeps signals waiting for as long as a block lasts, without the lock."""

    def __enter__(self) -> None:
        if get_ident() == self._main:
            self._depth += 1  # before the lock: a signal between the two must not leave it locked
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()
        if get_ident() == self._main:
            self._leave()

    def interrupt(self, error: BaseException) -> None:
        """Raise the error now, or when it can do no harm; called by a signal handler.

        A second one is raised in any case: the first may wait for a callback that never ends.
        """
        if not self._depth or self._kept is not None:
            raise error
        self._kept = error

    def _enter(self) -> None:
        self._depth += 1

    def _leave(self) -> None:
        self._depth -= 1
        if self._kept is not None and not self._depth:
            error, self._kept = self._kept, None
            raise error


class _Uninterrupted:
    """A scope of the main thread in which signals wait; other threads pass.

    Made once and no generator: a map enters it twice.

    enter, leave: what begins it, and ends it.
    """

    def __init__(self, enter: Callable[[], None], leave: Callable[[], None]) -> None:
        self._enter, self._leave = enter, leave
        self._main = threading.main_thread().ident

    def __enter__(self) -> None:
        if get_ident() == self._main:
            self._enter()

    def __exit__(self, *_: object) -> None:
        if get_ident() == self._main:
            self._leave()
