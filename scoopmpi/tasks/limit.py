"""How long a task may run: `Limited` is a function with a limit, in the function's place.

In the worker's main thread an alarm raises TaskTimeout inside the task, also where it sleeps. What
does not react is the supervisor's (`process.deadline`). The invariant: the alarm raises only while
the innermost `Limited` call of the running greenlet is `_running` and not over, once for it, and
never while code of this package runs on top of that call (it comes again a millisecond later). So
it cannot hit the worker's loop, another task, or the nested executor's bookkeeping. Whoever sets a
task aside takes its limit out of `_running` first. SIGALRM is ours only while a limited task runs.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from ..concurrency import timeouts
from ..process import identity, supervisor
from ..wire import errors, failure

AGAIN_SECONDS = 0.001
"""Until the alarm comes again that must not raise where it came."""
MOST_SECONDS = 1e8
"""Three years: what is longer is no limit, and would be too much for a timer."""
_HERE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")
_READY = os.path.join(_HERE, "programs", "")
_MAIN = threading.main_thread().ident
_log = logging.getLogger("scoopmpi")


def limited(fn: Callable[..., Any], seconds: float | None = None) -> Callable[..., Any]:
    """The function with a limit of so many seconds for each call; None: with --task-timeout's.

    Raises TypeError for what is no number, ValueError for one that is not above 0; inf is no limit.
    """
    if seconds is None:
        if identity.this.task_timeout is None:
            return fn
        seconds = identity.this.task_timeout
    check(seconds)
    return Limited(fn, float(seconds)) if seconds <= MOST_SECONDS and callable(fn) else fn


def check(seconds: object) -> None:
    """Raises what `limited` raises."""
    timeouts.check(seconds, "task_timeout")
    if not seconds > 0:  # type: ignore[operator] # a Real
        raise ValueError(f"task_timeout is {seconds!r}, it must be above 0, or None")


def seconds_of(target: Any) -> float | None:
    """The limit of a function that `limited` has given one, also within a wrapper of ours."""
    while not isinstance(target, Limited):
        target = vars(target).get("_fn") if type(target).__module__.startswith(_PREFIX) else None
        if target is None:
            return None
    return target.seconds


_PREFIX = "scoopmpi."


class Limited:
    """A function whose calls may take so many seconds each."""

    def __init__(self, fn: Callable[..., Any], seconds: float) -> None:
        self._fn, self.seconds = fn, seconds
        # For failure.describe: messages name what the user knows.
        self.__qualname__, self.__module__ = failure.describe(fn), "__main__"

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
    """The limit of one call."""

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
        self._outer = set_aside()  # where nothing is parallel, tasks call tasks
        go_on(self)

    def end(self) -> None:
        if _running is self:
            set_aside()
            go_on(self._outer)

    def start(self) -> None:
        """The clock goes on."""
        now = self._since = time.monotonic()
        self.deadline = now + self.left
        if self._ours:
            self._before = signal.signal(signal.SIGALRM, _rang)
        wait = 0.0 if self.fired else max(self.left, 1e-6)
        self._alarm = signal.setitimer(signal.ITIMER_REAL, wait)
        if supervisor.link.deadline is not None:
            supervisor.link.deadline.begins(self.deadline, self._seconds)

    def stop(self) -> None:
        """The clock stands still, and SIGALRM is whose it was."""
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
        """SIGALRM is whose it was before; False where the task has taken it: then it stays so."""
        before = signal.SIG_DFL if self._before is None else self._before
        found = signal.signal(signal.SIGALRM, before)
        if found is _rang:
            return True
        if found is not None:
            signal.signal(signal.SIGALRM, found)
        return False

    def error(self) -> errors.TaskTimeout:
        """What the task gets."""
        return errors.timed_out(self._name, self._seconds, identity.this.rank, socket.gethostname())


_running: _Limit | None = None


def set_aside() -> _Limit | None:
    """The running task will wait for its own tasks: its limit, for `go_on`; its clock stands."""
    global _running
    limit = _running
    if limit is not None:
        _running = None
        limit.stop()
    return limit


def go_on(limit: _Limit | None) -> None:
    """A task that was set aside goes on."""
    global _running
    if limit is not None:
        _running = limit
        limit.start()


def _rang(_: int, frame: FrameType | None) -> None:
    """SIGALRM, while a limited task runs."""
    limit = _running
    if limit is None or limit.over or limit.fired:
        return
    left = limit.deadline - time.monotonic()
    if left > 0:  # an alarm that the task has set itself, without a handler for it
        signal.setitimer(signal.ITIMER_REAL, left)
    elif _delicate(frame):
        signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS)
    else:
        limit.fired = True
        raise limit.error()


def _delicate(frame: FrameType | None) -> bool:
    """Whether the task is in code of ours, or where an exception would be lost."""
    while frame is not None and frame.f_code is not _CALL:
        code = frame.f_code
        if code.co_name == "__del__" or (_of_ours(code.co_filename) and not _passes_on(code)):
            return True
        frame = frame.f_back
    return frame is None


def _of_ours(filename: str) -> bool:
    return filename.startswith(_HERE) and not filename.startswith(_READY)


def _passes_on(code: CodeType) -> bool:
    """Wrappers around functions, and the serial executor, which calls them in place."""
    name = code.co_name
    return name == "__call__" or (
        name == "submit" and code.co_filename.endswith("farm_executor.py")
    )


_said = False


def _say_unlimited(name: str) -> None:
    global _said
    if not _said:
        _said = True
        _log.warning("task_timeout does not count for %s, which runs in a thread of a task", name)


def _forked() -> None:
    """In a child of a task: its parent's limit is not its own."""
    global _running
    limit, _running = _running, None
    supervisor.link.forked()
    if limit is not None:
        with contextlib.suppress(ValueError):  # not in the main thread
            limit.restore()


os.register_at_fork(after_in_child=_forked)
