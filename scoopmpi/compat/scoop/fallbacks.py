"""`scoop.fallbacks`: an exception that programs catch. It is never raised: all runs serially."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

_Function = TypeVar("_Function", bound=Callable[..., Any])


class NotStartedProperly(Exception):
    """SCOOP's way of refusing to submit without a launcher; here submit works, in place."""


def ensureScoopStartedProperly(func: _Function) -> _Function:
    """Return the function itself: it works without a launcher too."""
    return func


def ensureScoopStartedProperlyMapFallback(func: _Function) -> _Function:
    """Return the function itself: it works without a launcher too."""
    return func
