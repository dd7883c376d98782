"""The keywords of maps about retries, as executors and pools take them; more in `tasks.retry`."""

from __future__ import annotations

from ..tasks.executor import ExceptionTypes
from ..tasks.wrapped import Retry


def retry_asked(
    retries: int | None, delay: float | None, on: ExceptionTypes | None
) -> Retry | None:
    """Check what is asked for of retries of a map, and return it; None where nothing is."""
    if retries is None and delay is None and on is None:
        return None
    from ..tasks.retry import asked  # late: few maps are tried again

    return asked(retries, delay, on)
