"""An end for a process that may be stuck in C code, with the interpreter's lock held (Linux).

No thread of Python would run there, and a signal's handler could not choose the exit status. The C
library's own timer can: it calls `_exit(status)` in a thread of C. Nothing here knows why.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys

_CLOCK_MONOTONIC = 1
_SIGEV_THREAD = 2
_SIZE = 64
"""Bytes of a `struct sigevent`, of glibc and musl alike, of which ours needs the first 32."""


class _Event(ctypes.Structure):
    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signo", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("function", ctypes.c_void_p),
        ("attributes", ctypes.c_void_p),
        ("rest", ctypes.c_byte * (_SIZE - 4 * 8)),
    )


class _Times(ctypes.Structure):
    _fields_ = (("interval", ctypes.c_long * 2), ("value", ctypes.c_long * 2))


def light(seconds: float, status: int) -> None:
    """End this process with `status` in so many seconds, whatever it does by then."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, AttributeError):
        clock = _library()
        event = _Event(value=status, notify=_SIGEV_THREAD)
        event.function = ctypes.cast(ctypes.CDLL(None)._exit, ctypes.c_void_p).value
        timer = ctypes.c_void_p()
        if clock.timer_create(_CLOCK_MONOTONIC, ctypes.byref(event), ctypes.byref(timer)) == 0:
            whole = int(seconds)
            times = _Times(value=(whole, int((seconds - whole) * 1e9)))
            clock.timer_settime(timer, 0, ctypes.byref(times), None)


def _library() -> ctypes.CDLL:
    """Return where timers are: apart from the rest in glibc before 2.34."""
    try:
        return ctypes.CDLL("librt.so.1")
    except OSError:
        return ctypes.CDLL(None)
