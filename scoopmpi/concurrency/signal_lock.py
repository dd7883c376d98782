"""A lock in whose scope signals wait.

Ctrl-C raises KeyboardInterrupt between any two lines of the main thread; in the middle of the
farm's bookkeeping it would lose a batch for ever. Inside the lock's scope the exception is kept,
and raised when the outermost scope of the main thread ends; or where a callback of the program's,
which is called in such a scope, waits for the farm itself.
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
        self._depth = self._calling = 0  # scopes of the main thread, and those of callbacks
        self.kept: BaseException | None = None
        """What a signal shall raise when it can do no harm."""
        self.uninterrupted = _Uninterrupted(self._enter, self._leave)
        """Keeps signals waiting for as long as a block lasts, without the lock."""
        self.calling = _Uninterrupted(self._call, self._called)
        """The same, of a block in which callbacks of the program's are called."""

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
        if not self._depth or self.kept is not None:
            raise error
        self.kept = error

    def raise_in_callback(self) -> None:
        """Raise what is kept, where a callback waits for the farm: nothing is half-way there.

        It stays kept: all callbacks are called whose turn it is, and each may wait for long.
        """
        if get_ident() == self._main and self._calling == self._depth and self.kept is not None:
            raise self.kept.with_traceback(None)  # one way to it is enough to show

    def _enter(self) -> None:
        self._depth += 1

    def _leave(self) -> None:
        self._depth -= 1
        if self.kept is not None and not self._depth:
            error, self.kept = self.kept, None
            raise error

    def _call(self) -> None:
        self._depth += 1
        self._calling += 1

    def _called(self) -> None:
        self._calling -= 1
        self._leave()


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
