"""The program's own signal handlers, which may raise: they too wait for the scopes of a farm.

`signal.signal` and `signal.getsignal` of the standard library call functions of `_signal`, whoever
has imported them, and whenever. While a process has a farm these stand in their places: Python gets
a handler of ours around the program's, and the program sees its own only. Handlers in C are as they
were; those of ours mind the scopes by themselves (`set_own`).
"""

from __future__ import annotations

import importlib
import os
import signal
import threading
import time
from _thread import start_new_thread
from collections.abc import Callable
from types import FrameType
from typing import Any

from .periods import AGAIN_SECONDS
from .signal_scopes import AROUND, of_ours, scopes

_signal: Any = importlib.import_module("_signal")  # not in the type stubs
_python_set, _python_get = _signal.signal, _signal.getsignal


class OwnHandler:
    """Stands for a handler of ours, which is called at once, but where what it raises is dropped.

    handler: ours.
    """

    __slots__ = ("handler",)

    def __init__(self, handler: Callable[[int, Any], object]) -> None:
        self.handler = handler

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if _drops(frame):
            start_new_thread(self._come_again, (number, threading.get_ident()))
        else:
            self.call(number, frame)

    def call(self, number: int, frame: FrameType | None) -> None:
        """Call it."""
        self.handler(number, frame)

    def _come_again(self, number: int, thread: int) -> None:
        time.sleep(AGAIN_SECONDS)
        if _python_get(number) is self:  # or the signal might now end the process
            signal.pthread_kill(thread, number)


class ProgramHandler(OwnHandler):
    """Stands for a handler of the program's, which is called when that does a farm no harm."""

    __slots__ = ()

    def call(self, number: int, frame: FrameType | None) -> None:
        """Call it, or have it called."""
        scopes.call(self.handler, number, frame)


AROUND_A_HANDLER = AROUND | {
    each.__code__ for each in (OwnHandler.__call__, OwnHandler.call, ProgramHandler.call)
}
"""Our frames between the point at which a signal comes and the handler."""


def _drops(frame: FrameType | None) -> bool:
    """True in a finalizer of ours: Python prints what one raises, and goes on."""
    while frame is not None:
        code = frame.f_code
        if code.co_name == "__del__":
            return of_ours(code)
        frame = frame.f_back
    return False


def guard() -> None:
    """Have handlers wait from now on, those that are there too; once."""
    scopes.pid = os.getpid()
    if _signal.signal is not _python_set:
        return
    _signal.signal, _signal.getsignal = _set, _get
    if threading.current_thread() is threading.main_thread():  # no other may change them
        for number in signal.valid_signals():
            if callable(handler := _python_get(number)):
                _python_set(number, ProgramHandler(handler))


def set_own(number: int, handler: Callable[[int, Any], object]) -> None:
    """Set a handler that is called at any time, and raises by `SignalScopes.interrupt` alone."""
    _python_set(number, OwnHandler(handler))


def _set(number: int, handler: Any, /) -> Any:
    return _seen(_python_set(number, ProgramHandler(handler) if callable(handler) else handler))


def _get(number: int, /) -> Any:
    return _seen(_python_get(number))


def _seen(handler: Any) -> Any:
    return handler.handler if isinstance(handler, OwnHandler) else handler
