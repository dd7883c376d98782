"""What nobody changes for a while, by the contract of those who hand it over.

Calls of one `Parallel` of joblib may run at any time from when they are read, so no correct program
changes their arrays meanwhile. A large array that several of them bring is compared once then, not
for each call (`farm.in_common`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_while: ContextVar[object | None] = ContextVar("unchanged", default=None)


@contextmanager
def unchanged(span: object) -> Iterator[None]:
    """Promise that the arrays of calls in this block stay as they are for as long as the span.

    span: compared by identity; blocks of one span may come again and again.
    """
    token = _while.set(span)
    try:
        yield
    finally:
        _while.reset(token)


def span() -> object | None:
    """Return the span for which what is handed over now does not change; None without a promise."""
    return _while.get()
