"""A thread that looks after messages where the one that should do so is busy with user code.

The same on both sides: on rank 0 while the program computes and nobody waits for results, on a
worker while a task outlives its budget. It knows only a function to call, its turn.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable

logger = logging.getLogger("scoopmpi")

NUDGE_SECONDS = 0.01
"""A turn that is nearer is soon enough; waking a thread costs two context switches."""
LINGER = 0.1
"""Seconds for which turns come that often after a nudge, as the next may follow at once."""


class ProgressThread:
    """Calls a function again and again in a daemon thread, its turns.

    turn: called again and again; returns the seconds until the next turn, or None to sleep
        until `wake`. Waking a thread that is not asleep costs one look at a flag.
    rest: called each time it falls asleep; returns the seconds after which it is called again,
        or None.
    """

    def __init__(
        self,
        name: str,
        turn: Callable[[], float | None],
        rest: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._turn, self._rest = turn, rest
        self._asleep = False
        self._stopped = False
        self._due = self._nudged = 0.0
        # Not an Event: the garbage collector may run a __del__ that rings inside of the waiting
        # thread, where an Event's lock is held; a SimpleQueue may be put to at any point.
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        try:
            self._thread.start()
        except RuntimeError as problem:
            if "shutdown" not in str(problem):
                raise  # else Python 3.12 is ending, and starts no thread: it is done without

    def wake(self) -> None:
        """Have it look again soon, as there may be something to do."""
        if self._asleep:
            self._asleep = False
            self._bell.put(None)

    def nudge(self) -> None:
        """Have it look again within moments, although its next turn may be seconds away."""
        if self._asleep:
            self.wake()
        else:
            now = time.monotonic()
            if self._due - now > NUDGE_SECONDS:
                self._due, self._nudged = 0.0, now
                self._bell.put(None)

    def stop(self) -> None:
        """Have no turn begin after this; one under way may be in a callback and gets 2 seconds."""
        self._stopped = True
        self._bell.put(None)
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(2.0)

    def _run(self) -> None:
        while not self._stopped:
            delay = self._take_turn()
            if delay is None:
                self._asleep = True  # first asleep, then a last look: no wake is ever missed
                delay = self._take_turn()
                if delay is not None:
                    self._asleep = False
            if delay is not None:
                now = time.monotonic()
                if now - self._nudged < LINGER:
                    delay = min(delay, NUDGE_SECONDS)
                self._due = now + delay
            else:
                delay = self._take_turn(self._rest)
            with contextlib.suppress(queue.Empty):
                self._bell.get(timeout=delay)
            self._asleep = False

    def _take_turn(self, turn: Callable[[], float | None] | None = None) -> float | None:
        if self._stopped:
            return 0.0
        try:
            return (turn or self._turn)()
        except BaseException:  # a callback may call sys.exit
            logger.exception("error in the thread %s", self._thread.name)
            return 0.1
