"""Scopes of the main thread in which what a signal raises waits.

Python calls a signal's handler between any two lines of the main thread; what that raises in the
middle of a farm's bookkeeping would lose a batch, or leave a lock held, for ever. So it waits until
the outermost scope ends; or until a callback of the program's, which is called in such a scope,
waits for the farm itself. While a lock is held the handler waits too, as it may want the lock.

One for all farms of a process, and touched by its main thread alone. Whose handlers come here is in
`signal_handlers`.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import get_ident


class SignalScopes:
    """Counts the scopes that the main thread is in, and has what waits until they end."""

    __slots__ = ("calling", "depth", "kept", "late", "locked")

    def __init__(self) -> None:
        self.locked = 0
        """How many locks it holds, or is about to take."""
        self.depth = self.calling = 0
        """Other scopes, and those among them in which callbacks of the program's are called."""
        self.late: deque[Callable[[], object]] = deque()
        """What is to be done when no lock is held."""
        self.kept: deque[BaseException] = deque()
        """What is to be raised when no scope is left."""

    def interrupt(self, error: BaseException) -> None:
        """Raise the error now, or when it can do no harm.

        A second one waits for locks only: the first may wait for a callback that never ends.
        """
        if self.locked:
            self.late.append(partial(self.interrupt, error))
        elif not self.depth or self.kept:
            raise error
        else:
            self.kept.append(error)

    def call(self, handler: Callable[[], object]) -> None:
        """Call a handler of the program's now, or when no lock is held; keep what it raises."""
        if self.locked:
            self.late.append(partial(self.call, handler))
        elif not self.depth:
            handler()
        else:
            try:
                handler()
            except BaseException as error:
                self.kept.append(error)

    def settle(self) -> None:
        """Do what waits, as far as the scopes allow that are left; called as one has ended.

        All of it, in order: what is raised first is the context of what comes later.
        """
        if self.locked:
            return
        try:
            while self.late:
                self.late.popleft()()
            if self.kept and not self.depth:
                raise self.kept.popleft()
        finally:
            if self.late or (self.kept and not self.depth):
                self.settle()

    def raise_in_callback(self) -> None:
        """Raise what is kept, where a callback waits for the farm: nothing is half-way there.

        It stays kept: all callbacks are called whose turn it is, and each may wait for long.
        """
        if self.kept and self.calling == self.depth and not self.locked:
            raise self.kept[0].with_traceback(None)  # one way to it is enough to show

    @contextmanager
    def deaf(self) -> Iterator[None]:
        """A block in which handlers end nothing: what they raise is dropped."""
        self.depth += 1
        try:
            yield
        finally:
            self.kept.clear()
            self.depth -= 1


scopes = SignalScopes()
"""Those of this process's main thread."""


_MAIN = threading.main_thread().ident


class Uninterrupted:
    """A block of the main thread in which signals wait; other threads pass.

    No generator, as a map enters one twice.
    """

    def __enter__(self) -> None:
        if get_ident() == _MAIN:
            scopes.depth += 1

    def __exit__(self, *_: object) -> None:
        if get_ident() == _MAIN:
            scopes.depth -= 1
            if scopes.late or scopes.kept:
                scopes.settle()


class Calling(Uninterrupted):
    """The same, of a block in which callbacks of the program's are called."""

    def __enter__(self) -> None:
        if get_ident() == _MAIN:
            scopes.depth += 1
            scopes.calling += 1

    def __exit__(self, *_: object) -> None:
        if get_ident() == _MAIN:
            scopes.calling -= 1
            super().__exit__()


uninterrupted, calling = Uninterrupted(), Calling()
