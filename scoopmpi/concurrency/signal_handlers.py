"""The program's own signal handlers, which may raise: they too wait for the scopes of a farm.

`signal.signal` and `signal.getsignal` of the standard library call functions of `_signal`, whoever
has imported them, and whenever. While a process has a farm these stand in their places: Python gets
a handler of ours around the program's, and the program sees its own only. Handlers in C, and those
of ours that mind the scopes by themselves (`set_own`), are as they were.
"""

from __future__ import annotations

import importlib
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

from .signal_scopes import scopes

_signal: Any = importlib.import_module("_signal")  # not in the type stubs
_python_set, _python_get = _signal.signal, _signal.getsignal


class ProgramHandler:
    """Stands for a handler of the program's, which is called when that does a farm no harm.

    handler: the program's.
    """

    __slots__ = ("handler",)

    def __init__(self, handler: Callable[[int, Any], object]) -> None:
        self.handler = handler

    def __call__(self, number: int, frame: Any) -> None:
        scopes.call(self.handler, number, frame)


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
    _python_set(number, handler)


def _set(number: int, handler: Any, /) -> Any:
    return _seen(_python_set(number, ProgramHandler(handler) if callable(handler) else handler))


def _get(number: int, /) -> Any:
    return _seen(_python_get(number))


def _seen(handler: Any) -> Any:
    return handler.handler if isinstance(handler, ProgramHandler) else handler
