"""Waiting at the end of a program, with a line after a while that says for what."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from ..concurrency.periods import SILENT_SECONDS

logger = logging.getLogger("scoopmpi")


class Patience:
    """One thing that is waited for.

    what: its name in the message. details: called when that is written.
    """

    def __init__(self, what: str, details: Callable[[], str]) -> None:
        self._what, self._details = what, details
        self._seconds = SILENT_SECONDS
        self._since = time.monotonic()

    def wait(self, wait_until: Callable[..., bool], done: Callable[[], bool]) -> None:
        """Return when it is done. wait_until: waits for a function, so many seconds at most."""
        while not wait_until(done, self._since + self._seconds - time.monotonic()):
            if time.monotonic() < self._since + self._seconds:
                continue  # not in seconds, in tests
            self._seconds *= 10
            logger.warning(
                "the program has ended, and waits for %s: %s. Ctrl-C ends it at once, and "
                "--no-finish does not wait",
                self._what, self._details(),
            )  # fmt: skip
