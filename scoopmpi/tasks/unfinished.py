"""What finishes before its process ends, although nobody waits for it: executors, and results for
later, each of them an object with a method `finish`.

One such list stands behind each executor below: a farm's, a worker's, the serial one's.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from typing import Any, Protocol

logger = logging.getLogger("scoopmpi")


def tell_endless(name: str, tasks: int) -> None:
    """A map that nobody reads goes no further, as nothing would end it."""
    logger.warning(
        "a map of %s over something without an end, which nobody reads, ends with the %d tasks "
        "that have been read", name, tasks,
    )  # fmt: skip


def tell_failed(name: str, tasks: int, reason: str) -> None:
    """The user's iterators have raised where nobody is to catch it."""
    logger.warning(
        "a map of %s, whose values nobody takes, ends with %d tasks: what it goes over has raised "
        "%s", name, tasks, reason,
    )  # fmt: skip


class Finishing(Protocol):
    """Who may have something under way."""

    takes_values: bool
    """Whether it takes values of others here: then it comes before those."""

    def finish(self) -> None:
        """Return when it has nothing more under way."""


class Unfinished:
    """Who has something under way."""

    def __init__(self) -> None:
        self._them: set[Finishing] = set()

    def add(self, one: Finishing) -> None:
        """It has something under way."""
        self._them.add(one)

    def discard(self, one: Finishing) -> None:
        """It has nothing more under way."""
        self._them.discard(one)

    def waits(self, maps: bool = True) -> bool:
        """Whether anything is to finish."""
        return bool(self._them)

    def finish(self, maps: bool = True) -> None:
        """Return when all have finished, those too that come meanwhile."""
        while self._them:
            for one in sorted(self._them.copy(), key=lambda one: not one.takes_values):
                one.finish()
                self._them.discard(one)

    def __len__(self) -> int:
        return len(self._them)


def to_its_end(
    run: Callable[[], None], current: Callable[[], Any], end_threads: Callable[[], None]
) -> None:
    """Run the program; when it is over, by itself or by an exception, what is unfinished.

    current: gives the executor of the process. end_threads: waits for the program's threads and
    ends Python's thread pools, which callbacks may use until then.
    Nothing is finished where a signal has ended the program, nor in a child that it has forked.
    """
    pid = os.getpid()
    try:
        run()
    finally:
        if not others() and os.getpid() == pid and not cut_short(current()):
            current().finish(maps=ended_well())
        end_threads()
        if os.getpid() == pid and not cut_short(current()):
            current().finish(maps=ended_well())


def others() -> bool:
    """Whether the program has threads of its own that go on: they may still take values."""
    pools = sys.modules.get("concurrent.futures.thread")
    idle = {threading.main_thread(), *getattr(pools, "_threads_queues", ())}
    return any(not thread.daemon and thread not in idle for thread in threading.enumerate())


def ended_well() -> bool:
    """Whether no exception is on its way out, but for one that says so."""
    error = sys.exc_info()[1]
    return error is None or (isinstance(error, SystemExit) and error.code in (None, 0))


def cut_short(executor: Any) -> bool:
    """Whether a signal ends the program: its exception, or one that came of it, is on its way."""
    signalled = executor.interruption
    error, seen = sys.exc_info()[1], set[int]()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if error is signalled or isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False
