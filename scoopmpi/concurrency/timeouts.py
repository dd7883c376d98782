"""Seconds to wait, as users may give them: one meaning, wherever they are asked for.

A number: int, float, a fraction, numpy's. None and infinity wait for ever; zero and less only look,
where the function does not say otherwise. Everything else is an error that names it.
"""

from __future__ import annotations

import threading
from numbers import Real


def seconds(value: object, name: str = "timeout") -> float | None:
    """Return a timeout as Python's own waits take it: None, or at most what they can wait.

    value: what the user gave. name: of the argument, for the error's text.
    Raises TypeError for what is no number of seconds, and ValueError for nan.
    """
    if value is None:
        return None
    if type(value) not in (int, float):
        check(value, name)
    given = _float(value)
    if given != given:
        raise ValueError(f"{name} is {value!r}, it must be a number of seconds, or None")
    return None if given > threading.TIMEOUT_MAX else given


def check(value: object, name: str) -> None:
    """Raise TypeError for what is no number; `name` is the argument's, for the text."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name} is {value!r}, it must be a number of seconds, or None")


def _float(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type] # a Real
    except OverflowError:  # an int that is larger than any float
        return float("inf") if value > 0 else float("-inf")  # type: ignore[operator]
