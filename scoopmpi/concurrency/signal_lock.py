"""A lock in whose scope signals wait.

Ctrl-C raises KeyboardInterrupt between any two lines of the main thread; in the middle of the
farm's bookkeeping it would lose a batch for ever. Inside the lock's scope the exception is kept,
and raised when the outermost scope of the main thread ends.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class SignalLock:
    """Holds a lock with `with lock:`; `with lock.uninterrupted():` only keeps signals waiting."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._main = threading.main_thread().ident
        self._depth = 0  # of the main thread
        self._kept: BaseException | None = None

    def __enter__(self) -> None:
        if threading.get_ident() == self._main:
            self._depth += 1  # before the lock: a signal between the two must not leave it locked
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()
        if threading.get_ident() == self._main:
            self._leave()

    @contextmanager
    def uninterrupted(self) -> Iterator[None]:
        """Keep signals waiting for as long as the block lasts, without the lock."""
        if threading.get_ident() != self._main:
            yield
            return
        self._depth += 1
        try:
            yield
        finally:
            self._leave()

    def interrupt(self, error: BaseException) -> None:
        """Raise the error now, or when it can do no harm; called by a signal handler.

        A second one is raised in any case: the first may wait for a callback that never ends.
        """
        if not self._depth or self._kept is not None:
            raise error
        self._kept = error

    def _leave(self) -> None:
        self._depth -= 1
        if not self._depth and self._kept is not None:
            error, self._kept = self._kept, None
            raise error
