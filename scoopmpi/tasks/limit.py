"""How long a task may run: `Limited` is a function with a limit, in the function's place.

In the worker's main thread an alarm raises TaskTimeout inside the task, also where it sleeps. A
task that does not react is the supervisor's business (`process.deadline`). The invariant: the alarm
raises only while the innermost `Limited` call of the running greenlet is `_running` and not over,
once for it, and never while code of this package runs on top of that call, but for code that has
declared to be ready (`passes_on`, `in_place`); it comes again a millisecond later. So it cannot hit
the worker's loop, another task, or the nested executor's bookkeeping. Who sets a task aside takes
its limit out of `_running` first. SIGALRM is ours only while a limited task runs.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, TypeVar

from ..concurrency import timeouts
from ..process import identity, supervisor
from ..wire import errors
from .wrapped import CALLING, PASSING, Wrapped

AGAIN_SECONDS = 0.001
"""How long an alarm waits that came where it must not raise."""
MOST_SECONDS = 1e8
"""Three years: a longer time is no limit, and would be too much for a timer."""
NO_LIMIT = math.inf
"""As task_timeout: no limit, not even that of --task-timeout. With it executors hand on functions
that have their limit already, behind a wrapper of ours or around each call of the user's."""
_HERE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")
_READY = os.path.join(_HERE, "programs", "")
_MAIN = threading.main_thread().ident
_log = logging.getLogger("scoopmpi")
_IN_PLACE: set[CodeType] = set()
"""The code that `in_place` has declared; it grows only while modules are imported."""
_Function = TypeVar("_Function", bound=Callable[..., Any])


def in_place(function: _Function) -> _Function:
    """Declare a method of an executor that runs the user's function where it is called.

    It keeps whatever that raises, so the code of ours that has called it is never interrupted: what
    runs below is the task's, and its limit counts there.
    """
    _IN_PLACE.add(function.__code__)
    return function


def limited(fn: Callable[..., Any], seconds: float | None = None) -> Callable[..., Any]:
    """Return the function with a limit for each call.

    seconds: None gives it the limit of --task-timeout, if there is one; NO_LIMIT none.
    Raises TypeError for what is no number, ValueError for one that is not above 0.
    """
    if seconds is None:
        if identity.this.task_timeout is None:
            return fn
        seconds = identity.this.task_timeout
    check(seconds)
    return Limited(fn, float(seconds)) if seconds <= MOST_SECONDS and callable(fn) else fn


def check(seconds: object) -> None:
    """Raise TypeError for what is no number of seconds, ValueError for one not above 0."""
    timeouts.check(seconds, "task_timeout")
    if not seconds > 0:  # type: ignore[operator] # a Real
        raise ValueError(f"task_timeout is {seconds!r}, it must be above 0, or None")


def seconds_of(target: Any) -> float | None:
    """Return the limit that `limited` has given a function, also within a wrapper of ours."""
    return target.task_limit if isinstance(target, Wrapped) else None


class Limited(Wrapped):
    """A function whose calls may take so many seconds each.

    fn: the user's, or one of ours around it.
    """

    def __init__(self, fn: Callable[..., Any], seconds: float) -> None:
        super().__init__(fn)
        self.seconds = seconds

    @property
    def task_limit(self) -> float:
        """Seconds that each call may take."""
        return self.seconds

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if threading.get_ident() != _MAIN:
            _say_unlimited(self.__qualname__)
            return self._fn(*args, **kwargs)
        limit = _Limit(self.__qualname__, self.seconds)
        # Twice, as the alarm may raise in the inner `finally`; it does so once for a limit.
        try:
            try:
                limit.begin()
                return self._fn(*args, **kwargs)
            finally:
                limit.over = True
        finally:
            limit.end()


_CALL = Limited.__call__.__code__


class _Limit:
    """The limit of one call.

    name: the function's, for the message.
    """

    __slots__ = ("_alarm", "_before", "_name", "_outer", "_ours", "_seconds",
                 "_since", "deadline", "fired", "left", "over")  # fmt: skip

    def __init__(self, name: str, seconds: float) -> None:
        self._name, self._seconds = name, seconds
        self._outer: _Limit | None = None
        self._ours = True
        self._before: Any = signal.SIG_DFL
        self._alarm = 0.0, 0.0
        self._since = self.deadline = 0.0
        self.left = seconds
        self.fired = self.over = False

    def begin(self) -> None:
        """Start the clock of this call, and stop that of the call around it."""
        self._outer = set_aside()  # where nothing is parallel, tasks call tasks
        go_on(self)

    def end(self) -> None:
        """Let the clock of the call around it go on."""
        if _running is self:
            set_aside()
            go_on(self._outer)

    def start(self) -> None:
        """Let the clock go on."""
        now = self._since = time.monotonic()
        self.deadline = now + self.left
        if self._ours:
            self._before = signal.signal(signal.SIGALRM, _rang)
        wait = 0.0 if self.fired else max(self.left, 1e-6)
        self._alarm = signal.setitimer(signal.ITIMER_REAL, wait)
        if supervisor.link.deadline is not None:
            supervisor.link.deadline.begins(self.deadline, self._seconds)

    def stop(self) -> None:
        """Stop the clock, and give SIGALRM back."""
        if supervisor.link.deadline is not None:
            supervisor.link.deadline.ends()
        now = time.monotonic()
        left, interval = self._alarm
        if left:
            left = max(left - (now - self._since), 1e-6)
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._ours = self.restore()
        if left:
            signal.setitimer(signal.ITIMER_REAL, left, interval)
        self.left = self.deadline - now

    def restore(self) -> bool:
        """Give SIGALRM back; return False where the task has taken it, which keeps it then."""
        before = signal.SIG_DFL if self._before is None else self._before
        found = signal.signal(signal.SIGALRM, before)
        if found is _rang:
            return True
        if found is not None:
            signal.signal(signal.SIGALRM, found)
        return False

    def error(self) -> errors.TaskTimeout:
        """Return the exception that the task gets."""
        here = identity.this.rank, socket.gethostname()
        return errors.timed_out(self._name, self._seconds, *here)


_running: _Limit | None = None
"""The limit of the task that runs in the main thread: a signal handler has nothing else to see."""


def set_aside() -> _Limit | None:
    """Stop the clock of the running task, which will wait for its own; return it for `go_on`."""
    global _running
    limit = _running
    if limit is not None:
        _running = None
        limit.stop()
    return limit


def go_on(limit: _Limit | None) -> None:
    """Let the clock of a task go on that was set aside."""
    global _running
    if limit is not None:
        _running = limit
        limit.start()


def deadline() -> float | None:
    """Return when the limit of the task that asks is over, as `time.monotonic` counts."""
    limit = _running if threading.get_ident() == _MAIN else None
    return None if limit is None else limit.deadline


def _rang(_: int, frame: FrameType | None) -> None:
    """Handle SIGALRM while a limited task runs: raise TaskTimeout in it, or try again later."""
    limit = _running
    if limit is None or limit.over or limit.fired:
        return
    left = limit.deadline - time.monotonic()
    if left > 0:  # an alarm that the task has set itself, without a handler for it
        signal.setitimer(signal.ITIMER_REAL, left)
    elif _delicate(frame, _CALL.__eq__):
        signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS)
    else:
        limit.fired = True
        raise limit.error()


def delicate(frame: FrameType | None, runs: Callable[[CodeType], bool]) -> bool:
    """Return whether an exception may not be raised in the task that runs: it is in code of ours.

    runs: tells code of ours that runs tasks, below which the task's own is.
    """
    if frame is None or runs(frame.f_code):
        return True  # between two tasks
    if frame.f_code is _CALL:
        limit = _running  # a function in C is called: else clocks are started and stopped
        if limit is None or limit.over or frame.f_locals.get("limit") is not limit:
            return True
    return frame.f_code in PASSING or _delicate(frame, runs)


def _delicate(frame: FrameType | None, runs: Callable[[CodeType], bool]) -> bool:
    """Return whether the task is in code of ours, or where an exception would be lost."""
    if frame is not None and frame.f_code in _IN_PLACE:
        return True  # between two steps of its own, not in what it runs
    kept = False  # whether what these frames of ours have called keeps all that a task raises
    while frame is not None and not runs(frame.f_code):
        code = frame.f_code
        ours = _of_ours(code)
        kept = ours and (kept or code in _IN_PLACE)
        passing = code in PASSING or code in CALLING or code is _CALL
        if code.co_name == "__del__" or (ours and not kept and not passing):
            return True
        frame = frame.f_back
    return frame is None


def _of_ours(code: CodeType) -> bool:
    name = code.co_filename
    return name.startswith(_HERE) and not name.startswith(_READY)


_said = False
"""True where that has been said in this process: once is enough, whatever threads tasks have."""


def _say_unlimited(name: str) -> None:
    """Warn, once, that a limit does not count in a thread. name: the function's."""
    global _said
    if not _said:
        _said = True
        _log.warning("task_timeout does not count for %s, which runs in a thread of a task", name)


def _forked() -> None:
    """Forget the limit in a child that a task has forked: it is its parent's."""
    global _running
    limit, _running = _running, None
    supervisor.link.forked()
    if limit is not None:
        with contextlib.suppress(ValueError):  # not in the main thread
            limit.restore()


os.register_at_fork(after_in_child=_forked)
