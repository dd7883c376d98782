"""The very end of a farm: all callers are told, all workers leave, but none is waited for for ever.

What is to run before that is `finishing`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from ..concurrency.backoff import YIELD_SECONDS, pause
from ..concurrency.periods import LEAVE_IMPORTING_SECONDS, LEAVE_SECONDS, LEAVE_SIGNALLED_SECONDS
from ..concurrency.signal_lock import SignalLock
from ..tasks.unfinished import tell_not_run
from ..watching.door import Door
from ..wire.errors import FarmError
from ..wire.transport import Transport
from .callback_queue import CallbackQueue
from .calls import CallStream
from .dispatch import Dispatch
from .driver import Driver
from .failures import Failures
from .jobs import Jobs
from .loop import Loop
from .members import Members

logger = logging.getLogger("scoopmpi")


class Closing:
    """Closes one farm.

    finished: says how many tasks of a job have ended.
    """

    def __init__(
        self,
        transport: Transport,
        lock: SignalLock,
        driver: Driver,
        loop: Loop,
        jobs: Jobs,
        dispatch: Dispatch,
        callbacks: CallbackQueue,
        members: Members,
        failures: Failures,
        door: Door,
        calls: CallStream,
        finished: Callable[[int], int],
    ) -> None:
        self._transport, self._lock, self._driver, self._loop = transport, lock, driver, loop
        self._jobs, self._dispatch, self._callbacks = jobs, dispatch, callbacks
        self._members, self._failures, self._door = members, failures, door
        self._calls, self._finished = calls, finished
        self._closed = False

    def close(self, status: int, hurry: bool) -> None:
        """Stop all workers, whatever they do, and leave; once.

        status: the exit status of ranks that do not follow, and are ended.
        hurry: a signal has ended the job, and mpirun may have ended the workers already.
        """
        if self._closed:
            return
        self._driver.stop()
        if not hurry and self._jobs.error is None:
            self._tell_left(failed=status != 0)
        try:
            self._jobs.fail(FarmError("the farm has been shut down"))
        except BaseException:
            logger.exception("a callback of a call that never ran has failed")
        self._callbacks.show_all(hurry)
        with self._lock:
            self._dispatch.stop()
        self._failures.tell_all()
        left = self._all_left(hurry)
        self._members.tell()
        self._callbacks.show_all(hurry)
        with self._lock:
            self._door.close(status)
        if not left:
            self._transport.abort(status)
        self._closed = True
        self._loop.close()
        self._transport.close()

    def _tell_left(self, failed: bool) -> None:
        """Say in one line what nobody has waited for, and what ends with the farm."""
        maps = [
            (job.name, self._finished(job.number), job.size)
            for job in list(self._jobs.maps.values()) if not (job.asked or job.over)
        ]  # fmt: skip
        tell_not_run(maps, self._calls.waiting, failed)

    def _all_left(self, hurry: bool) -> bool:
        """Drive until all have followed Stop; False where some do not within seconds."""
        members = self._members
        started = last = now = time.monotonic()
        while members.missing:
            patience = LEAVE_IMPORTING_SECONDS if members.importing else LEAVE_SECONDS
            patience = LEAVE_SIGNALLED_SECONDS if hurry else patience
            if now - last > patience or now - started > 10 * patience:
                text = "workers %s do not stop within seconds: ending all ranks"
                logger.warning(text, members.missing)
                return False
            arrived = self._stepped()
            now = time.monotonic()
            if arrived:
                last = now
            else:
                pause(now - last, YIELD_SECONDS)
        return True

    def _stepped(self) -> bool:
        try:
            return self._loop.step()
        except BaseException:  # a callback's, which nobody is left to hear
            logger.exception("a callback has failed while the farm was closing")
            return True
