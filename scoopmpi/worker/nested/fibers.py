"""Fibers: greenlets in which a worker's tasks run, so that a task that waits can be suspended.

The hub is the greenlet of the worker's loop, and runs nothing of the user's. It gives work to a
fiber and gets control back when the work is done or waits. What a task waits for is a predicate,
which the hub asks. Stacks begin at the hub, which is shallow: so a chain of tasks, each waiting for
the next, may be as deep as memory allows. No messages and no jobs here.
"""

from __future__ import annotations

import contextvars
import sys
import time
from collections.abc import Callable
from typing import Any

from greenlet import GreenletExit, getcurrent, greenlet


class Ended(GreenletExit):  # type: ignore[misc] # greenlet has no types
    """Raised in a task that waits when the worker stops; a task's own GreenletExit is a failure."""


class Suspended:
    """A fiber whose work waits until `done()` or the time `deadline`."""

    # No dataclass: its module imports six others, files that every rank would open.
    __slots__ = ("deadline", "done", "fiber")

    def __init__(self, fiber: Any, done: Callable[[], bool], deadline: float | None) -> None:
        self.fiber, self.done, self.deadline = fiber, done, deadline

    def ready(self, now: float) -> bool:
        """Return True where the work can go on."""
        return self.done() or (self.deadline is not None and now >= self.deadline)


class Fibers:
    """The fibers of one worker."""

    def __init__(self) -> None:
        self.suspended: list[Suspended] = []
        self._spare: list[Any] = []
        self._settings = contextvars.Context()

    def run(self, work: Callable[[], None]) -> None:
        """Run it until it is done or suspended; called by the hub."""
        if self._spare:
            fiber = self._spare.pop()
        else:
            fiber = greenlet(self._loop)
            # Settings that the program made while it was imported (decimal's precision, numpy's
            # error handling) live in the context, and a new greenlet would have an empty one.
            self._settings = contextvars.copy_context()
            fiber.gr_context = self._settings.copy()
            fiber.switch()  # what it starts with it holds for ever
        fiber.switch(work)

    def suspend(self, waiting: Suspended) -> None:
        """Suspend the running work; return when the hub resumes it."""
        self.suspended.append(waiting)
        loop = _loop_taken()
        waiting.fiber.parent.switch()
        _loop_given(loop)

    def apart(self, work: Callable[[float, Any], None], until: float, strand: Any) -> None:
        """Run a task on top of another, which must not show: in the program's own settings."""
        loop = _loop_taken() if "asyncio" in sys.modules else None
        try:
            self._settings.copy().run(work, until, strand)
        finally:
            if loop is not None:
                _loop_given(loop)

    def ready(self) -> Suspended | None:
        """Take out and return the last suspended one that can go on; called by the hub."""
        now = time.monotonic() if self.suspended else 0.0
        for place in range(len(self.suspended) - 1, -1, -1):
            if self.suspended[place].ready(now):
                return self.suspended.pop(place)
        return None

    @staticmethod
    def inside() -> Any:
        """Return the fiber that is running, None in the hub and in threads without one."""
        current = getcurrent()
        return None if current.parent is None else current

    def close(self) -> None:
        """End all fibers: what is suspended never goes on."""
        # Each is told once: a task that catches it and waits again stays where it is.
        for waiting in self.suspended.copy():
            waiting.fiber.throw(Ended)
        while self._spare:
            self._spare.pop().throw(Ended)  # else its frame keeps the worker alive for ever

    def _loop(self) -> None:
        this = getcurrent()
        work = this.parent.switch()
        while True:
            work()
            del work  # with the arguments of its tasks: it may be long until the next
            self._spare.append(this)
            work = this.parent.switch()


def _loop_taken() -> Any:
    """Take away the asyncio loop that runs in this thread: other tasks must not find it."""
    asyncio: Any = sys.modules.get("asyncio")
    loop = None if asyncio is None else asyncio._get_running_loop()
    if loop is not None:
        asyncio._set_running_loop(None)
    return loop


def _loop_given(loop: Any) -> None:
    if loop is not None:
        asyncio: Any = sys.modules["asyncio"]
        asyncio._set_running_loop(loop)
