"""Scopes of the main thread in which what a signal raises waits.

Python calls a signal's handler between any two lines of the main thread; what that raises in the
middle of a farm's bookkeeping would lose a batch, or leave a lock held, for ever. So it waits until
the outermost scope ends; or until a callback of the program's, which is called in such a scope,
waits for the farm itself. While a lock is held the handler waits too, as it may want the lock.

One for all farms of a process, and touched by its main thread alone. Whose handlers come here is in
`signal_handlers`.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import get_ident
from types import CodeType, FrameType
from typing import Any

_OURS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")
_PROGRAMS = os.path.join(_OURS, "programs", "")


class SignalScopes:
    """Counts the scopes that the main thread is in, and has what waits until they end."""

    __slots__ = ("_interruption", "calling", "callers", "depth", "kept", "late", "locked", "pid")

    def __init__(self) -> None:
        self.locked = 0
        """How many locks it holds, or is about to take."""
        self.depth = self.calling = 0
        """Other scopes, and those among them in which callbacks of the program's are called."""
        self.late: deque[Callable[[], object]] = deque()
        """What is to be done when no lock is held."""
        self.kept: deque[BaseException] = deque()
        """What is to be raised when no scope is left."""
        self.callers: set[CodeType] = set()
        """The code of ours that calls callbacks."""
        self.pid = 0
        """The process that has a farm; its forked children, which may be in a scope, have none."""
        self._interruption: BaseException | None = None  # that of ours which is kept

    def interrupt(self, error: BaseException) -> None:
        """Raise the error now, or when it can do no harm.

        A second one waits for locks only: the first may wait for a callback that never ends.
        """
        self._in_turn(partial(self._interrupted, error))

    def _interrupted(self, error: BaseException) -> None:
        if not self.depth or self.kept:
            raise error
        self._interruption = error
        self.kept.append(error)

    def call(
        self, handler: Callable[[int, Any], object], number: int, frame: FrameType | None
    ) -> None:
        """Call a handler of the program's now, or when no lock is held; keep what it raises.

        Raise it in the program's own code: also that of a callback, which may catch it.
        number, frame: what the handler is given.
        """
        if os.getpid() == self.pid:
            self._in_turn(partial(self._called, handler, number, frame))
        else:
            handler(number, frame)

    def _called(
        self, handler: Callable[[int, Any], object], number: int, frame: FrameType | None
    ) -> None:
        try:
            handler(number, frame)
        except BaseException as error:
            if not self.depth or self._in_callback(frame):
                raise
            self.kept.append(error)

    def _in_turn(self, act: Callable[[], object]) -> None:
        """Do something now where no lock is held, else later; behind what came before in any case.

        That may still wait where a lock has been left this very moment.
        """
        if self.locked or self.late:
            self.late.append(act)
            self.settle()
        else:
            act()

    def _in_callback(self, frame: FrameType | None) -> bool:
        """True in code that a callback of the program's runs, with nothing of ours above it."""
        own = frame is not None and not of_ours(frame.f_code)
        while frame is not None and not of_ours(frame.f_code):
            frame = frame.f_back
        return own and frame is not None and frame.f_code in self.callers

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

        An interruption of ours stays kept: all callbacks are called whose turn it is, and each may
        wait for long. What a handler has raised may be meant for this one.
        """
        if self.kept and self.calling == self.depth and not self.locked:
            error = self.kept[0]
            if error is not self._interruption:
                self.kept.popleft()
            raise error.with_traceback(None)  # one way to it is enough to show

    def interruptible(self, call: Callable[[], None]) -> None:
        """Call what may block, in a block of `uninterrupted`, as if the innermost were none.

        No block of its own: signals are looked for as a function begins, also one that ends a
        block, but not between the count and the `try`.
        """
        if get_ident() != _MAIN or not self.depth:
            return call()
        self.depth -= 1
        try:
            self.settle()
            call()
        finally:
            self.depth += 1

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
_RAISING = {
    SignalScopes.call.__code__, SignalScopes.interrupt.__code__, SignalScopes.settle.__code__,
    SignalScopes.raise_in_callback.__code__,
}  # fmt: skip

AROUND = frozenset(
    each.__code__ for each in (SignalScopes.call, SignalScopes._in_turn, SignalScopes._called)
)
"""The frames from `call` to the program's handler."""


def came_of_signal(error: BaseException) -> bool:
    """True where a signal's handler has raised an error, and not what was called when it came.

    So its traceback says. For those who take errors for what they have called has failed.
    """
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code in _RAISING:
            return True
        trace = trace.tb_next
    return False


def of_ours(code: CodeType) -> bool:
    """Return whether code is this package's."""
    name = code.co_filename
    return name.startswith(_OURS) and not name.startswith(_PROGRAMS)


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
