"""The end of a farm: wait until every worker has left, but not for one that never will."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from ..concurrency.backoff import pause
from ..concurrency.periods import LEAVE_IMPORTING_SECONDS, LEAVE_SECONDS, LEAVE_SIGNALLED_SECONDS
from .members import Members

logger = logging.getLogger("scoopmpi")


def all_left(members: Members, step: Callable[[], bool], hurry: bool) -> bool:
    """Drive `step` until all have followed Stop; False where some do not within seconds.

    hurry: a signal has ended the job, and mpirun may have ended the workers already.
    """
    started = last = now = time.monotonic()
    while members.missing:
        patience = LEAVE_IMPORTING_SECONDS if members.importing else LEAVE_SECONDS
        patience = LEAVE_SIGNALLED_SECONDS if hurry else patience
        if now - last > patience or now - started > 10 * patience:
            text = "workers %s do not stop within seconds: ending all ranks"
            logger.warning(text, members.missing)
            return False
        arrived = _stepped(step)
        now = time.monotonic()
        if arrived:
            last = now
        else:
            pause(now - last, spin=True)
    return True


def _stepped(step: Callable[[], bool]) -> bool:
    try:
        return step()
    except BaseException:  # a callback's, which nobody is left to hear
        logger.exception("a callback has failed while the farm was closing")
        return True
