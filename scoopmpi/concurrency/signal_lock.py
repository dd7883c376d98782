"""A lock in whose scope signals wait. What that means, and for how long, is in `signal_scopes`."""

from __future__ import annotations

import threading
from threading import get_ident

from .signal_handlers import guard
from .signal_scopes import scopes


class SignalLock:
    """Holds a lock with `with lock:`."""

    def __init__(self) -> None:
        guard()
        self._lock = threading.Lock()
        self._main = threading.main_thread().ident

    def __enter__(self) -> None:
        if get_ident() == self._main:
            scopes.locked += 1  # before the lock: a signal between the two must not leave it locked
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()
        if get_ident() == self._main:
            scopes.locked -= 1
            if scopes.late or scopes.kept:
                scopes.settle()
