"""`scoop._types`: the class of futures, for programs that name it, and what may be raised."""

from __future__ import annotations

from concurrent.futures import CancelledError as CancelledError
from concurrent.futures import TimeoutError as TimeoutError

from scoopmpi.tasks.future import Future as Future
from scoopmpi.tasks.scoop_attributes import STANDARD
from scoopmpi.tasks.scoop_attributes import CallbackEntry as callbackEntry

__all__ = ["CallbackType", "CancelledError", "Future", "TimeoutError", "callbackEntry"]


class CallbackType:
    """The kinds of callbacks of SCOOP; here all run in the process that added them."""

    standard = STANDARD
    universal = "universal"
